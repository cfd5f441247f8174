package bench

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
)

// press publishes: so many messages under way at once (closed loop), or each when it is due (open loop).
type press struct {
	loop   loop.Loop
	tally  *tally
	signer *wire.Signer
	addr   netip.AddrPort
	run    uint16
	names  []string
	size   int
	batch  int
	window int
	rate   float64
	limit  int // messages in all
	// perChannel is how many sockets hear each channel.
	perChannel int

	publishers []*publisher
	standing   int
	idle       []*publisher
	next       uint32 // the number of the next message
	events     []wire.Event
	data       []byte

	running bool
	began   time.Duration
	due     uint64          // messages that have been due in this open loop
	waiting []time.Duration // when those that no publisher was free for were due
	// lag is how late a message left that found a publisher free: what the generator itself adds.
	lag    time.Duration
	failed error
	refuse string // the first refusal
}

// hire makes the publishers and opens their connections. Each has channels of its own while there are enough of them;
// else several share a channel, as streams.
func (p *press) hire(n int) error {
	p.data = make([]byte, 0, p.size*p.batch)
	for i := range n {
		pub := &publisher{press: p}
		if n > len(p.names) {
			pub.channels, pub.stream = []uint16{uint16(i % len(p.names))}, uint16(i/len(p.names)) //nolint:gosec // bounded
		}
		for c := i; c < len(p.names) && n <= len(p.names); c += n {
			pub.channels = append(pub.channels, uint16(c))
		}
		pub.seqs = make([]uint32, len(pub.channels))
		p.publishers = append(p.publishers, pub)
		if err := p.loop.Dial(p.addr, netip.Addr{}, pub); err != nil {
			return err
		}
	}
	return nil
}

// streams is how many publishers share a channel at most.
func streams(publishers, channels int) int { return (publishers + channels - 1) / channels }

func (p *press) complete() bool { return p.standing == len(p.publishers) }

func (p *press) listeners() int { return p.perChannel }

func (p *press) opened(pub *publisher) {
	p.standing++
	p.idle = append(p.idle, pub)
}

// start begins to publish.
func (p *press) start(now time.Duration) {
	p.running, p.began = true, now
	p.advance(now)
}

func (p *press) stop() {
	p.running = false
	p.waiting = nil
}

// advance sends what may or must be sent now.
func (p *press) advance(now time.Duration) {
	if !p.running {
		return
	}
	if p.rate > 0 {
		p.advanceOpen(now)
		return
	}
	for p.room() && len(p.idle) > 0 && !p.spent() {
		p.send(now, now)
	}
}

// room tells whether the window has some. Where nobody listens a message is under way until it is answered, so there the
// publishers are the window.
func (p *press) room() bool { return p.perChannel == 0 || p.tally.underway < p.window }

func (p *press) spent() bool { return int64(p.next) >= int64(p.limit) }

func (p *press) advanceOpen(now time.Duration) {
	for at := p.dueAt(); at <= now && p.due < uint64(p.limit); at = p.dueAt() { //nolint:gosec // the limit is positive
		if len(p.waiting) < len(p.idle) {
			p.lag = max(p.lag, now-at)
		}
		p.waiting = append(p.waiting, at)
		p.due++
	}
	for len(p.waiting) > 0 && len(p.idle) > 0 && !p.spent() {
		at := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.send(at, now)
	}
}

// dueAt is when the next message of an open loop is due.
func (p *press) dueAt() time.Duration {
	return p.began + time.Duration(float64(p.due)/p.rate*float64(time.Second))
}

// wake is when advance has something to do without anything happening before.
func (p *press) wake(now time.Duration) time.Duration {
	if p.running && p.rate > 0 {
		return p.dueAt()
	}
	return now + time.Second
}

func (p *press) send(due, now time.Duration) {
	// The one that has rested longest: a server closes a connection on which nothing comes.
	pub := p.idle[0]
	p.idle = p.idle[1:]
	pub.publish(due, now)
}

func (p *press) answered(pub *publisher, r wire.Response) {
	pub.busy = false
	now := p.loop.Now()
	if n := int64(len(pub.messages)); r.Status == 200 {
		p.tally.published += n
		p.tally.expected += n * int64(p.perChannel)
		if p.perChannel == 0 {
			record(p.tally.latency, now-pub.due)
		}
	} else {
		p.failure(pub, fmt.Sprintf("%d %.300q", r.Status, r.Body))
	}
	p.idle = append(p.idle, pub)
	p.advance(now)
}

func (p *press) failure(pub *publisher, text string) {
	p.tally.refused += int64(len(pub.messages))
	for _, m := range pub.messages {
		p.tally.abandon(m)
	}
	if p.refuse == "" {
		p.refuse = text
	}
}

// broke ends the round: without its publishers nothing can be measured.
func (p *press) broke(pub *publisher, err error) {
	if pub.busy {
		p.failure(pub, err.Error())
		pub.busy = false
	}
	if p.failed == nil {
		p.failed = fmt.Errorf("a connection that publishes broke: %w", err)
	}
}

// quiet tells whether no request is under way.
func (p *press) quiet() bool {
	for _, pub := range p.publishers {
		if pub.busy {
			return false
		}
	}
	return true
}

func (p *press) hangUp() {
	for _, pub := range p.publishers {
		pub.hangUp()
	}
}
