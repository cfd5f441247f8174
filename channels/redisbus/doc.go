// Package redisbus is the bus, the presence and the registry of nodes that all edges share, on Redis 7 or later: a single
// server, one that Sentinel watches over, or a Cluster.
//
// Start with [Bus], which is both a channels.Bus and a channels.Presence, and with [Config]. Nothing happens before
// [Bus.Run], which carries messages, keeps this edge's lease and cleans up after edges that died.
//
// # What lies in Redis
//
// All keys of an app, and its pub/sub channels, carry the hash tag {prefix + app}, so that one script can change all of
// an app at once; docs/decisions says what that costs. What belongs to no app has the tag {prefix~}. names.go lists them.
//
// # Who owns what
//
// All that an edge writes belongs to its lease: each subscription is a field in a hash of the lease that made it. A lease
// that is not renewed is taken off the list of leases by another edge, which then removes what is in its hashes, some at
// a time, each with the notices that a leave of its own would have caused. Every script that takes or gives back a
// subscription carries a deadline by Redis's own clock that is never after the end of the lease. So a script of a dead
// lease does nothing, however late it arrives, and an operation that its caller has given up is not done behind its back.
//
// # What may be lost
//
// Messages go by sharded pub/sub: while this edge has no connection, what is published is lost for its sockets, at most
// once is the promise, and each such time is counted. Not so on topics with a log. There publish.lua gives each message its
// place and appends it to the log in the step that publishes it; follow.go compares the place with what came before, and
// catchup.go reads the log where something is missing, after every lost connection, and every now and then. What no log holds
// any more, or what Redis itself has lost, is told of with Notices.Lost: nothing is missing without a word. A server that takes
// over without the last messages is found out by the edges that had read them.
//
// A parcel's key is noted by the script that publishes it (once.lua), so a publisher without an answer may ask again. Keys that
// a server took down with it, before a replica had them or before they were on disk, are forgotten with what it published.
package redisbus
