package channels

import "time"

// Log is how much of a topic its bus remembers, so that an edge that has missed something can catch up. The zero Log is
// nothing.
type Log struct {
	// Size is how many messages are remembered at most, TTL for how long.
	Size int
	TTL  time.Duration
}

// Kept tells whether there is a log at all.
func (l Log) Kept() bool { return l.Size > 0 && l.TTL > 0 }

// Position is a message's place in the log of its topic. Offsets begin at 1 and rise by one as long as the epoch is the
// same. Another epoch says that the log has begun anew, and that nobody knows any more what was in the one before.
type Position struct {
	Epoch  string
	Offset uint64
}
