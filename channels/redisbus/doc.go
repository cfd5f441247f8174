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
// once is the promise, and each such time is counted. A log for channels that ask for one has its place in publish.lua, which
// already gives kept messages their offset in the same step, and in link.go, where the topics of a connection that was
// lost find a new one and would catch up before they deliver on.
package redisbus
