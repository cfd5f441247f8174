//go:build linux

package wire

import "time"

// The backlog is what the kernel did not take because the peer does not read. It is written by a goroutine
// that exists for no longer than there is one.

// addBacklog puts bytes behind a backlog, where there is one, and tells whether the worker has nothing left
// to do with them.
func (c *Conn) addBacklog(p []byte) bool {
	c.mu.Lock()
	if c.broken {
		c.mu.Unlock()
		return true
	}
	if !c.draining {
		c.mu.Unlock()
		return false
	}
	c.backlog = append(c.backlog, p...)
	c.account(len(p))
	over := len(c.backlog) > c.writers.cfg.MaxBacklog && !c.overflowed
	c.overflowed = c.overflowed || over
	c.mu.Unlock()
	if over {
		c.owner.Overflowed()
	}
	return true
}

func (c *Conn) account(n int) {
	c.queued.Add(int64(n))
	c.writers.backlog.Add(int64(n))
}

// startBacklog begins a backlog with bytes that the kernel did not take.
func (c *Conn) startBacklog(p []byte) {
	c.writers.cfg.Stalled()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backlog = append(make([]byte, 0, max(len(p), 4<<10)), p...)
	c.account(len(p))
	c.draining = true
	c.writers.drain(c)
}

// drain writes the backlog until it is empty. A peer that reads nothing for the write timeout is given up.
func (c *Conn) drain() {
	var chunk []byte
	for {
		c.mu.Lock()
		chunk, c.backlog = c.backlog, chunk[:0]
		if len(chunk) == 0 {
			c.caughtUp()
			return
		}
		c.mu.Unlock()
		if !c.writeChunk(chunk) {
			c.breakOff()
			return
		}
	}
}

// caughtUp ends the drain of an empty backlog. It is called with mu held and releases it.
func (c *Conn) caughtUp() {
	c.draining, c.backlog = false, nil
	closing := c.closing
	// The time that was given to a piece of the backlog must not end what the worker writes later.
	err := c.Conn.SetWriteDeadline(noDeadline)
	c.mu.Unlock()
	c.writers.drained(c)
	switch {
	case closing:
		c.hangUp()
	case err != nil:
		c.breakOff()
	}
}

// writeChunk writes in pieces, so that a peer that reads slowly, but reads, gets new time for each.
func (c *Conn) writeChunk(chunk []byte) bool {
	const piece = 64 << 10
	for len(chunk) > 0 {
		if err := c.allowTime(); err != nil {
			c.account(-len(chunk))
			return false
		}
		n, err := c.Conn.Write(chunk[:min(piece, len(chunk))])
		c.account(-n)
		chunk = chunk[n:]
		if err != nil {
			c.account(-len(chunk))
			return false
		}
	}
	return true
}

// allowTime gives the next piece its time. A connection that is to close has one time for all that is left.
func (c *Conn) allowTime() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := time.Now().Add(c.writers.cfg.WriteTimeout)
	if c.closing && c.closeBy.Before(until) {
		until = c.closeBy
	}
	return c.Conn.SetWriteDeadline(until)
}

// closeWhenDrained closes the connection once all that was queued is written.
func (c *Conn) closeWhenDrained() {
	c.mu.Lock()
	c.closing = true
	c.closeBy = time.Now().Add(c.writers.cfg.CloseTimeout)
	wait := c.draining
	if wait {
		_ = c.Conn.SetWriteDeadline(c.closeBy) // An error means that it is closed already.
	}
	c.mu.Unlock()
	if !wait {
		c.hangUp()
	}
}

func (c *Conn) hangUp() { _ = c.Conn.Close() }

// breakOff ends a connection that cannot be written to.
func (c *Conn) breakOff() {
	c.ended.Store(true)
	c.mu.Lock()
	first := !c.broken
	c.broken, c.draining = true, false
	c.account(-len(c.backlog))
	c.backlog = nil
	c.mu.Unlock()
	c.writers.drained(c)
	_ = c.Conn.Close()
	if first {
		c.owner.Broken()
	}
}
