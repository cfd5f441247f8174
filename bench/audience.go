package bench

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
)

// audience is all the sockets of a round.
type audience struct {
	loop   loop.Loop
	tally  *tally
	signer *wire.Signer
	addr   netip.AddrPort
	host   string
	key    string
	run    uint16
	names  []string // of the channels, all of one length
	finder wire.Finder
	room   []byte

	sockets []*subscriber
	// Sockets are opened a few at a time.
	concurrency int
	started     int
	standing    int // the server has greeted them
	listening   int // and confirmed their subscriptions
	// atOnce subscribes a socket as soon as it stands.
	atOnce bool
	// failed is the first thing that went wrong while sockets were being opened.
	failed error
	// closing keeps the end of a socket from counting: we are hanging up.
	closing bool

	// timed records how long each socket takes to open.
	timed bool
	// knowing is how many members of a presence channel know of as many as there are.
	knowing int
	// completed is called when a message has reached everybody.
	completed func(now time.Duration)
}

// audienceConfig says who is to listen.
type audienceConfig struct {
	sockets, perChannel, streams int
	atOnce, presence             bool
}

// invite makes the sockets; advance opens them.
func (a *audience) invite(cfg audienceConfig) {
	a.atOnce = cfg.atOnce
	a.sockets = make([]*subscriber, cfg.sockets)
	for i := range a.sockets {
		s := &subscriber{audience: a, channel: uint16(i / cfg.perChannel % len(a.names))} //nolint:gosec // channels are bounded
		if cfg.streams > 0 {
			s.streams = make([]order, cfg.streams)
		}
		if cfg.presence {
			s.member = fmt.Sprintf(`{"user_id":"u%d","user_info":{"name":"Member %d"}}`, i, i)
		}
		a.sockets[i] = s
	}
}

// advance starts as many sockets as may be under way.
func (a *audience) advance() {
	for a.failed == nil && a.started < len(a.sockets) && a.started-a.done() < a.concurrency {
		s := a.sockets[a.started]
		s.began = a.loop.Now()
		if err := a.loop.Dial(a.addr, a.localAddr(a.started), s); err != nil {
			a.failed = err
			return
		}
		a.started++
	}
}

// done is how many sockets are through with opening.
func (a *audience) done() int {
	if a.atOnce {
		return a.listening
	}
	return a.standing
}

func (a *audience) complete() bool { return a.done() == len(a.sockets) }

// perLocalAddr is how many connections to one server may come from one address before its ports run short.
const perLocalAddr = 25_000

// localAddr gives each so many sockets an address of their own on the loopback.
func (a *audience) localAddr(i int) netip.Addr {
	if len(a.sockets) <= perLocalAddr || !a.addr.Addr().Is4() || !a.addr.Addr().IsLoopback() {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i/perLocalAddr)}) //nolint:gosec // sockets are bounded
}

func (a *audience) opened(s *subscriber) {
	a.standing++
	if a.atOnce {
		s.subscribe()
		return
	}
	a.through(s)
}

func (a *audience) subscribed(s *subscriber) {
	a.listening++
	if a.atOnce {
		a.through(s)
	}
}

// through notes that a socket has opened, which leaves room for another.
func (a *audience) through(s *subscriber) {
	if a.timed {
		record(a.tally.latency, a.loop.Now()-s.began)
	}
	a.advance()
}

// refuse notes what the server refuses; it matters while sockets are being opened.
func (a *audience) refuse(err error) {
	if a.failed == nil {
		a.failed = err
	}
}

func (a *audience) left(s *subscriber, err error) {
	if a.closing {
		return
	}
	a.tally.dropped++
	a.refuse(fmt.Errorf("socket %q: %w", s.socketID, err))
}

func (a *audience) noticed(s *subscriber) {
	a.tally.notices++
	a.met(s, 1)
}

// met notes that a member has come to know of others, by the list it was given or by a notice.
func (a *audience) met(s *subscriber, others int) {
	before := s.present
	s.present += others
	if before < len(a.sockets) && s.present >= len(a.sockets) {
		a.knowing++
	}
}

// hear counts a message.
func (a *audience) hear(s *subscriber, m wire.Stamp, now time.Duration) {
	switch {
	case m.Run != a.run:
		a.tally.strays++
		return
	case m.Channel != s.channel || int(m.Stream) >= len(s.streams):
		a.tally.misplaced++
		return
	}
	switch s.streams[m.Stream].see(m.Seq) {
	case again:
		a.tally.duplicates++
		return
	case late:
		a.tally.outOfOrder++
	case inOrder:
	}
	if a.tally.deliver(m.Message, now-time.Duration(m.Due)) {
		a.completed(now)
	}
}

// hangUp ends every socket.
func (a *audience) hangUp() {
	a.closing = true
	for _, s := range a.sockets {
		s.hangUp()
	}
}
