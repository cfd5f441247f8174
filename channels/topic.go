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
	waiting       int             // guarded by mu; how many of them wait for their greeting
}

// Subscription is one subscriber on one topic, as [Hub.Subscribe] made it.
type Subscription struct {
	topic *topic
	sub   Subscriber
	at    int // the place in topic.subscriptions; guarded by topic.mu
	// after is the offset up to which the greeting has told everything; guarded by topic.mu.
	after uint64
	// missed is what came before the greeting could be sent, nil from then on; guarded by topic.mu.
	missed *missed
}

// missed are the messages that a subscription must get after its greeting.
type missed struct {
	messages []Message
	overflow bool
}

// maxMissed bounds what may come while a greeting is made.
const maxMissed = 10_000

func (t *topic) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subscriptions) == 0
}

// add puts a subscriber on the list. It hears nothing before admit.
func (t *topic) add(sub Subscriber) *Subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &Subscription{topic: t, sub: sub, at: len(t.subscriptions), missed: &missed{}}
	t.subscriptions = append(t.subscriptions, s)
	t.waiting++
	return s
}

// admit sends the greeting and, after it, what came since the subscriber was added and is not in the greeting. It
// tells whether all of it is still there.
func (t *topic) admit(s *Subscription, g Greeting) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.missed.overflow {
		return false
	}
	for _, frame := range g.Frames {
		s.sub.Send(frame)
	}
	s.after = g.Offset
	messages := s.missed.messages
	s.missed = nil
	t.waiting--
	for i := range messages {
		s.send(&messages[i])
	}
	return true
}

// smallList is the capacity below which giving memory back is not worth a copy.
const smallList = 64

func (t *topic) remove(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.missed != nil {
		t.waiting--
	}
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
func (t *topic) deliver(m *Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Except == "" && m.Offset == 0 && t.waiting == 0 && !m.Terminate {
		for _, s := range t.subscriptions {
			s.sub.Send(m.Frame)
		}
		return
	}
	for _, s := range t.subscriptions {
		s.take(m)
	}
}

// take keeps a message for later or sends it. The caller holds the topic's mu.
func (s *Subscription) take(m *Message) {
	switch {
	case s.missed == nil:
		s.send(m)
	case len(s.missed.messages) < maxMissed:
		s.missed.messages = append(s.missed.messages, *m)
	default:
		s.missed.overflow = true
	}
}

// send hands a message to the subscriber, unless it is not for it or was in its greeting. The caller holds the
// topic's mu.
func (s *Subscription) send(m *Message) {
	switch {
	case m.Except != "" && m.Except == s.sub.ID(), m.Offset != 0 && m.Offset <= s.after:
	case m.Terminate:
		s.sub.Terminate()
	default:
		s.sub.Send(m.Frame)
	}
}
