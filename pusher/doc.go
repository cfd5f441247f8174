// Package pusher is how things are said: the frames, event names, close codes and signatures of the Pusher
// Channels protocol. It is pure functions and types: it opens nothing, reads no clock, keeps no state and
// knows none of Peal's other packages.
//
// Start with frame.go for what a client hears and clientframe.go for what it may say. A server's signed
// request is checked by [SignedRequest]. json.go reads JSON that comes from outside, more strictly than
// encoding/json does.
package pusher
