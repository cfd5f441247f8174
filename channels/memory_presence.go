package channels

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryShard is a part of the topics, so that those of one shard alone wait for each other.
type memoryShard struct {
	mu     sync.Mutex
	topics map[Topic]*memoryTopic // guarded by mu
}

// memoryTopic is who is on one topic. The shard's mu guards it.
type memoryTopic struct {
	offset      uint64
	position    Position // of the last message in the log; none before the first
	logged      bool     // notices of members are in the log, too
	subscribers int
	members     map[string]*memoryMember // by id; nil on topics that are no presence channels
	order       []*memoryMember          // the same, in no order that matters but a steady one
	vacating    *time.Timer              // set while an empty topic waits for its grace to end
}

type memoryMember struct {
	Member
	sockets int
	at      int // the place in order
}

func (t *memoryTopic) next() uint64 {
	t.offset++
	return t.offset
}

func (t *memoryTopic) nextPosition() Position {
	if t.position.Epoch == "" {
		t.position.Epoch = rand.Text()[:16]
	}
	t.position.Offset++
	return t.position
}

// topic returns the topic, made if need be.
func (s *memoryShard) topic(name Topic) *memoryTopic {
	t := s.topics[name]
	if t == nil {
		t = &memoryTopic{}
		s.topics[name] = t
	}
	return t
}

// tidy forgets a topic on which nobody is. While the edge is interested somebody is about to be, who must find the
// offsets where they were. The caller holds the shard's mu.
func (b *MemoryBus) tidy(s *memoryShard, name Topic) {
	if t := s.topics[name]; t == nil || t.subscribers > 0 || t.vacating != nil {
		return
	}
	if _, wanted := b.route(name); !wanted {
		delete(s.topics, name)
	}
}

func (b *MemoryBus) shard(topic Topic) *memoryShard {
	return &b.shards[maphash.Comparable(b.seed, topic)%shardCount]
}

// Join implements [Presence].
func (b *MemoryBus) Join(_ context.Context, a Arrival) (Welcome, error) {
	s := b.shard(a.Topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topic(a.Topic)
	t.logged = a.Log.Kept()
	if a.MaxSubscribers > 0 && t.subscribers >= a.MaxSubscribers {
		b.tidy(s, a.Topic)
		return Welcome{}, ErrFull
	}
	if a.Member != nil {
		if !t.room(a.Member.ID, a.MaxMembers) {
			b.tidy(s, a.Topic)
			return Welcome{}, ErrFull
		}
		b.enter(t, a)
	}
	t.subscribers++
	if t.subscribers == 1 {
		b.occupied(t, a.Topic)
	}
	w := Welcome{Subscribers: t.subscribers, Kept: b.kept.get(a.Topic), Offset: t.offset}
	if a.Member != nil {
		w.Members = t.list()
	}
	return w, nil
}

func (t *memoryTopic) room(id string, most int) bool {
	return t.members[id] != nil || len(t.members) < most
}

// enter counts a member's socket. What the first one told of the member stays until the last has gone.
func (b *MemoryBus) enter(t *memoryTopic, a Arrival) {
	if m := t.members[a.Member.ID]; m != nil {
		m.sockets++
		return
	}
	if t.members == nil {
		t.members = make(map[string]*memoryMember)
	}
	m := &memoryMember{Member: *a.Member, sockets: 1, at: len(t.order)}
	t.members[m.ID] = m
	t.order = append(t.order, m)
	b.notify(t, a.Topic, a.Socket, b.notices.Added, m.Member)
}

// Leave implements [Presence].
func (b *MemoryBus) Leave(_ context.Context, d Departure) (int, error) {
	s := b.shard(d.Topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[d.Topic]
	if t == nil || t.subscribers == 0 {
		return 0, nil
	}
	if m := t.members[d.Member]; m != nil {
		if m.sockets--; m.sockets == 0 {
			t.forget(m)
			b.notify(t, d.Topic, d.Socket, b.notices.Removed, m.Member)
		}
	}
	t.subscribers--
	if t.subscribers == 0 {
		b.vacate(t, d.Topic)
		b.tidy(s, d.Topic)
	}
	return t.subscribers, nil
}

func (t *memoryTopic) forget(m *memoryMember) {
	delete(t.members, m.ID)
	last := len(t.order) - 1
	moved := t.order[last]
	t.order[m.at] = moved
	moved.at = m.at
	t.order[last] = nil
	t.order = t.order[:last]
}

func (t *memoryTopic) list() []Member {
	list := make([]Member, len(t.order))
	for i, m := range t.order {
		list[i] = m.Member
	}
	return list
}

// notify tells the others on a topic of a member, in one step with the change.
func (b *MemoryBus) notify(t *memoryTopic, name Topic, except string, frame func(string, Member) []byte, m Member) {
	offset := t.next()
	if frame == nil {
		return
	}
	if deliver, wanted := b.route(name); deliver != nil && wanted {
		notice := Message{Topic: name, Frame: frame(name.Channel, m), Except: except, Offset: offset}
		if t.logged {
			notice.Position = t.nextPosition()
		}
		deliver(notice)
	}
}

// occupied tells that a topic is no longer empty, unless it was for so short a time that nobody was told.
func (b *MemoryBus) occupied(t *memoryTopic, name Topic) {
	if t.vacating != nil {
		t.vacating.Stop()
		t.vacating = nil
		return
	}
	if b.notices.Occupied == nil {
		return
	}
	if m, ok := b.notices.Occupied(name); ok {
		b.tell(m)
	}
}

// vacate tells that a topic is empty, after the grace.
func (b *MemoryBus) vacate(t *memoryTopic, name Topic) {
	if b.notices.Vacated == nil {
		return
	}
	m, ok := b.notices.Vacated(name)
	if !ok {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(b.notices.Grace, func() {
		s := b.shard(name)
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.vacating == timer { // and not taken back while this waited for the lock
			t.vacating = nil
			b.tell(m)
			b.tidy(s, name)
		}
	})
	t.vacating = timer
}

// tell delivers a message of ours where somebody is to hear it.
func (b *MemoryBus) tell(m Message) {
	if deliver, wanted := b.route(m.Topic); deliver != nil && wanted {
		deliver(m)
	}
}

// stopVacating ends what waits for its grace.
func (b *MemoryBus) stopVacating() {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for name, t := range s.topics {
			if t.vacating != nil {
				t.vacating.Stop()
				t.vacating = nil
				b.tidy(s, name)
			}
		}
		s.mu.Unlock()
	}
}

// Channel implements [Presence].
func (b *MemoryBus) Channel(_ context.Context, topic Topic) (Occupancy, error) {
	s := b.shard(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := Occupancy{Channel: topic.Channel}
	if t := s.topics[topic]; t != nil {
		o.Subscribers, o.Members, o.Vacating = t.subscribers, len(t.members), t.vacating != nil
	}
	return o, nil
}

// Occupancies implements [Presence].
func (b *MemoryBus) Occupancies(ctx context.Context, app string, names []string) ([]Occupancy, error) {
	list := make([]Occupancy, len(names))
	for i, name := range names {
		var err error
		if list[i], err = b.Channel(ctx, Topic{App: app, Channel: name}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Channels implements [Presence].
func (b *MemoryBus) Channels(_ context.Context, app, prefix string) ([]Occupancy, error) {
	var list []Occupancy
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for name, t := range s.topics {
			if name.App == app && t.subscribers > 0 && !name.Internal() && strings.HasPrefix(name.Channel, prefix) {
				list = append(list, Occupancy{Channel: name.Channel, Subscribers: t.subscribers, Members: len(t.members)})
			}
		}
		s.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Occupancy) int { return strings.Compare(a.Channel, b.Channel) })
	return list, nil
}

// Members implements [Presence].
func (b *MemoryBus) Members(_ context.Context, topic Topic) ([]Member, error) {
	s := b.shard(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.topics[topic]; t != nil {
		return t.list(), nil
	}
	return nil, nil
}

// Kept implements [Presence].
func (b *MemoryBus) Kept(_ context.Context, topic Topic) (Kept, error) {
	return b.kept.get(topic), nil
}
