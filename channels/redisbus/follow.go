package redisbus

import (
	"sync"

	"github.com/pealhq/peal/channels"
)

// follow is how far an edge has come in the log of a topic that it hears.
//
// As long as each message is the next one, the reader of the topic's connection delivers it. When one is missing, or when the
// topic is heard again after its connection was lost, the follow is behind: the reader holds back what comes, and a worker
// reads the log, delivers what was missed, then what was held back, and hands over to the reader again. All is delivered under
// mu, a message at a time, so that neither comes between the other's and the reader, which has other topics, need not wait.
type follow struct {
	bus   *Bus
	topic channels.Topic

	mu     sync.Mutex
	log    channels.Log // guarded by mu; the rule, as far as it is known
	at     mark         // guarded by mu; all up to here was delivered
	before mark         // guarded by mu; the same of the epoch before, of which a message may still be on its way
	seen   uint64       // guarded by mu; the highest offset of the epoch that was heard of
	on     *link        // guarded by mu; the connection on which the topic is heard
	behind bool         // guarded by mu; the reader holds back what comes
	queued bool         // guarded by mu; a worker has it, or will
	again  bool         // guarded by mu; what the worker has read may be from before the topic was heard on this connection
	ended  bool         // guarded by mu; nobody wants to hear the topic any more
	told   bool         // guarded by mu; of a loss, and nothing was delivered since
	held   []letter     // guarded by mu
	bytes  int          // guarded by mu; of the frames in held
	missed bool         // guarded by mu; not all could be held
}

// mark is a place in a log. The zero mark is none.
type mark struct {
	epoch         string
	offset, stamp uint64
}

func (l *letter) mark() mark { return mark{l.Position.Epoch, l.Position.Offset, l.stamp} }

// What may be held back of one topic. What follows is read from the log again.
const (
	maxHeld      = 4096
	maxHeldBytes = 8 << 20
	// maxHeldByAll bounds the bytes of all topics together.
	maxHeldByAll = 64 << 20
)

// take delivers what has come, or holds it back.
func (f *follow) take(l *letter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.Position.Epoch == f.at.epoch {
		f.seen = max(f.seen, l.Position.Offset)
	}
	if f.behind || !f.pass(l) {
		f.hold(l)
		f.fallBehind()
	}
}

// pass delivers a message that is the next, and drops one that was delivered. It returns false if something is missing before
// it, or if it is another one than was delivered from its place: that is younger than whatever was. The caller holds mu.
func (f *follow) pass(l *letter) bool {
	place := l.mark()
	switch {
	case place.epoch == "":
		f.deliver(l) // It is in no log.
	case f.at.epoch == "":
		f.at, f.seen = place, place.offset // The rule has just appeared.
		f.deliver(l)
	case place.epoch == f.at.epoch && place.offset <= f.at.offset && (place.stamp <= f.at.stamp || f.at.stamp == 0):
		f.bus.metrics.repeated.Inc()
	case place.epoch == f.at.epoch && place.offset == f.at.offset+1:
		f.at = place
		f.deliver(l)
	case place.epoch != f.before.epoch:
		return false
	case place.offset <= f.before.offset:
		f.bus.metrics.repeated.Inc()
	default:
		f.before = place
		f.deliver(l)
	}
	return true
}

// deliver hands a message on. The caller holds mu.
func (f *follow) deliver(l *letter) {
	if !f.ended && !l.unreadable {
		f.told = false
		f.bus.deliver(l.Message)
	}
}

// hold keeps a message for later. The caller holds mu.
func (f *follow) hold(l *letter) {
	if f.ended {
		return
	}
	if f.missed || len(f.held) >= maxHeld || f.bytes+len(l.Frame) > maxHeldBytes || !f.bus.laggards.room(len(l.Frame)) {
		f.missed = true
		if l.Position.Epoch == "" {
			f.lose(f.at) // No log has it.
		}
		return
	}
	f.held = append(f.held, *l)
	f.bytes += len(l.Frame)
}

// fallBehind has a worker catch up. The caller holds mu.
func (f *follow) fallBehind() {
	f.behind = true
	f.queue()
}

// queue has a worker look whether the follow is behind. The caller holds mu.
func (f *follow) queue() {
	if !f.queued && !f.ended {
		f.queued = true
		f.bus.laggards.add(f)
	}
}

// heardOn notes that Redis has confirmed the topic on a connection. What was published since it was last heard on another is
// in the log only, and so is what was published between the first look at the log and the first time that it is heard.
func (f *follow) heardOn(l *link) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on == l {
		return
	}
	f.again = f.queued
	f.behind = f.behind || f.on != nil
	f.on = l
	f.queue()
}

// end has nothing delivered any more.
func (f *follow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.letGo()
}

// letGo forgets all that was held back. The caller holds mu.
func (f *follow) letGo() {
	f.bus.laggards.free(f.bytes)
	f.held, f.bytes = nil, 0
}

// lose has the follow go on from a mark before which something may be missing, and tells the sockets so, unless they were told
// after the last message that they got. The caller holds mu.
func (f *follow) lose(now mark) (told bool) {
	if now.epoch != f.at.epoch {
		f.before, f.seen = f.at, 0
	}
	f.at = now
	if f.told || f.ended {
		return false
	}
	f.told = true
	f.bus.metrics.lost.Inc()
	if lost := f.bus.cfg.Notices.Lost; lost != nil {
		f.bus.deliver(channels.Message{Topic: f.topic, Frame: lost(f.topic.Channel)})
	}
	return true
}

// compare finds out whether the follow has come as far as its log. If it has, the reader goes on with it.
func (f *follow) compare(log *position) (current bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.log.Kept() {
		f.log = log.rule
	}
	switch {
	case f.ended:
		return true
	case log.epoch != f.at.epoch, log.offset != f.at.offset, f.at.stamp != 0 && log.stamp != f.at.stamp:
		f.behind = true
		return false
	}
	return f.settle(false)
}

// wanted is what the follow is to read.
type wanted struct {
	mark
	// seen is the highest offset that was heard of, first the first message that was held back.
	seen  uint64
	first mark
}

func (f *follow) wants() wanted {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := wanted{mark: f.at, seen: max(f.seen, f.at.offset)}
	if len(f.held) > 0 {
		w.first = f.held[0].mark()
	}
	return w
}

// merge delivers what was read from the log, and then what was held back. current is false if there is more to read.
func (f *follow) merge(w wanted, p *page) (current, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	moved := p.epoch != w.epoch
	switch {
	case p.epoch == "" && moved:
		lost = f.lose(mark{})
	case w.epoch == "" && moved:
		f.at = mark{epoch: p.epoch, offset: p.first - 1} // It has just begun.
	case moved:
		lost = f.lose(mark{epoch: p.epoch, offset: p.first - 1})
	case p.first > w.offset+1:
		moved = true
		lost = f.passOlder(p)
		if p.first > f.at.offset+1 {
			lost = f.lose(mark{epoch: p.epoch, offset: p.first - 1}) || lost
		}
	}
	for i := range p.letters {
		f.pass(&p.letters[i])
		f.breathe()
	}
	f.bus.metrics.caughtUp.Add(float64(len(p.letters)))
	if f.at.epoch == p.epoch && f.at.offset < p.top {
		return false, lost
	}
	// What a message waits for that was there before the log was read, and that the log did not bring, will never come.
	hopeless := !moved && len(p.letters) == 0 && len(f.held) > 0 && f.held[0].mark() == w.first
	return f.settle(hopeless), lost
}

// passOlder delivers what was held back and is older than what the log still has. The caller holds mu.
func (f *follow) passOlder(p *page) (lost bool) {
	n := 0
	for i := range f.held {
		if at := f.held[i].Position; at.Epoch == p.epoch && at.Offset < p.first {
			n = i + 1
		}
	}
	for ; n > 0 && len(f.held) > 0 && !f.ended; n-- {
		l := &f.held[0]
		if !f.pass(l) {
			if l.Position.Epoch != p.epoch || l.Position.Offset <= f.at.offset {
				return lost // It has another's place, which read.lua finds out.
			}
			lost = f.skipTo(l) || lost
		}
		f.dropHeld()
		f.breathe()
	}
	return lost
}

// dropHeld forgets the first of what was held back. The caller holds mu.
func (f *follow) dropHeld() {
	n := len(f.held[0].Frame)
	f.bus.laggards.free(n)
	f.bytes -= n
	f.held[0] = letter{}
	f.held = f.held[1:]
}

// settle delivers what was held back, as far as nothing is missing, and lets the reader go on if that was all. With force
// it goes on even where something is missing. The caller holds mu.
func (f *follow) settle(force bool) (current bool) {
	for len(f.held) > 0 && !f.ended {
		if l := &f.held[0]; !f.pass(l) {
			if !force {
				return false
			}
			f.skipTo(l)
		}
		f.dropHeld()
		f.breathe()
	}
	f.letGo()
	if (f.missed || f.again) && !f.ended {
		f.missed, f.again = false, false
		return false
	}
	f.behind, f.queued, f.told = false, false, false
	return true
}

// skipTo delivers a message although something is missing before it. The caller holds mu.
func (f *follow) skipTo(l *letter) (told bool) {
	place := l.mark()
	if place.epoch == f.at.epoch {
		told = f.lose(place)
	} else {
		told = f.lose(f.at)
		f.before = place
	}
	f.deliver(l)
	return told
}

// breathe gives way to the reader of the connection, which may wait to hold back the next message. The caller holds mu.
func (f *follow) breathe() {
	f.mu.Unlock()
	f.mu.Lock()
}
