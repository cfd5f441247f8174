package redislimits

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/pealhq/peal/tenants/limits"
)

// Config is what [Rates] need. A zero field means the default named beside it.
type Config struct {
	// Client is a connection to the Redis that all edges share. Who made it closes it.
	Client redis.UniversalClient
	// Prefix begins every key ("peal:").
	Prefix string
	// Edges returns how many edges are alive. It is asked now and then while Run runs; before that there is one.
	Edges func(context.Context) (int, error)
	// Timeout bounds how long anybody waits for Redis (200 ms).
	Timeout time.Duration
	// Logger is for trouble with Redis.
	Logger *slog.Logger
}

// Rates are bounds that all edges on one Redis keep together. All methods may be called at the same time. Take works before
// Run does, but only Run gives back what this edge has leased and nobody asks for any more.
type Rates struct {
	cfg      Config
	lease    *redis.Script
	edges    atomic.Int64
	troubles rate.Sometimes // when to log them
	leases   *prometheus.CounterVec
	// The results, resolved once so that counting allocates nothing.
	granted, refused, failed prometheus.Counter
	alone                    prometheus.Counter

	mu      sync.Mutex
	buckets map[bucketKey]*bucket // guarded by mu
}

type bucketKey struct{ owner, what string }

var _ limits.Rates = (*Rates)(nil)

// New returns rates that have not asked Redis anything yet.
func New(cfg Config) *Rates {
	if cfg.Prefix == "" {
		cfg.Prefix = "peal:"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 200 * time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	leases := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peal_rate_leases_total", Help: "Questions to Redis for a part of what an app may do in a second, by result.",
	}, []string{"result"})
	r := &Rates{
		cfg: cfg, lease: redis.NewScript(leaseLua), troubles: rate.Sometimes{First: 1, Interval: 10 * time.Second}, leases: leases,
		granted: leases.WithLabelValues("granted"), refused: leases.WithLabelValues("refused"), failed: leases.WithLabelValues("failed"),
		alone: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peal_rate_alone_total",
			Help: "Times that this edge decided by its own share of a limit, because Redis did not answer.",
		}),
		buckets: make(map[bucketKey]*bucket),
	}
	r.edges.Store(1)
	return r
}

// Collectors returns the metrics.
func (r *Rates) Collectors() []prometheus.Collector { return []prometheus.Collector{r.leases, r.alone} }

// Take implements [limits.Rates].
func (r *Rates) Take(ctx context.Context, n int, bounds ...limits.Bound) limits.Admission {
	if len(bounds) == 1 { // As every publish of an app alone is: there is nothing to put back.
		a := r.bucket(bounds[0]).take(ctx, n, bounds[0].PerSecond)
		a.Owner = bounds[0].Owner
		return a
	}
	// Who is known to be refused by one takes nothing of the others, not even for a moment.
	for _, b := range bounds {
		if a := r.bucket(b).known(time.Now(), n, b.PerSecond); !a.OK {
			a.Owner = b.Owner
			return a
		}
	}
	answer := limits.Admission{OK: true}
	for i, b := range bounds {
		a := r.bucket(b).take(ctx, n, b.PerSecond)
		a.Owner = b.Owner
		if !a.OK {
			for _, taken := range bounds[:i] {
				r.bucket(taken).putBack(n)
			}
			return a
		}
		answer = answer.Tighter(a)
	}
	return answer
}

func (r *Rates) bucket(b limits.Bound) *bucket {
	key := bucketKey{b.Owner, b.What}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.buckets[key]
	if one == nil {
		one = &bucket{rates: r, key: "{" + r.cfg.Prefix + b.Owner + "}r:" + b.What}
		r.buckets[key] = one
	}
	one.asked.Store(time.Now().UnixNano())
	return one
}

const (
	giveBackEvery = 50 * time.Millisecond
	countEvery    = 2 * time.Second
	// forgetAfter is how long nobody must have asked for something before this edge forgets it.
	forgetAfter = time.Minute
)

// Run gives back what was leased and not used, and counts the edges, until ctx ends.
func (r *Rates) Run(ctx context.Context) error {
	back, count := time.NewTicker(giveBackEvery), time.NewTicker(countEvery)
	defer back.Stop()
	defer count.Stop()
	r.countEdges(ctx)
	for {
		select {
		case <-back.C:
			r.giveBack(ctx)
		case <-count.C:
			r.countEdges(ctx)
			r.forget(time.Now())
		case <-ctx.Done():
			r.giveBack(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// countEdges asks how many edges there are. While that cannot be known there are as many as before.
func (r *Rates) countEdges(ctx context.Context) {
	if r.cfg.Edges == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countEvery)
	defer cancel()
	if n, err := r.cfg.Edges(ctx); err == nil {
		r.edges.Store(int64(max(1, n)))
	}
}

// Share returns which part of a limit is this edge's while Redis is away: the same for each edge, and at least one.
func (r *Rates) Share(limit int) int { return max(1, limit/int(r.edges.Load())) }

func (r *Rates) all() []*bucket {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*bucket, 0, len(r.buckets))
	for _, b := range r.buckets {
		list = append(list, b)
	}
	return list
}

// giveBack gives back what all buckets have over. When Redis does not answer for one it does not for the next: that would
// only take as much longer, at a stop as well.
func (r *Rates) giveBack(ctx context.Context) {
	for _, b := range r.all() {
		if !b.owes(time.Now()) {
			continue
		}
		if err := b.settle(ctx); err != nil {
			r.trouble(err)
			return
		}
	}
}

func (r *Rates) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, b := range r.buckets {
		if now.Sub(time.Unix(0, b.asked.Load())) > forgetAfter {
			delete(r.buckets, key)
		}
	}
}

// trouble logs that Redis did not answer. While it is away there is much of that.
func (r *Rates) trouble(err error) {
	r.troubles.Do(func() {
		r.cfg.Logger.Warn("rates cannot be shared over all edges, this one keeps to its share", slog.Any("error", err))
	})
}
