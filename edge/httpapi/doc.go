// Package httpapi is the HTTP API that customers' servers call: signed requests to /apps/{id}/…, as Pusher's
// server libraries send them. It checks who asks and reads what is asked; what publishing means is for
// edge/publish to know.
//
// Start with [Server.ServeHTTP]. route.go maps paths, auth.go checks signatures, body.go and event.go read
// what was sent, scratch.go keeps the room for it from one request to the next, errors.go holds every refusal.
package httpapi
