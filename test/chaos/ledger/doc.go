// Package ledger holds what a run of the chaos suite has seen, and says what in it must not be.
//
// Publishers write down each event with what became of it, sockets each event that they hear, each gap that they are told
// of, and when they begin and end to listen. [Check] holds one against the other: what was acknowledged and never came,
// what came twice, in another order, to somebody else, or though it was refused. It does no I/O and knows nothing of
// servers, so that a ledger with a fault in it can be written by hand; the tests do that for every invariant.
//
// Start with [Run].
package ledger
