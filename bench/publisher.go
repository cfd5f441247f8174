package bench

import (
	"fmt"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
)

// publisher is one HTTP connection that publishes: one request after the other, so that what it publishes has an order.
type publisher struct {
	press    *press
	conn     loop.Conn
	pending  []byte // of an answer that is not whole
	request  []byte
	channels []uint16 // those it publishes to, in turn
	turn     int
	stream   uint16
	seqs     []uint32 // by turn
	busy     bool
	messages []uint32 // that the request under way carries
	sent     time.Duration
	due      time.Duration
}

func (p *publisher) Opened(c loop.Conn) {
	p.conn = c
	p.press.opened(p)
}

func (p *publisher) Closed(err error) {
	p.conn = nil
	p.press.broke(p, err)
}

func (p *publisher) Data(_ loop.Conn, b []byte) {
	if len(p.pending) > 0 {
		p.pending = append(p.pending, b...)
		b = p.pending
	}
	r, n, err := wire.ReadResponse(b)
	switch {
	case err != nil:
		p.hangUp()
		p.Closed(err)
		return
	case n == 0:
		p.pending = append(p.pending[:0], b...)
		return
	}
	p.pending = p.pending[:0]
	if !p.busy {
		p.hangUp()
		p.Closed(fmt.Errorf("the server answers what was not asked: %d %.200q", r.Status, r.Body))
		return
	}
	p.press.answered(p, r)
	if r.Close && p.conn != nil {
		p.hangUp()
		p.press.broke(p, fmt.Errorf("the server ends the connection after an answer with status %d", r.Status))
	}
}

func (p *publisher) hangUp() {
	if p.conn != nil {
		p.conn.Close()
	}
	p.conn = nil
}

// publish sends the next message or, with a batch, messages.
func (p *publisher) publish(due, now time.Duration) {
	g := p.press
	p.busy, p.sent, p.due = true, now, due
	p.messages, g.events, g.data = p.messages[:0], g.events[:0], g.data[:0]
	for range g.batch {
		channel := p.channels[p.turn]
		stamp := wire.Stamp{
			Run: g.run, Channel: channel, Stream: p.stream, Seq: p.seqs[p.turn], Message: g.next, Due: int64(due),
		}
		p.seqs[p.turn]++
		p.turn = (p.turn + 1) % len(p.channels)
		g.tally.launch(g.next, g.listeners(), now)
		p.messages = append(p.messages, g.next)
		g.next++
		from := len(g.data)
		g.data = stamp.AppendData(g.data, g.size)
		// The room is made in advance, so the slices stay where they are.
		g.events = append(g.events, wire.Event{Channel: g.names[channel], Data: g.data[from:]})
	}
	seconds := time.Now().Unix()
	if g.batch > 1 {
		p.request = g.signer.AppendBatch(p.request[:0], g.events, seconds)
	} else {
		p.request = g.signer.AppendPublish(p.request[:0], g.events[0], seconds)
	}
	p.conn.Write(p.request)
}
