package redisbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// link is one pub/sub connection, from when it is wanted until it is lost; its topics then move to its successor. One
// goroutine reads it and delivers, so that a topic, which is on one link, keeps its order.
type link struct {
	bus   *Bus
	key   placeKey
	tag   string // in whose slot the probes go
	probe string // the pub/sub channel of the probes

	heard  atomic.Int64 // when anything came, in nanoseconds since the bus was made
	killed chan error   // of capacity 1

	failures int // connections in a row that came to nothing, this one included until it is confirmed

	mu        sync.Mutex
	ended     bool                 // guarded by mu
	confirmed bool                 // guarded by mu; Redis has answered on it
	topics    map[string]*interest // guarded by mu; what is delivered, by the name of the pub/sub channel
	waiting   []*op                // guarded by mu; to be sent
	sent      []*op                // guarded by mu; sent and not confirmed, in the order in which Redis will
	wake      chan struct{}        // of capacity 1; something waits
}

// op is a wish to hear something or not to hear it any more.
type op struct {
	name, tag string
	in        *interest // nil for the probe's
	on        bool
	done      chan struct{} // closed when Redis has confirmed it; may be nil
}

func (o *op) confirm() {
	if o.done != nil {
		close(o.done)
	}
}

// maxNames bounds how many topics one command names, so that Redis serves others in between.
const maxNames = 500

var (
	errDeaf      = errors.New("nothing came back for too long")
	errUnasked   = errors.New("redis confirmed what was not asked for")
	errNoMessage = errors.New("redis sent what is no message")
)

func newLink(b *Bus, key placeKey, tag string, failures int) *link {
	l := &link{
		bus: b, key: key, tag: tag, probe: fmt.Sprintf("%sp:%s:%d", tag, b.edge, key.reader), failures: failures + 1,
		killed: make(chan error, 1), topics: make(map[string]*interest), wake: make(chan struct{}, 1),
	}
	l.heard.Store(int64(time.Since(b.started)))
	l.waiting = []*op{{name: l.probe, tag: tag, on: true}}
	l.wake <- struct{}{}
	return l
}

// add has the link listen to a topic, unless it has ended.
func (l *link) add(in *interest, o *op) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return false
	}
	o.in = in
	l.topics[in.name] = in
	in.link.Store(l)
	l.ask(o)
	return true
}

// remove has it not listen any more. The channel is closed when Redis knows; nil when nobody needs to wait for that.
func (l *link) remove(in *interest) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.topics[in.name] != in {
		return nil
	}
	// What comes before Redis confirms it was published before that, and is still delivered.
	done := make(chan struct{})
	l.ask(&op{name: in.name, tag: in.tag, in: in, done: done})
	if !l.confirmed {
		return nil
	}
	return done
}

// ask has an op sent. The caller holds mu.
func (l *link) ask(o *op) {
	l.waiting = append(l.waiting, o)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// next takes the ops that one command can carry.
func (l *link) next() (names []string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.waiting) && n < maxNames && l.waiting[n].on == l.waiting[0].on && (!l.bus.isCluster() || l.waiting[n].tag == l.waiting[0].tag) {
		names = append(names, l.waiting[n].name)
		n++
	}
	if n == 0 {
		return nil, false
	}
	on = l.waiting[0].on
	l.sent = append(l.sent, l.waiting[:n]...)
	l.waiting = append(l.waiting[:0:0], l.waiting[n:]...)
	return names, on
}

// kill ends the link for a reason.
func (l *link) kill(why error) {
	select {
	case l.killed <- why:
	default:
	}
}

// run carries messages until the connection is lost, and then finds its topics a new one.
func (l *link) run(ctx context.Context) {
	err := l.pause(ctx)
	if err == nil {
		err = l.listen(ctx)
	}
	left, pending := l.end()
	if ctx.Err() != nil {
		return
	}
	facts := []any{
		slog.String("server", l.key.server), slog.Int("reader", l.key.reader), slog.Int("topics", len(left)), slog.Any("error", err),
	}
	if l.failures == 0 {
		l.bus.metrics.reconnects.Inc()
		l.bus.cfg.Logger.WarnContext(ctx, "a pub/sub connection was lost", facts...)
	} else {
		l.bus.cfg.Logger.DebugContext(ctx, "a pub/sub connection was not made", facts...)
	}
	l.bus.replace(ctx, l, left, pending)
}

// pause waits the longer, the more connections before this one came to nothing.
func (l *link) pause(ctx context.Context) error {
	if l.failures <= 1 {
		return nil
	}
	const first, most = 50 * time.Millisecond, time.Second
	select {
	case <-time.After(min(most, first<<min(l.failures, 8))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case err := <-l.killed:
		return err
	}
}

func (l *link) listen(ctx context.Context) error {
	client, err := l.bus.ownClient(ctx, l.tag)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	connection := client.SSubscribe(ctx)
	ctx, cancel := context.WithCancelCause(ctx)
	var others sync.WaitGroup
	others.Go(func() { cancel(l.write(ctx, connection)) })
	others.Go(func() {
		select {
		case <-ctx.Done():
		case why := <-l.killed:
			cancel(why)
		}
		_ = connection.Close() // Only so does the reader notice.
	})
	cancel(l.read(ctx, connection))
	others.Wait()
	return context.Cause(ctx)
}

// write sends what waits, many topics in one command.
func (l *link) write(ctx context.Context, connection *redis.PubSub) error {
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
		for {
			names, on := l.next()
			if names == nil {
				break
			}
			do := connection.SUnsubscribe
			if on {
				do = connection.SSubscribe
			}
			if err := do(ctx, names...); err != nil {
				return err
			}
		}
	}
}

func (l *link) read(ctx context.Context, connection *redis.PubSub) error {
	for {
		got, err := connection.Receive(ctx)
		if err != nil {
			return err
		}
		l.heard.Store(int64(time.Since(l.bus.started)))
		switch got := got.(type) {
		case *redis.Message:
			l.take(got.Channel, got.Payload)
		case *redis.Subscription:
			if !l.confirm(got.Channel, got.Kind == "ssubscribe") {
				return errUnasked // as when a slot has moved to another server
			}
		default:
			return errNoMessage
		}
	}
}

// take delivers a message, or counts that it cannot be read.
func (l *link) take(name, envelope string) {
	if name == l.probe {
		l.bus.proven(l, envelope)
		return
	}
	l.mu.Lock()
	in := l.topics[name]
	l.mu.Unlock()
	if in == nil {
		return
	}
	m := &l.bus.metrics
	m.received.Inc()
	letter, err := open(envelope)
	switch {
	case errors.Is(err, errVersion):
		m.unreadable.WithLabelValues("version").Inc()
		return
	case err != nil:
		m.unreadable.WithLabelValues("form").Inc()
		return
	case letter.skipped > 0:
		m.unreadable.WithLabelValues("part").Add(float64(letter.skipped))
	}
	m.delivery.Observe(max(0, time.Since(letter.sent).Seconds()))
	letter.Topic = in.topic
	if letter.Position.Epoch == "" && in.follow.Load() == nil {
		l.bus.deliver(letter.Message)
		return
	}
	in.following(l.bus, l).take(&letter)
}

// confirm notes that Redis has done what was asked of it longest ago, if that is what it confirms.
func (l *link) confirm(name string, on bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.sent) == 0 || l.sent[0].name != name || l.sent[0].on != on {
		return false
	}
	l.confirmed, l.failures = true, 0
	if o := l.sent[0]; !o.on && l.topics[o.name] == o.in {
		delete(l.topics, o.name)
	} else if o.on && o.in != nil {
		if f := o.in.follow.Load(); f != nil {
			f.heardOn(l)
		}
	}
	l.sent[0].confirm()
	l.sent[0] = nil
	l.sent = l.sent[1:]
	return true
}

// end takes all from the link: the topics that are still wanted, and the wishes for them that Redis has not confirmed.
// That a topic is not heard any more is true by now.
func (l *link) end() (left []*interest, pending map[*interest][]*op) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	pending = make(map[*interest][]*op)
	for _, o := range append(l.sent, l.waiting...) {
		switch {
		case o.in == nil:
		case !o.on:
			o.confirm()
		case l.topics[o.name] == o.in:
			pending[o.in] = append(pending[o.in], o)
		}
	}
	for _, in := range l.topics {
		in.link.Store(nil)
		if !in.gone.Load() {
			left = append(left, in)
		}
	}
	l.sent, l.waiting, l.topics = nil, nil, nil
	return left, pending
}

// deaf tells whether nothing has come for too long.
func (l *link) deaf() bool {
	return time.Since(l.bus.started)-time.Duration(l.heard.Load()) > deafAfter
}
