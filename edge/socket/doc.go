// Package socket is the WebSocket endpoint, /app/{key}: it accepts connections, carries one [session.Session]
// on each, and closes those that lost their right to be there. It understands no frame and knows no channel;
// it never lets one socket's trouble become another's.
//
// Start with [Server.ServeHTTP]. admit.go decides who may come in, accept.go alone knows the handshake, and
// socket.go is one connection from its first frame to its last, over a line. There are two kinds of lines: wired
// ones (wired_linux.go), which the package wire carries with few goroutines, and portable ones (portable.go,
// portable_writer.go, outbox.go) with two goroutines each. keepalive.go finds out who is gone.
package socket
