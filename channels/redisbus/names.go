package redisbus

import "github.com/pealhq/peal/channels"

// names makes keys. Below the tag of an app there are, with the name of a channel or of a lease behind the colon:
//
//	c:<channel>  the pub/sub channel of a topic
//	s:<channel>  hash: lease to how many sockets it has on the topic
//	m:<channel>  hash: member to what it tells of itself
//	n:<channel>  hash: member to how many sockets it has
//	o:<channel>  the offset that the topic has come to
//	l:<lease>    hash: "socket channel" to "number of the join" and, on presence channels, " member"
//	f:<lease>    there if the lease was swept
//	on           sorted set of the occupied channels, by name
//	v            sorted set of topics that are empty and will be told so, by when
//	k, kx, kb    the last messages that were kept: by channel, by when they expire, and their size in bytes
//	h:<channel>  list: the log of a topic
//	g:<channel>  hash: where the log has come to, and its rule; see log.lua
//	gx           sorted set of the g:, by when they expire
//	hx, hs, hb   what the logs take: by when they expire, their sizes, and the sum in bytes
//	i:<n>        hash: key of a parcel to its digest and answer, one hash for each fifth of the time that keys are remembered
//	p:<edge>     the pub/sub channel of an edge's probes
//	r:<what>     hash: what was admitted in the last second; of the package tenants/redislimits, also below the tag of a tenant
//
// and below the tag of no app:
//
//	leases       sorted set of the leases, by when they end
//	graves       sorted set of leases that are being swept, by when somebody last worked on it
//	a:<lease>    set of the apps in which a lease may have something
//	nodes        hash: lease to the node that holds it, as JSON
//	wishes       hash: lease to what somebody wishes of the node that holds it: drain
//	meta         hash: cluster, whose keys these are; epoch, which changes when Redis has lost all
type names struct{ prefix string }

// app returns what all keys of an app begin with. What is in braces decides in which slot of a Cluster they are.
func (n names) app(id string) string { return "{" + n.prefix + id + "}" }

// none is the tag of what belongs to no app. No app has this id.
func (n names) none() string { return n.app("~") }

// wire is the pub/sub channel of a topic.
func (n names) wire(t channels.Topic) string { return n.app(t.App) + "c:" + t.Channel }
