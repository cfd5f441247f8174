package fallback

import (
	"time"

	"github.com/pealhq/peal/edge/session"
)

// attach makes a new receiver the one that receives. It returns nil when the conversation has ended for good. first
// tells that the client does not know yet that the conversation is open.
func (c *conversation) attach() (rec *receiver, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil, false
	}
	c.wakeReceiver() // It finds that it is replaced.
	c.receiver, c.seen = newReceiver(), time.Now()
	first, c.opened = !c.opened, true
	signal(c.changed)
	return c.receiver, first
}

// detach says that a receiver has ended.
func (c *conversation) detach(rec *receiver) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.receiver != rec {
		return
	}
	c.receiver, c.vacant = nil, time.Now()
	c.hurry()
	signal(c.changed)
}

// delivery is what a receiver is to do.
type delivery struct {
	frames [][]byte
	// alive asks for a line even when there are no frames.
	alive bool
	// end is set when these are the last frames.
	end *session.Ending
	// replaced and gone say that it must stop.
	replaced, gone bool
}

func (d *delivery) something() bool { return len(d.frames) > 0 || d.alive }

// take returns what waits: frames of up to most bytes together, or one. What is taken counts until it is written.
func (c *conversation) take(rec *receiver, most int) delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.receiver != rec {
		return delivery{gone: c.gone, replaced: !c.gone, end: c.end}
	}
	n, bytes := 0, 0
	for n < len(c.queue) && (n == 0 || bytes+len(c.queue[n]) <= most) {
		bytes += len(c.queue[n])
		n++
	}
	d := delivery{frames: c.queue[:n:n], alive: c.alive}
	c.queue, c.alive = c.queue[n:], false
	if len(c.queue) == 0 {
		c.queue = nil // What was taken is not kept.
		d.end = c.end
	}
	return d
}

// peek tells what take would, without the frames.
func (c *conversation) peek(rec *receiver) delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	return delivery{gone: c.gone, replaced: !c.gone && c.receiver != rec, end: c.end}
}

// written makes room for what frames took, be they written or lost.
func (c *conversation) written(frames [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, frame := range frames {
		c.count(-1, -len(frame))
	}
}

// told says that the client knows of the end. Who comes under the same name after that begins anew.
func (c *conversation) told() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	signal(c.changed)
}

// lastSeen returns when the client showed a sign of life.
func (c *conversation) lastSeen() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}
