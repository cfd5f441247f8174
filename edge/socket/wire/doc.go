// Package wire carries the bytes of many WebSocket connections with few goroutines: a handful of workers
// write for all of them, and a connection that has nothing to say has no goroutine at all. It knows frames
// well enough to tell where one begins, and nothing of what is in them; reading frames, answering pings and the rules
// of RFC 6455 are the WebSocket library's, which reads and writes through [Conn].
//
// Start with [Conn] in conn.go, which is all that the rest of the edge sees. Then hijack.go takes a
// connection over from net/http, writers.go writes, backlog.go deals with peers that are slow to read, and parking.go
// waits for peers that are silent. It builds on Linux only; elsewhere the edge has a goroutine per connection.
package wire
