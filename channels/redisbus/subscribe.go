package redisbus

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/pealhq/peal/channels"
)

// interest is a topic that this edge wants to hear.
type interest struct {
	topic channels.Topic
	name  string               // of its pub/sub channel
	tag   string               // of its app
	link  atomic.Pointer[link] // that listens to it; nil while it has none
	gone  atomic.Bool          // nobody wants to hear it any more

	follow atomic.Pointer[follow] // nil as long as nothing is known of a log
}

// following returns how far the interest is in the log of its topic, of which something has come on a connection.
func (in *interest) following(b *Bus, l *link) *follow {
	if f := in.follow.Load(); f != nil {
		return f
	}
	in.follow.CompareAndSwap(nil, &follow{bus: b, topic: in.topic, on: l})
	return in.follow.Load()
}

// placeKey says where a connection belongs: to which server, and which of the readers it is.
type placeKey struct {
	server string
	reader int
}

// place is where connections follow one another. The bus's mu guards it.
type place struct {
	link     *link
	failures int       // connections in a row that came to nothing
	proven   time.Time // when the last probe came back there
}

var errSlow = errors.New("redis did not confirm it in time")

// Subscribe implements [channels.Bus].
func (b *Bus) Subscribe(ctx context.Context, topic channels.Topic, log channels.Log) error {
	if !b.running.Load() {
		return unavailable("subscribe", errNotRunning)
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	in, fresh := b.want(topic)
	began := time.Now()
	confirmed := make(chan struct{})
	var err error
	if fresh && log.Kept() {
		err = b.beginToFollow(ctx, in, log)
	}
	if err == nil {
		err = b.place(ctx, in, &op{name: in.name, tag: in.tag, on: true, done: confirmed})
	}
	if err == nil {
		select {
		case <-confirmed:
		case <-ctx.Done():
			err = errSlow
		}
	}
	b.metrics.call("subscribe", began, err)
	if err != nil {
		if fresh {
			b.unwant(in)
			in.end()
			in.stopFollowing()
		}
		return unavailable("subscribe", err)
	}
	return nil
}

// beginToFollow notes where the log of a topic is before it is heard: what comes after that will be found, by whatever way.
func (b *Bus) beginToFollow(ctx context.Context, in *interest, log channels.Log) error {
	f := &follow{bus: b, topic: in.topic, log: log}
	logs, err := b.positions(ctx, []*follow{f})
	if err != nil {
		return err
	}
	f.at = logs[0].mark
	in.follow.CompareAndSwap(nil, f)
	return nil
}

func (in *interest) stopFollowing() {
	if f := in.follow.Load(); f != nil {
		f.end()
	}
}

// want notes that the edge wants to hear a topic, and tells whether it did not before.
func (b *Bus) want(topic channels.Topic) (in *interest, fresh bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if in = b.interests[topic]; in != nil {
		return in, false
	}
	in = &interest{topic: topic, name: b.names.wire(topic), tag: b.names.app(topic.App)}
	b.interests[topic] = in
	return in, true
}

func (b *Bus) unwant(in *interest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.interests[in.topic] == in {
		delete(b.interests, in.topic)
	}
}

// Unsubscribe implements [channels.Bus]. What was published before it is still delivered, so it waits for Redis; but not
// when Redis does not answer anyway.
func (b *Bus) Unsubscribe(ctx context.Context, topic channels.Topic) error {
	b.mu.Lock()
	in := b.interests[topic]
	delete(b.interests, topic)
	b.mu.Unlock()
	if in == nil {
		return nil
	}
	confirmed := in.end()
	defer in.stopFollowing()
	if confirmed == nil || !b.healthy.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	select {
	case <-confirmed:
		return nil
	case <-ctx.Done():
		return unavailable("unsubscribe", errSlow)
	}
}

// end takes the interest off its connection. The channel is closed when Redis knows; nil when there is nothing to wait for.
func (in *interest) end() <-chan struct{} {
	in.gone.Store(true)
	if l := in.link.Load(); l != nil {
		return l.remove(in)
	}
	return nil // Who is about to find it a connection sees that it is gone.
}

// place puts an interest on the connection where it belongs.
func (b *Bus) place(ctx context.Context, in *interest, o *op) error {
	for {
		l, err := b.linkFor(ctx, in)
		if err != nil {
			return err
		}
		if !l.add(in, o) {
			continue // It has just ended, and the next call finds its successor.
		}
		if in.gone.Load() {
			l.remove(in)
		}
		return nil
	}
}

func (b *Bus) linkFor(ctx context.Context, in *interest) (*link, error) {
	server, err := b.serverOf(ctx, in.tag)
	if err != nil {
		return nil, err
	}
	reader := int(maphash.String(b.seed, in.name) % uint64(b.cfg.Readers)) //nolint:gosec // Both are small.
	return b.link(placeKey{server, reader}, in.tag)
}

// link returns the connection of a place, made if need be. Its probes go through the slot of this tag.
func (b *Bus) link(key placeKey, tag string) (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spawn == nil {
		return nil, errNotRunning
	}
	p := b.places[key]
	if p == nil {
		p = &place{proven: time.Now()}
		b.places[key] = p
	}
	if p.link == nil {
		p.link = newLink(b, key, tag, p.failures)
		b.spawn(p.link)
	}
	return p.link, nil
}

// home opens the connection that an edge has even when it wants to hear nothing, so that it knows how it fares.
func (b *Bus) home(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	tag := b.names.none()
	// Where that fails the next probe tries again.
	if server, err := b.serverOf(ctx, tag); err == nil {
		_, _ = b.link(placeKey{server, 0}, tag)
	}
}

// replace finds new connections for what was on one that has ended.
func (b *Bus) replace(ctx context.Context, l *link, left []*interest, pending map[*interest][]*op) {
	b.mu.Lock()
	if p := b.places[l.key]; p != nil && p.link == l {
		p.link = nil
		p.failures = l.failures
	}
	b.mu.Unlock()
	b.reload(ctx)
	for _, in := range left {
		ops := pending[in]
		if len(ops) == 0 {
			ops = []*op{{name: in.name, tag: in.tag, on: true}}
		}
		for _, o := range ops {
			b.placeAtLast(ctx, in, o)
		}
	}
}

// placeAtLast is place that does not give up.
func (b *Bus) placeAtLast(ctx context.Context, in *interest, o *op) {
	const pause = 100 * time.Millisecond
	for ctx.Err() == nil && !in.gone.Load() {
		try, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
		err := b.place(try, in, o)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		b.reload(ctx)
	}
}
