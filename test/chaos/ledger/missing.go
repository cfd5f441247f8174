package ledger

// missing looks for acknowledged events that a socket should have heard: I1, and I5 where it was told of a gap.
//
// A socket that was open to the end must have all that was published after it was let in. Of one that ended before, only
// this is known: what a publisher sent before something that did come, came too.
func (c *checker) missing(l *Listening, t *topic) {
	at := make(map[ID]int, len(l.Heard)) // where it was heard
	newest := map[uint16]uint32{}
	for i, h := range l.Heard {
		at[h.ID] = i
		if p := c.published[h.ID]; p != nil && p.Outcome == OK {
			newest[h.Publisher] = max(newest[h.Publisher], h.Seq)
		}
	}
	around := newNeighbours(l.Heard)
	for _, p := range t.acknowledged {
		if p.Invoked < l.From {
			continue
		}
		if l.Until != 0 {
			if last, some := newest[p.Publisher]; !some || p.Seq > last {
				continue
			}
		}
		c.Expected++
		if _, came := at[p.ID]; came {
			continue
		}
		c.LastLost = max(c.LastLost, p.Invoked)
		switch {
		case !c.run.Logged(l.App, l.Channel):
			c.LostPlain++
		case around.gapBetween(p.ID, l.Gaps):
			c.LostTold++
		default:
			c.violate("I1", "%s, open from %v to %s, never heard %s, published at %v and acknowledged at %v, and was told of no gap there",
				who(l), l.From, until(l), p.ID, p.Invoked, p.Answered)
		}
	}
}

func until(l *Listening) string {
	if l.Until == 0 {
		return "the end"
	}
	return l.Until.String()
}

// neighbours finds what came before and after an event that did not come, from the same publisher.
type neighbours map[uint16][]placed

type placed struct {
	seq uint32
	at  int // in what was heard
}

func newNeighbours(heard []Heard) neighbours {
	n := neighbours{}
	for i, h := range heard {
		n[h.Publisher] = append(n[h.Publisher], placed{h.Seq, i})
	}
	return n
}

// gapBetween tells whether the socket was told of a gap between the last event before the missing one and the first event
// after it. Where none came after it, any later gap will do.
func (n neighbours) gapBetween(missing ID, gaps []Gap) bool {
	low, high := 0, -1
	for _, p := range n[missing.Publisher] {
		if p.seq < missing.Seq {
			low = max(low, p.at+1)
		} else if high < 0 || p.at < high {
			high = p.at
		}
	}
	for _, g := range gaps {
		if g.Before >= low && (high < 0 || g.Before <= high) {
			return true
		}
	}
	return false
}
