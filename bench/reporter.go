package bench

import (
	"fmt"
	"io"
	"time"
)

// reporter says while a run goes on what it is doing.
type reporter struct {
	w        io.Writer
	terminal bool
	last     time.Time
	round    string
}

const (
	everyOnTerminal = 200 * time.Millisecond
	everyInLog      = 3 * time.Second
)

// progress writes a line when the last one is old enough.
func (p *reporter) progress(what string, r *round) {
	if p.w == nil {
		return
	}
	every := everyInLog
	if p.terminal {
		every = everyOnTerminal
	}
	now := time.Now()
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	c := &r.tally.counts
	line := fmt.Sprintf("%s: %s: %d of %d sockets, %d published, %d delivered", p.round, what, r.audience.done(),
		len(r.audience.sockets), c.published, c.delivered)
	if bad := c.duplicates + c.outOfOrder + c.misplaced + c.refused + c.dropped; bad > 0 {
		line += fmt.Sprintf(", %d twice, %d out of order, %d misplaced, %d refused, %d sockets dropped",
			c.duplicates, c.outOfOrder, c.misplaced, c.refused, c.dropped)
	}
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
	} else {
		fmt.Fprintln(p.w, line)
	}
}

// begin names the round that begins.
func (p *reporter) begin(round, rounds int, target string) {
	p.round = fmt.Sprintf("round %d of %d, %s", round, rounds, target)
	p.last = time.Now()
}

// end clears the line of a terminal.
func (p *reporter) end() {
	if p.w != nil && p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
