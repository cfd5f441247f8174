// Package redislimits bounds what apps do over all edges that share a Redis. Start with [Rates], the limits.Rates of many
// edges; that of one is in the package limits.
//
// An edge does not ask Redis about each message. It leases a part of what is left of the current second, which it uses within a
// few hundredths of a second and otherwise gives back. Redis counts a lease as used at its end, for a second. So in any second,
// wherever it begins, no more is admitted than the limit and the four hundredths by which leases are longer than what they are
// counted for.
//
// While Redis does not answer, an edge admits its share: the limit divided by the edges that there were last.
//
// In Redis a bound is one hash, {prefix + owner}r:what, in the slot of the app or tenant that owns it. It is gone some seconds
// after it was last used.
package redislimits
