// Package channels is where things are heard: the names and kinds of channels, who on this edge has
// subscribed to what, and the bus that carries messages between edges. It speaks to no network, looks into no
// frame, and knows neither apps' rules nor the wire's words.
//
// Start with [Hub], which holds this edge's subscriptions, and [Bus], which brings it messages. name.go says
// what a channel may be called and what its prefix means. The package bustest beside this one is the suite
// that every Bus must pass.
package channels
