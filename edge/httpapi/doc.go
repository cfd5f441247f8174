// Package httpapi is the HTTP API that customers' servers call: signed requests to /apps/{id}/…, as Pusher's
// server libraries send them. It checks who asks and reads what is asked; what publishing means is for
// edge/publish to know, and who is where for channels.Presence. docs/openapi.yaml describes it, and the tests hold every
// answer against that.
//
// Start with [Server.ServeHTTP]. route.go maps paths, auth.go checks signatures, and body.go reads bodies; scratch.go keeps
// the room for them from one request to the next. event.go, batch.go and queryevent.go publish, counts.go answers
// what a publish asks, channels.go, channel.go and clients.go answer queries, and errors.go holds every refusal.
package httpapi
