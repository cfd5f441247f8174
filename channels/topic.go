package channels

import "sync"

// topic is a topic that this edge has a subscriber for, or is getting or losing one.
//
// It has two locks. change is held while a subscription begins or ends, across the call to the bus, so that
// the first subscriber's arrival and the last one's leaving reach the bus in the order in which they happen.
// mu guards the list and is held only while memory is read and written. Delivery takes mu alone: a bus whose
// reader waited for change would wait for an answer that only itself can read.
type topic struct {
	name    Topic
	holders int // subscriptions and calls under way; guarded by the shard's mu

	change sync.Mutex

	mu            sync.Mutex
	subscriptions []*Subscription // guarded by mu; in no order
}

// Subscription is one subscriber on one topic, as [Hub.Subscribe] made it.
type Subscription struct {
	topic *topic
	sub   Subscriber
	at    int // the place in topic.subscriptions; guarded by topic.mu
}

func (t *topic) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subscriptions) == 0
}

func (t *topic) add(sub Subscriber, greeting []byte) *Subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &Subscription{topic: t, sub: sub, at: len(t.subscriptions)}
	sub.Send(greeting)
	t.subscriptions = append(t.subscriptions, s)
	return s
}

// smallList is the capacity below which giving memory back is not worth a copy.
const smallList = 64

func (t *topic) remove(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := len(t.subscriptions) - 1
	moved := t.subscriptions[last]
	t.subscriptions[s.at] = moved
	moved.at = s.at
	t.subscriptions[last] = nil
	t.subscriptions = t.subscriptions[:last]
	if c := cap(t.subscriptions); c > smallList && last < c/4 {
		t.subscriptions = append(make([]*Subscription, 0, c/2), t.subscriptions...)
	}
}

// deliver sends under the lock, so that all subscribers get the topic's frames in one order.
func (t *topic) deliver(frame []byte, except string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if except == "" {
		for _, s := range t.subscriptions {
			s.sub.Send(frame)
		}
		return
	}
	for _, s := range t.subscriptions {
		if s.sub.ID() != except {
			s.sub.Send(frame)
		}
	}
}
