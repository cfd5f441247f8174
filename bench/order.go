package bench

import "math/bits"

// order follows the messages of one stream as one socket hears them. It remembers which of the last 64 have come, so it
// tells a message that comes late from one that comes twice; what comes later than that counts as coming twice, and
// stays lost. The zero value is ready.
type order struct {
	next uint32 // the number after the highest that has come
	seen uint64 // bit i: the message next-1-i has come
}

type arrival int

const (
	inOrder arrival = iota
	late
	again
)

func (o *order) see(seq uint32) arrival {
	if seq >= o.next {
		o.seen = o.seen<<min(seq-o.next+1, bits.UintSize) | 1
		o.next = seq + 1
		return inOrder
	}
	back := o.next - 1 - seq
	if back >= 64 || o.seen>>back&1 == 1 {
		return again
	}
	o.seen |= 1 << back
	return late
}
