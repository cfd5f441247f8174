// Package fallback carries conversations over plain HTTP, for clients that no WebSocket gets through to: a stream that the
// server keeps open, or polls that it holds, and requests of their own for what the client says. It speaks them as
// pusher-js does. It understands no frame and knows no channel; a conversation is a [session.Session] like any other.
//
// Start with [Server.ServeHTTP]. receive.go finds or begins the conversation that a request belongs to; stream.go and
// poll.go write to the client, send.go reads from it. conversation.go is what lasts between requests, and life.go is when
// that ends. frames.go is the wire.
//
// What is left out, and why, is in docs/fallbacks.md.
package fallback
