package usage

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
)

// Sink takes finished intervals.
type Sink interface {
	// Write takes intervals of this edge, oldest first. After an error all of them are written again, so that a sink may be
	// handed what it has already.
	Write(ctx context.Context, intervals []Interval) error
}

// Config is what a [Meter] needs. Zero numbers mean the defaults named beside them.
type Config struct {
	Sink   Sink
	Logger *slog.Logger
	// MaxWaiting bounds what waits while the sink is away, in apps of intervals (200,000, some 50 MB): beyond it the oldest
	// interval is given up.
	MaxWaiting int
}

const (
	// shardCount splits the table of tallies, so that a new app costs a copy of little. It is a power of two.
	shardCount = 256
	// maxLanes bounds the lanes of a tally.
	maxLanes = 8
	// forgetAfter is how long an app must have used nothing for its tally to be given up. Until as long after that again
	// it is still counted: whoever has it by then has long used it.
	forgetAfter = time.Hour
	// handOverTime bounds one attempt to hand over, well within an interval.
	handOverTime = 5 * time.Second
)

// Meter counts for an edge. All methods but Run may be called at the same time; a nil Meter counts nothing.
type Meter struct {
	cfg   Config
	edge  string
	seed  maphash.Seed
	lanes int

	shards [shardCount]shard

	// Of Run alone, and of who tests.
	seq     uint64
	start   time.Time
	leaving []*Tally
	waiting []Interval
	apps    int // in waiting

	intervals, lost prometheus.Counter
	behind          atomic.Int64
}

// shard is a part of the table. Who looks something up takes no lock: the map is never changed, but replaced.
type shard struct {
	tallies atomic.Pointer[map[string]*Tally]
	mu      sync.Mutex // held by who replaces the map
}

// NewMeter returns a meter that has counted nothing. It hands over while it runs.
func NewMeter(cfg Config) *Meter {
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = 200_000
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Meter{
		cfg: cfg, edge: rand.Text(), seed: maphash.MakeSeed(), lanes: min(maxLanes, runtime.GOMAXPROCS(0)),
		start:     time.Now().Truncate(IntervalLength),
		intervals: counter("peal_usage_intervals_total", "Intervals of usage that this edge has handed over."),
		lost:      counter("peal_usage_intervals_lost_total", "Intervals of usage that this edge gave up, because they could not be handed over for too long."),
	}
	for i := range m.shards {
		m.shards[i].tallies.Store(&map[string]*Tally{})
	}
	return m
}

// Collectors returns the meter's metrics.
func (m *Meter) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.intervals, m.lost, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "peal_usage_intervals_waiting", Help: "Intervals of usage that wait to be handed over.",
	}, func() float64 { return float64(m.behind.Load()) })}
}

// Tally returns the tally of an app.
func (m *Meter) Tally(tenant uuid.UUID, app string) *Tally {
	if m == nil {
		return nil
	}
	s := &m.shards[maphash.String(m.seed, app)%shardCount]
	if t := (*s.tallies.Load())[app]; t != nil {
		return t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.tallies.Load()
	if t := old[app]; t != nil {
		return t
	}
	next := maps.Clone(old)
	t := newTally(tenant, app, m.lanes)
	next[app] = t
	s.tallies.Store(&next)
	return t
}

// Run hands over each interval when it is finished, until ctx ends, and then what was begun. It runs once.
func (m *Meter) Run(ctx context.Context) error {
	timer := time.NewTimer(m.untilNext())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			m.finish(ctx, time.Now(), false)
			timer.Reset(m.untilNext())
		case <-ctx.Done():
			m.finish(context.WithoutCancel(ctx), time.Now(), true)
			return nil
		}
	}
}

// untilNext returns how long it is until the interval ends that is under way.
func (m *Meter) untilNext() time.Duration {
	return min(2*IntervalLength, time.Until(m.start.Add(IntervalLength)))
}

// finish cuts an interval and hands over all that wait. last says that there is no other time for it.
func (m *Meter) finish(ctx context.Context, now time.Time, last bool) {
	m.keep(m.cut(now))
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	if err := m.cfg.Sink.Write(ctx, m.waiting); err != nil {
		m.behind.Store(int64(len(m.waiting)))
		// One alone may have met a hiccup, unless nothing comes after it.
		if len(m.waiting) > 1 || last {
			m.cfg.Logger.WarnContext(ctx, "usage waits to be handed over", slog.Int("intervals", len(m.waiting)), slog.Any("error", err))
		}
		return
	}
	m.intervals.Add(float64(len(m.waiting)))
	m.waiting, m.apps = nil, 0
	m.behind.Store(0)
}

// keep puts an interval with those that wait, and gives up the oldest where they are too many.
func (m *Meter) keep(i Interval) {
	m.waiting = append(m.waiting, i)
	m.apps += len(i.Apps) + 1
	for m.apps > m.cfg.MaxWaiting && len(m.waiting) > 1 {
		old := m.waiting[0]
		m.apps -= len(old.Apps) + 1
		m.waiting = m.waiting[1:]
		m.lost.Inc()
		m.cfg.Logger.Error("an interval of usage is lost: the sink was away for too long", slog.Time("start", old.Start), slog.Int("apps", len(old.Apps)))
	}
}

// cut ends the interval that is under way and begins the next.
func (m *Meter) cut(now time.Time) Interval {
	m.seq++
	i := Interval{Edge: m.edge, Seq: m.seq, Start: m.start.UTC()}
	for s := range m.shards {
		for _, t := range *m.shards[s].tallies.Load() {
			i.add(t, now)
			if now.Sub(t.quiet) > forgetAfter {
				m.forget(&m.shards[s], t)
			}
		}
	}
	left := m.leaving[:0]
	for _, t := range m.leaving {
		if open := i.add(t, now); open > 0 || now.Sub(t.quiet) <= 2*forgetAfter {
			left = append(left, t)
		}
	}
	clear(m.leaving[len(left):])
	m.leaving = left
	m.start = next(m.start, now)
	return i
}

// next returns when the interval begins that comes after one, by a clock that may be a little early, or late, or set back.
func next(last, now time.Time) time.Time {
	start := now.Truncate(IntervalLength)
	if early := last.Sub(start); early >= 0 && early <= IntervalLength {
		return last.Add(IntervalLength)
	}
	return start
}

// add adds what a tally has counted, and returns how many of its connections are open.
func (i *Interval) add(t *Tally, now time.Time) (open int64) {
	counts, open := t.cut(now)
	if !counts.IsZero() {
		i.Apps = append(i.Apps, AppCounts{Tenant: t.tenant, App: t.app, Counts: counts})
	}
	return open
}

// forget takes a tally out of the table. Who has it already may still count with it for a while.
func (m *Meter) forget(s *shard, t *Tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(*s.tallies.Load())
	delete(next, t.app)
	s.tallies.Store(&next)
	m.leaving = append(m.leaving, t)
}
