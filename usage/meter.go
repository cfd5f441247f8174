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
	// Write takes intervals of this edge, oldest first, which are a piece of what waits. After an error all of them are
	// written again, so that a sink may be handed what it has already.
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
	// pieceTime bounds the handing over of one piece, and handOverTime that of all that wait, well within an interval.
	pieceTime    = 5 * time.Second
	handOverTime = 8 * time.Second
	// pieceApps is how many apps of intervals make a piece. What an edge counted for more apps at once is cut into several
	// intervals, so that each can be handed over in its time.
	pieceApps = 2_000
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
	for _, i := range m.cut(now) {
		m.keep(i)
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	err := m.handOver(ctx)
	m.behind.Store(int64(len(m.waiting)))
	// One alone may have met a hiccup, unless nothing comes after it.
	if err != nil && (len(m.waiting) > 1 || last) {
		m.cfg.Logger.WarnContext(ctx, "usage waits to be handed over", slog.Int("intervals", len(m.waiting)), slog.Any("error", err))
	}
}

// handOver hands over what waits, a piece at a time. What the sink has taken does not wait any more, whatever becomes of
// the rest: after a long absence nobody has to take it all at once.
func (m *Meter) handOver(ctx context.Context) error {
	for len(m.waiting) > 0 {
		n, apps := piece(m.waiting)
		if err := m.handOverPiece(ctx, m.waiting[:n]); err != nil {
			return err
		}
		m.intervals.Add(float64(n))
		clear(m.waiting[:n])
		m.waiting, m.apps = m.waiting[n:], m.apps-apps
	}
	m.waiting = nil
	return nil
}

func (m *Meter) handOverPiece(ctx context.Context, intervals []Interval) error {
	ctx, cancel := context.WithTimeout(ctx, pieceTime)
	defer cancel()
	return m.cfg.Sink.Write(ctx, intervals)
}

// piece returns how many of the intervals make the next piece, one at least, and what they count for in [Config.MaxWaiting].
func piece(waiting []Interval) (n, apps int) {
	for _, i := range waiting {
		if n > 0 && apps+len(i.Apps)+1 > pieceApps {
			break
		}
		n, apps = n+1, apps+len(i.Apps)+1
	}
	return n, apps
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

// cut ends the interval that is under way and begins the next. What was counted for very many apps comes in parts, which
// begin at the same time and have numbers of their own: an app is in one of them.
func (m *Meter) cut(now time.Time) []Interval {
	var apps []AppCounts
	for s := range m.shards {
		for _, t := range *m.shards[s].tallies.Load() {
			apps, _ = add(apps, t, now)
			if now.Sub(t.quiet) > forgetAfter {
				m.forget(&m.shards[s], t)
			}
		}
	}
	left := m.leaving[:0]
	for _, t := range m.leaving {
		var open int64
		if apps, open = add(apps, t, now); open > 0 || now.Sub(t.quiet) <= 2*forgetAfter {
			left = append(left, t)
		}
	}
	clear(m.leaving[len(left):])
	m.leaving = left
	parts := m.parts(apps)
	m.start = next(m.start, now)
	return parts
}

// parts returns the interval that is under way in parts of as many apps as make a piece. An interval in which nobody used
// anything is one part, which says that there was somebody who counted.
func (m *Meter) parts(apps []AppCounts) []Interval {
	var parts []Interval
	for len(parts) == 0 || len(apps) > 0 {
		n := min(len(apps), pieceApps)
		m.seq++
		parts = append(parts, Interval{Edge: m.edge, Seq: m.seq, Start: m.start.UTC(), Apps: apps[:n:n]})
		apps = apps[n:]
	}
	return parts
}

// next returns when the interval begins that comes after one, by a clock that may be a little early, or late, or set back.
func next(last, now time.Time) time.Time {
	start := now.Truncate(IntervalLength)
	if early := last.Sub(start); early >= 0 && early <= IntervalLength {
		return last.Add(IntervalLength)
	}
	return start
}

// add adds what a tally has counted to those of other apps, and returns how many of its connections are open.
func add(apps []AppCounts, t *Tally, now time.Time) (_ []AppCounts, open int64) {
	counts, open := t.cut(now)
	if !counts.IsZero() {
		apps = append(apps, AppCounts{Tenant: t.tenant, App: t.app, Counts: counts})
	}
	return apps, open
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
