package crowd

import "time"

// Loss is a socket that was lost while it listened.
type Loss struct {
	Client int
	At     time.Duration
	// Code is that of the close frame, 0 where there was none.
	Code   int
	Reason string
	// Back is when the client listened again, 0 for not yet.
	Back time.Duration
}

// The codes that ask a client to come back at once. Any other loss is followed by a second of waiting, as Pusher's own
// client waits.
const (
	atOnceFrom, atOnceTo = 4200, 4299
	comebackAfter        = time.Second
)

// lost notes the end of a socket, and when the client tries again.
func (c *client) lost(err error) {
	now := c.now()
	if c.state == listening {
		l := &c.listenings[len(c.listenings)-1]
		l.Until, l.End = now, err.Error()
		c.losses = append(c.losses, Loss{Client: c.number, At: now, Code: c.code, Reason: err.Error()})
		c.lastLoss = len(c.losses) - 1
	} else if c.state != absent {
		c.crowd.opening--
		c.why = err.Error()
	}
	wasListening := c.state == listening
	c.conn, c.state = nil, absent
	if c.retired || wasListening && !c.seat.Comeback {
		c.retired = true
		return
	}
	c.due = now + comebackAfter
	if wasListening && c.code >= atOnceFrom && c.code <= atOnceTo {
		c.due = now
	}
	c.crowd.waiting = append(c.crowd.waiting, c)
}
