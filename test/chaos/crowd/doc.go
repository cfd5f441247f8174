// Package crowd is the clients of a chaos run: sockets that listen, and servers that publish. Both write down what they see
// in the words of the package ledger, by one clock.
//
// [Crowd] carries all sockets on one goroutine, on the event loop of the load generator. A socket that is lost comes back
// as Pusher's own client does: at once when it was asked to, after a second otherwise. [Press] publishes at a steady rate
// from several connections, each of which has one event under way at a time, so that what it publishes has an order.
package crowd
