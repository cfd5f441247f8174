package session

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// Above manySubscribers a channel is told of its count at most every countPause (Pusher protocol, subscription count).
const (
	manySubscribers = 100
	countPause      = 5 * time.Second
)

// CountsConfig is what [Counts] need.
type CountsConfig struct {
	Bus      publish.Bus
	Presence channels.Presence
	Logger   *slog.Logger
}

// Counts tells the subscribers of channels how many they are, where the app wants that. Run must run. All methods may
// be called at the same time.
type Counts struct {
	cfg CountsConfig
	// telling keeps two counts of one channel from overtaking each other.
	telling [64]sync.Mutex
	seed    maphash.Seed

	mu sync.Mutex
	// paused are the channels that were told a moment ago. Guarded by mu.
	paused map[channels.Topic]*pausedCount
	// ended says that nothing is told any more. Guarded by mu.
	ended bool
}

// pausedCount is a channel that must wait before it is told again.
type pausedCount struct {
	timer   *time.Timer
	changed bool // since it was told
}

// NewCounts returns counts that tell nothing before something changes.
func NewCounts(cfg CountsConfig) *Counts {
	return &Counts{cfg: cfg, seed: maphash.MakeSeed(), paused: make(map[channels.Topic]*pausedCount)}
}

// Run ends what waits when ctx ends.
func (c *Counts) Run(ctx context.Context) error {
	<-ctx.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, p := range c.paused {
		p.timer.Stop()
	}
	clear(c.paused)
	return nil
}

// Changed says that a channel has got or lost a subscriber and has about this many now, over all edges. Presence
// channels, which tell more, and encrypted ones, on which Java's library takes every frame for a sealed one, are told
// nothing.
func (c *Counts) Changed(app *tenants.App, channel string, count int) {
	kind := channels.KindOf(channel)
	topic := channels.Topic{App: app.ID, Channel: channel}
	if !app.Features.SubscriptionCount || kind.Members() || kind.Encrypted() || topic.Internal() {
		return
	}
	if c.now(topic, count) {
		c.tell(topic)
	}
}

// now tells whether a count may go out at once; if not, it goes out later.
func (c *Counts) now(topic channels.Topic, count int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.paused[topic]; p != nil {
		p.changed = true
		return false
	}
	if c.ended {
		return false
	}
	if count > manySubscribers {
		c.pause(topic)
	}
	return true
}

// pause keeps a channel from being told for a while. The caller holds mu.
func (c *Counts) pause(topic channels.Topic) {
	p := &pausedCount{}
	p.timer = time.AfterFunc(countPause, func() { c.resume(topic, p) })
	c.paused[topic] = p
}

// resume tells a channel what it missed.
func (c *Counts) resume(topic channels.Topic, p *pausedCount) {
	c.mu.Lock()
	if c.paused[topic] != p {
		c.mu.Unlock()
		return
	}
	delete(c.paused, topic)
	if p.changed {
		c.pause(topic) // It may have few subscribers by now, who then wait once more than they must.
	}
	c.mu.Unlock()
	if p.changed {
		c.tell(topic)
	}
}

// tell reads the count and publishes it in one step, so that what is told last is true.
func (c *Counts) tell(topic channels.Topic) {
	ctx, cancel := context.WithTimeout(context.Background(), countPause)
	defer cancel()
	one := &c.telling[maphash.Comparable(c.seed, topic)%uint64(len(c.telling))]
	one.Lock()
	defer one.Unlock()
	now, err := c.cfg.Presence.Channel(ctx, topic)
	if err == nil && now.Subscribers > 0 {
		err = c.cfg.Bus.Publish(ctx, channels.Message{Topic: topic, Frame: pusher.SubscriptionCount(topic.Channel, now.Subscribers)})
	}
	if err != nil {
		c.cfg.Logger.Warn("tell the subscription count", slog.String("app", topic.App),
			slog.String("channel", topic.Channel), slog.Any("error", err))
	}
}
