package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Violation is something that must not be.
type Violation struct {
	// Invariant is I1 to I7.
	Invariant string
	Text      string
}

func (v Violation) String() string { return v.Invariant + ": " + v.Text }

// Report is what a run comes to.
type Report struct {
	Violations []Violation
	// Expected is how many deliveries of acknowledged events there had to be, Lost how many of them never came: on plain
	// channels, where that is allowed while something is broken, and excused by a gap on those with a log.
	Expected, LostPlain, LostTold int
	// LastLost is when the last lost event was published, the zero time where none was.
	LastLost time.Duration
	// Heard is how many deliveries there were, Gaps how often a socket was told of a gap.
	Heard, Gaps int
	// Sockets is how many sockets listened, Ended how many of them ended before the run did.
	Sockets, Ended int
	// Published events by their outcome.
	Outcomes [3]int
}

// Few is how many violations of one kind are told in full.
const few = 5

// Check holds what was heard against what was published.
func Check(run Run) Report {
	c := checker{run: run, published: make(map[ID]*Publish, len(run.Publishes)), counts: map[string]int{}}
	for i := range run.Publishes {
		p := &run.Publishes[i]
		c.published[p.ID] = p
		c.Outcomes[p.Outcome]++
	}
	topics := c.byTopic()
	for _, key := range slices.SortedFunc(maps.Keys(topics), compareTopics) {
		t := topics[key]
		for _, l := range t.listenings {
			c.listening(l)
			c.missing(l, t)
		}
		c.oneOrder(key, t)
	}
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		if n := c.counts[name]; n > few {
			c.Violations = append(c.Violations, Violation{name, fmt.Sprintf("and %d more", n-few)})
		}
	}
	return c.Report
}

type checker struct {
	Report
	run       Run
	published map[ID]*Publish
	counts    map[string]int // violations, by invariant
}

// topicKey is an app's channel.
type topicKey struct{ app, channel uint16 }

func compareTopics(a, b topicKey) int {
	return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.channel, b.channel))
}

// topic is what belongs to one channel.
type topic struct {
	acknowledged []*Publish // in the order in which they were invoked
	listenings   []*Listening
}

func (c *checker) byTopic() map[topicKey]*topic {
	topics := map[topicKey]*topic{}
	of := func(app, channel uint16) *topic {
		key := topicKey{app, channel}
		if topics[key] == nil {
			topics[key] = &topic{}
		}
		return topics[key]
	}
	for i := range c.run.Publishes {
		if p := &c.run.Publishes[i]; p.Outcome == OK {
			t := of(p.App, p.Channel)
			t.acknowledged = append(t.acknowledged, p)
		}
	}
	for i := range c.run.Listenings {
		l := &c.run.Listenings[i]
		t := of(l.App, l.Channel)
		t.listenings = append(t.listenings, l)
	}
	return topics
}

func (c *checker) violate(invariant, format string, args ...any) {
	if c.counts[invariant]++; c.counts[invariant] <= few {
		c.Violations = append(c.Violations, Violation{invariant, fmt.Sprintf(format, args...)})
	}
}

// who names a listening for people.
func who(l *Listening) string {
	return fmt.Sprintf("client %d on edge %d, app %d, channel %d", l.Client, l.Edge, l.App, l.Channel)
}

// listening checks what one socket has heard by itself: I2, the order of each publisher (I3), I4 and I6.
func (c *checker) listening(l *Listening) {
	c.Sockets++
	if l.Until != 0 {
		c.Ended++
	}
	c.Heard += len(l.Heard)
	c.Gaps += len(l.Gaps)
	seen := make(map[ID]bool, len(l.Heard))
	last := map[uint16]uint32{} // the latest of each publisher
	for _, h := range l.Heard {
		p := c.published[h.ID]
		switch {
		case h.App != l.App:
			c.violate("I6", "%s heard %s of another app", who(l), h.ID)
			continue
		case h.On != l.Channel || h.Channel != l.Channel:
			c.violate("I6", "%s heard %s in a frame of channel %d", who(l), h.ID, h.On)
			continue
		case seen[h.ID]:
			c.violate("I2", "%s heard %s twice, again at %v", who(l), h.ID, h.At)
			continue
		case p == nil:
			c.violate("I4", "%s heard %s, which nobody published", who(l), h.ID)
			continue
		case p.Outcome == Failed:
			c.violate("I4", "%s heard %s, which was refused with %d", who(l), h.ID, p.Status)
		}
		seen[h.ID] = true
		// What nobody knows the fate of may have been done later than what was published after it.
		if p.Outcome == Unknown {
			continue
		}
		if before, some := last[h.Publisher]; some && before > h.Seq {
			c.violate("I3", "%s heard %s after event %d of the same publisher", who(l), h.ID, before)
		}
		last[h.Publisher] = max(last[h.Publisher], h.Seq)
	}
}
