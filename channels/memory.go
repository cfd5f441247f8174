package channels

import (
	"context"
	"sync"
)

// MemoryBus is a [Bus] for a single edge: it delivers inside the call to Publish, so that whoever publishes
// pays for the fan-out and no queue can grow.
type MemoryBus struct {
	mu      sync.RWMutex
	deliver func(Message)      // guarded by mu; nil while Run is not running
	topics  map[Topic]struct{} // guarded by mu; what the edge is interested in
}

var _ Bus = (*MemoryBus)(nil)

// NewMemoryBus returns a bus that carries messages once it runs.
func NewMemoryBus() *MemoryBus { return &MemoryBus{topics: make(map[Topic]struct{})} }

// Run lets messages through until ctx ends.
func (b *MemoryBus) Run(ctx context.Context, deliver func(Message)) error {
	b.setDeliver(deliver)
	defer b.setDeliver(nil)
	<-ctx.Done()
	return nil
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
	for i := range messages {
		deliver, wanted := b.route(messages[i].Topic)
		if deliver == nil {
			return ErrUnavailable
		}
		if wanted {
			deliver(messages[i])
		}
	}
	return nil
}

func (b *MemoryBus) route(topic Topic) (deliver func(Message), wanted bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, wanted = b.topics[topic]
	return b.deliver, wanted
}

// Subscribe notes the interest in a topic.
func (b *MemoryBus) Subscribe(_ context.Context, topic Topic) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.topics[topic] = struct{}{}
	return nil
}

// Unsubscribe forgets the interest in a topic.
func (b *MemoryBus) Unsubscribe(_ context.Context, topic Topic) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.topics, topic)
	return nil
}
