// Package plain is a server to compare Peal with: as much of the Pusher protocol as the load generator speaks, written
// the plain way on coder/websocket, with two goroutines and a buffered channel for each socket, and the standard library's HTTP
// server for everything else.
//
// It is kept for measuring alone. It checks no signature, no origin and no limit, knows one app, and must never be
// reached by anybody but a benchmark on the same machine. It is no worse than most would write it on a first day, and it must
// stay so: made faster, it would say less. Start with [Server.ServeHTTP].
package plain
