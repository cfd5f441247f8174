package channels

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Subscriber is a socket as the hub sees it.
type Subscriber interface {
	// ID returns the socket's id, by which a message can leave it out.
	ID() string
	// Send hands a frame to the socket. It never blocks and never calls back into the hub; what it cannot
	// take is its own trouble. The frame is shared and must not be changed.
	Send(frame []byte)
	// Terminate ends the socket, because its app has asked for that. What holds of Send holds here.
	Terminate()
}

// shardCount splits the table of topics so that sockets coming and going seldom wait for each other. It is a
// power of two, some times the number of cores of a large machine.
const shardCount = 64

// Hub holds the subscriptions of this edge and delivers to them what the bus brings. All methods may be
// called at the same time.
type Hub struct {
	bus           Bus
	seed          maphash.Seed
	shards        [shardCount]shard
	subscriptions atomic.Int64
	collectors    []prometheus.Collector
}

type shard struct {
	mu     sync.RWMutex
	topics map[Topic]*topic // guarded by mu
}

// NewHub returns a hub without subscriptions that asks bus for what its sockets want to hear. The messages
// come by [Hub.Deliver], which belongs into the bus's Run.
func NewHub(bus Bus) *Hub {
	h := &Hub{bus: bus, seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].topics = make(map[Topic]*topic)
	}
	h.collectors = []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "peal_topics", Help: "Channels with a subscriber on this edge.",
		}, func() float64 { return float64(h.Topics()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "peal_subscriptions", Help: "Subscriptions of sockets on this edge.",
		}, func() float64 { return float64(h.subscriptions.Load()) }),
	}
	return h
}

// Collectors returns the hub's metrics.
func (h *Hub) Collectors() []prometheus.Collector { return h.collectors }

// Topics returns how many topics have a subscriber here, or are about to have one or none.
func (h *Hub) Topics() int {
	n := 0
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		n += len(s.topics)
		s.mu.RUnlock()
	}
	return n
}

// Subscriptions returns how many subscriptions there are on this edge.
func (h *Hub) Subscriptions() int { return int(h.subscriptions.Load()) }

// Greeting is what a subscriber is sent before anything else of a topic.
type Greeting struct {
	Frames [][]byte
	// Offset is that of the last message that the frames already tell of; see [Welcome].
	Offset uint64
}

// Subscribe adds a subscriber to a topic, which has this log. When the bus has confirmed the edge's interest, greet says
// what to send it first; it may wait, and its error is returned as it is. Nothing of the topic comes before the greeting,
// and nothing that greet did not know of is lost. Whether the subscriber is there already is for the caller to know.
func (h *Hub) Subscribe(ctx context.Context, name Topic, log Log, sub Subscriber, greet func() (Greeting, error)) (*Subscription, error) {
	t := h.hold(name)
	s, err := h.join(ctx, t, log, sub)
	if err != nil {
		h.release(t)
		return nil, err
	}
	h.subscriptions.Add(1)
	g, err := greet()
	if err == nil && !t.admit(s, g) {
		err = fmt.Errorf("more came than can be kept while the greeting was made: %w", ErrUnavailable)
	}
	if err != nil {
		return nil, errors.Join(err, h.Unsubscribe(ctx, s))
	}
	return s, nil
}

func (h *Hub) join(ctx context.Context, t *topic, log Log, sub Subscriber) (*Subscription, error) {
	t.change.Lock()
	defer t.change.Unlock()
	if t.empty() {
		if err := h.bus.Subscribe(ctx, t.name, log); err != nil {
			return nil, err
		}
	}
	return t.add(sub), nil
}

// Unsubscribe ends a subscription, once. After it returned the subscriber gets no frame of the topic. An error
// is the bus's: the subscription has ended all the same.
func (h *Hub) Unsubscribe(ctx context.Context, s *Subscription) error {
	defer h.release(s.topic)
	defer h.subscriptions.Add(-1)
	return h.leave(ctx, s)
}

func (h *Hub) leave(ctx context.Context, s *Subscription) error {
	t := s.topic
	t.change.Lock()
	defer t.change.Unlock()
	t.remove(s)
	if t.empty() {
		return h.bus.Unsubscribe(ctx, t.name)
	}
	return nil
}

// Deliver sends a message to all subscribers of its topic but the one that it excepts. It waits for no socket and
// never for the bus.
func (h *Hub) Deliver(m Message) {
	s := h.shard(m.Topic)
	s.mu.RLock()
	t := s.topics[m.Topic]
	s.mu.RUnlock()
	if t != nil {
		t.deliver(&m)
	}
}

func (h *Hub) shard(name Topic) *shard {
	return &h.shards[maphash.Comparable(h.seed, name)%shardCount]
}

// hold returns the topic, made if need be, and keeps it in the table until release.
func (h *Hub) hold(name Topic) *topic {
	s := h.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[name]
	if t == nil {
		t = &topic{name: name}
		s.topics[name] = t
	}
	t.holders++
	return t
}

func (h *Hub) release(t *topic) {
	s := h.shard(t.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.holders--; t.holders == 0 {
		delete(s.topics, t.name)
	}
}
