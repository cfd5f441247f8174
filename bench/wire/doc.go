// Package wire is what the load generator says and hears, as bytes: the frames of a WebSocket client, the stamp that
// each measured message carries, signed publishes and the answers to them.
//
// It does no I/O and keeps no clock, and it is no WebSocket library: it knows only what a well-behaved server sends,
// and stops at everything else. Its point is to cost next to nothing for each message, so that the server is what is
// measured. Start with [Walker], which cuts what was read into frames, and [Stamp], which says what a frame is.
package wire
