// Package bench loads a server that speaks the Pusher protocol and measures it: how many deliveries, publishes or
// connections a second, after how long, and for how much CPU and memory. It is what `peal bench` runs.
//
// It knows a server from outside alone, so it measures any; what it measures of Peal it measures of others in the same
// way. It never guesses: a message that does not come is counted as lost, and when the generator itself was too busy
// for its numbers to be the server's, the result says so.
//
// Start with [Run]. A round opens its audience (the sockets), lets its press (the HTTP connections that publish) run, and
// reads the difference between two marks; all of that on one loop, so nothing in it needs a lock.
package bench
