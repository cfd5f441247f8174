package crowd

import (
	"slices"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// Listenings are all that clients have heard so far.
func (c *Crowd) Listenings() (all []ledger.Listening) {
	c.do(func() {
		for _, one := range c.clients {
			for _, l := range one.listenings {
				l.Heard, l.Gaps = slices.Clone(l.Heard), slices.Clone(l.Gaps)
				all = append(all, l)
			}
		}
	})
	return all
}

// Losses are the sockets that were lost after they had begun to listen; those that left by themselves are not among them.
func (c *Crowd) Losses() (all []Loss) {
	c.do(func() {
		for _, one := range c.clients {
			for _, l := range one.losses {
				if l.Reason != errLeft.Error() {
					all = append(all, l)
				}
			}
		}
	})
	slices.SortFunc(all, func(a, b Loss) int { return int(a.At - b.At) })
	return all
}

// Heard is how many events all clients have heard.
func (c *Crowd) Heard() (n int) {
	c.do(func() {
		for _, one := range c.clients {
			for _, l := range one.listenings {
				n += len(l.Heard)
			}
		}
	})
	return n
}

// Listening is how many clients listen now.
func (c *Crowd) Listening() (n int) {
	c.do(func() {
		for _, one := range c.clients {
			if one.state == listening {
				n++
			}
		}
	})
	return n
}

// Opened is how long each client took from its last attempt to connect to the answer to its subscription.
func (c *Crowd) Opened() (all []time.Duration) {
	c.do(func() {
		for _, one := range c.clients {
			if n := len(one.listenings); n > 0 {
				all = append(all, one.listenings[n-1].From-one.asked)
			}
		}
	})
	return all
}

// Stall is the longest time in which the crowd itself did not look: what came then has a later time than it should have.
func (c *Crowd) Stall() (d time.Duration) {
	c.do(func() { d = c.stall })
	return d
}
