package channels

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestNothingIsLeft has people come and go on topics of every kind, some still within their grace when the bus ends: no
// topic and no timer stays.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	b := NewMemoryBus(MemoryConfig{Notices: Notices{
		Vacated: func(t Topic) (Message, bool) { _, ok := t.User(); return Message{Topic: t}, ok },
		Grace:   time.Hour,
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx, func(Message) {}) })
	for _, topic := range []Topic{{"1", "a"}, {"1", "presence-a"}, {"1", "cache-a"}, UserTopic("1", "ann")} {
		if err := b.Subscribe(t.Context(), topic, Log{}); err != nil {
			t.Fatal(err)
		}
		a := Arrival{Topic: topic, Socket: "1.1", MaxMembers: 1}
		if KindOf(topic.Channel).Members() {
			a.Member = &Member{ID: "ann"}
		}
		if _, err := b.Join(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if err := b.Unsubscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Leave(t.Context(), Departure{Topic: topic, Socket: "1.1", Member: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	if waiting := b.left(); len(waiting) != 1 {
		t.Errorf("before the end there are %v, want the one that waits for its grace", waiting)
	}
	cancel()
	running.Wait()
	if left := b.left(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func (b *MemoryBus) left() (topics []Topic) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for name := range s.topics {
			topics = append(topics, name)
		}
		s.mu.Unlock()
	}
	return topics
}
