// Package session is one client's conversation in the Pusher protocol, whatever carries it: it reads the
// client's frames, keeps its subscriptions and answers. It knows no WebSocket and no HTTP, opens nothing and
// starts nothing; what it has to say goes to the [channels.Subscriber] that carries it.
//
// Start with [Session.Handle]. subscribe.go is about subscriptions, id.go about the ids of sockets.
package session
