package redisbus

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// Bus is a [channels.Bus], a [channels.Presence] and the registry of nodes, shared by all edges on one Redis. Its methods
// may be called at the same time, and fail with [channels.ErrUnavailable] while Run does not run.
type Bus struct {
	cfg     Config
	names   names
	scripts scripts
	client  redis.UniversalClient
	metrics metrics
	seed    maphash.Seed
	// edge is the name of this process, until it ends.
	edge    string
	started time.Time

	begun     atomic.Bool
	running   atomic.Bool
	healthy   atomic.Bool
	drains    atomic.Bool            // it has been asked to
	deliver   func(channels.Message) // set before running is
	tenure    tenure
	joins     joins
	vacancies vacancies
	laggards  laggards

	mu        sync.Mutex
	spawn     func(*link)                  // guarded by mu; nil while Run does not run
	interests map[channels.Topic]*interest // guarded by mu
	places    map[placeKey]*place          // guarded by mu
}

var (
	_ channels.Bus      = (*Bus)(nil)
	_ channels.Presence = (*Bus)(nil)
)

// New returns a bus that has not connected yet. The error says what is wrong with the address.
func New(cfg Config) (*Bus, error) {
	cfg = cfg.withDefaults()
	client, err := cfg.connect()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		cfg: cfg, names: names{cfg.Prefix}, scripts: newScripts(), client: client, seed: maphash.MakeSeed(),
		edge: rand.Text()[:12], started: time.Now(),
		interests: make(map[channels.Topic]*interest), places: make(map[placeKey]*place),
	}
	if b.cfg.Node.ID == "" {
		b.cfg.Node.ID = b.edge
	}
	b.metrics = newMetrics(b.Healthy)
	b.tenure.init()
	b.joins.init()
	b.vacancies.init()
	b.laggards.init()
	return b, nil
}

// Run carries messages, keeps the lease and cleans up after others until ctx ends. While Redis cannot be reached it goes
// on trying; any other trouble that [Bus.Check] finds ends it. A bus runs once.
func (b *Bus) Run(ctx context.Context, deliver func(channels.Message)) error {
	if b.begun.Swap(true) {
		return errors.New("a bus runs once")
	}
	defer func() { _ = b.client.Close() }() // It returns what no caller can do anything about.
	if err := b.untilChecked(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	b.deliver = deliver
	var parts sync.WaitGroup
	b.mu.Lock()
	b.spawn = func(l *link) { parts.Go(func() { l.run(ctx) }) }
	b.mu.Unlock()
	b.home(ctx)
	b.healthy.Store(true)
	b.running.Store(true)
	for _, part := range []func(context.Context){b.keepLease, b.mend, b.sweep, b.tellVacated, b.probe, b.catchUp} {
		parts.Go(func() { part(ctx) })
	}
	<-ctx.Done()
	b.running.Store(false)
	b.healthy.Store(false)
	b.mu.Lock()
	b.spawn = nil
	b.mu.Unlock()
	parts.Wait()
	b.resignAll(context.WithoutCancel(ctx))
	return nil
}

// Close ends a bus that is not to run any more. Run does so by itself, so it does nothing to a bus that has begun to.
func (b *Bus) Close() error {
	if b.begun.Swap(true) {
		return nil
	}
	return b.client.Close()
}

// Healthy tells whether this edge hears what it publishes. An edge that does not should be sent no new sockets.
func (b *Bus) Healthy() bool { return b.healthy.Load() }

// untilChecked checks the server as soon as it can be reached. It returns nil when ctx ends.
func (b *Bus) untilChecked(ctx context.Context) error {
	const pause = 500 * time.Millisecond
	told := false
	for ctx.Err() == nil {
		warnings, err := b.Check(ctx)
		if err == nil {
			for _, w := range warnings {
				b.cfg.Logger.WarnContext(ctx, "redis is not set up as it should be", slog.String("problem", w))
			}
			return nil
		}
		if !errors.Is(err, channels.ErrUnavailable) && ctx.Err() == nil {
			return err
		}
		if !told && ctx.Err() == nil {
			told = true
			b.cfg.Logger.WarnContext(ctx, "redis cannot be reached, trying on", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}
