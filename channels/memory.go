package channels

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// MemoryConfig is what a [MemoryBus] needs. A zero number means the default named beside it.
type MemoryConfig struct {
	Notices Notices
	// KeptBytes bounds what is kept for newcomers of one app's channels (32 MiB); beyond it the oldest is forgotten.
	KeptBytes int
	// OnceBytes bounds what the keys of one app's parcels take (64 MiB); beyond it parcels with a new key are refused.
	OnceBytes int
}

// MemoryBus is a [Bus] and a [Presence] for a single edge: it delivers inside the call that publishes, so that whoever
// publishes pays for the fan-out and no queue can grow. For the same reason its edge misses nothing, so that it gives messages
// their places in a log but keeps none: nobody would read it.
type MemoryBus struct {
	notices Notices
	seed    maphash.Seed
	shards  [shardCount]memoryShard
	kept    keptMessages
	once    publishedOnce

	mu      sync.RWMutex
	deliver func(Message)      // guarded by mu; nil while Run is not running
	topics  map[Topic]struct{} // guarded by mu; what the edge is interested in
}

var (
	_ Bus      = (*MemoryBus)(nil)
	_ Presence = (*MemoryBus)(nil)
)

// NewMemoryBus returns a bus that carries messages once it runs.
func NewMemoryBus(cfg MemoryConfig) *MemoryBus {
	if cfg.KeptBytes == 0 {
		cfg.KeptBytes = 32 << 20
	}
	if cfg.OnceBytes == 0 {
		cfg.OnceBytes = 64 << 20
	}
	b := &MemoryBus{
		notices: cfg.Notices,
		seed:    maphash.MakeSeed(),
		kept:    keptMessages{most: cfg.KeptBytes, apps: make(map[string]*keptApp)},
		once:    publishedOnce{most: cfg.OnceBytes, apps: make(map[string]*onceApp)},
		topics:  make(map[Topic]struct{}),
	}
	for i := range b.shards {
		b.shards[i].topics = make(map[Topic]*memoryTopic)
	}
	return b
}

// Run lets messages through until ctx ends.
func (b *MemoryBus) Run(ctx context.Context, deliver func(Message)) error {
	b.setDeliver(deliver)
	defer b.stopVacating()
	defer b.setDeliver(nil)
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.kept.expire()
			b.once.expire()
		case <-ctx.Done():
			return nil
		}
	}
}

func (b *MemoryBus) setDeliver(deliver func(Message)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliver = deliver
}

// Publish delivers the messages and returns when the last is delivered.
func (b *MemoryBus) Publish(ctx context.Context, messages ...Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !b.publish(messages) {
		return ErrUnavailable
	}
	return nil
}

// publish delivers messages, and tells whether the bus runs.
func (b *MemoryBus) publish(messages []Message) (running bool) {
	for i := range messages {
		if messages[i].Keep > 0 || messages[i].Log.Kept() {
			if !b.publishInOrder(messages[i]) {
				return false
			}
			continue
		}
		deliver, wanted := b.route(messages[i].Topic)
		if deliver == nil {
			return false
		}
		if wanted {
			deliver(messages[i])
		}
	}
	return true
}

// publishInOrder keeps, counts and delivers in one step, so that a newcomer gets a message in one of two ways, and places in
// the log are in the order of delivery.
func (b *MemoryBus) publishInOrder(m Message) (running bool) {
	s := b.shard(m.Topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	deliver, wanted := b.route(m.Topic)
	if deliver == nil {
		return false
	}
	if m.Keep > 0 {
		b.kept.put(m)
	}
	if !wanted {
		return true
	}
	t := s.topic(m.Topic)
	if m.Keep > 0 {
		m.Offset = t.next()
	}
	if m.Log.Kept() {
		m.Position = t.nextPosition()
	}
	m.Log = Log{}
	deliver(m)
	return true
}

func (b *MemoryBus) route(topic Topic) (deliver func(Message), wanted bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, wanted = b.topics[topic]
	return b.deliver, wanted
}

// Subscribe notes the interest in a topic.
func (b *MemoryBus) Subscribe(_ context.Context, topic Topic, _ Log) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.topics[topic] = struct{}{}
	return nil
}

// Unsubscribe forgets the interest in a topic.
func (b *MemoryBus) Unsubscribe(_ context.Context, topic Topic) error {
	b.mu.Lock()
	delete(b.topics, topic)
	b.mu.Unlock()
	s := b.shard(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.topics[topic]; t != nil {
		t.position = Position{} // What is published from now on is not counted, so the epoch has ended.
	}
	b.tidy(s, topic)
	return nil
}
