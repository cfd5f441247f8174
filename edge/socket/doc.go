// Package socket is the WebSocket endpoint, /app/{key}: it accepts connections, carries one [session.Session]
// on each, and closes those that lost their right to be there. It understands no frame and knows no channel;
// it never lets one socket's trouble become another's.
//
// Start with [Server.ServeHTTP]. admit.go decides who may come in, accept.go alone knows the handshake,
// socket.go is one connection from its first frame to its last, outbox.go and writer.go are its write side,
// keepalive.go finds out who is gone.
package socket
