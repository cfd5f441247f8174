package fallback

import (
	"context"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// maxPongWait is how long a silent client may take to answer a heartbeat (Pusher protocol, keep-alive).
const maxPongWait = 30 * time.Second

// stopPatience is how long a stop waits for a client that is between two requests: the door is shut, and it will hardly
// come back.
const stopPatience = time.Second

// live watches over a conversation until it is over, and leaves nothing of it behind.
func (c *conversation) live(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		again, gone := c.look()
		if c.over() {
			c.leave(ctx)
		}
		if gone {
			return
		}
		timer.Reset(again)
		select {
		case <-timer.C:
		case <-c.changed:
		}
	}
}

// look ends what is due, and tells when to look again or that nothing is left.
func (c *conversation) look() (again time.Duration, gone bool) {
	c.mu.Lock()
	silent := c.end == nil && !c.gone && c.receiver != nil && time.Until(c.givenUp()) <= 0
	c.mu.Unlock()
	if silent {
		c.End(session.EndWith(pusher.CloseNoPong))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	again = time.Until(c.due())
	if again > 0 && !c.gone {
		return again, false
	}
	if c.end == nil && !c.gone {
		c.server.metrics.orphaned.Inc()
	}
	c.gone = true
	c.drop()
	c.wakeReceiver()
	return 0, true
}

// due is when the conversation is over if nothing happens. The caller holds mu.
func (c *conversation) due() time.Time {
	switch {
	case c.end != nil:
		return c.expires
	case c.receiver == nil:
		return c.vacant.Add(c.server.cfg.Orphan)
	}
	return c.givenUp()
}

// givenUp is when a client that stays silent counts as gone, although somebody seems to receive. The caller holds mu.
func (c *conversation) givenUp() time.Time { return c.seen.Add(c.silence + maxPongWait) }

// stop ends the conversation because the server stops. Whoever receives is told; who does not is hardly waited for.
func (c *conversation) stop(end *session.Ending) {
	c.End(end)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	c.hurry()
	signal(c.changed)
}

// hurry has a conversation without a receiver wait no longer than a server that stops can. The caller holds mu.
func (c *conversation) hurry() {
	if soon := time.Now().Add(stopPatience); c.stopping && c.receiver == nil && c.expires.After(soon) {
		c.expires = soon
	}
}

// abandon ends the conversation without a word.
func (c *conversation) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.drop()
	c.wakeReceiver()
	signal(c.changed)
}

// heartbeat is how long a client that receives hears nothing at most. Proxies close what is silent for longer.
func (c *conversation) heartbeat() time.Duration {
	const longest = 25 * time.Second
	if c.silence == 0 {
		return longest
	}
	return min(longest, c.silence)
}
