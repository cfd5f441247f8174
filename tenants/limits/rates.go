package limits

import (
	"context"
	"sync"
	"time"
)

// Bound is how much there may be of something in any second, over all edges.
type Bound struct {
	// Owner is the id of the app or of the tenant that is bounded.
	Owner string
	// What is bounded: one word, the same on every edge.
	What      string
	PerSecond int
}

// Rates admit what a bound allows. Where there are several edges they share one: see the package redislimits.
type Rates interface {
	// Take asks for n under each of these bounds: it gets all of that, or nothing. It answers within a time that is
	// bounded, whatever has become of what the edges share.
	Take(ctx context.Context, n int, bounds ...Bound) Admission
}

// Admission is the answer of [Rates].
type Admission struct {
	OK bool
	// Owner is whose bound the rest is about; empty where there is none.
	Owner string
	// Limit is how many a second; 0 means that there is no limit, and then the rest says nothing.
	Limit int
	// Remaining is how many more would be admitted now.
	Remaining int
	// RetryAfter is when the same would be admitted, if it was not; 0 for what never will be.
	RetryAfter time.Duration
}

// Never tells whether the same will never be admitted, because it is more than a whole second's worth.
func (a Admission) Never() bool { return !a.OK && a.RetryAfter == 0 }

// Tighter returns the one of two admissions that leaves less. One without a limit leaves all there is.
func (a Admission) Tighter(b Admission) Admission {
	if a.Limit == 0 || b.Limit != 0 && b.Remaining < a.Remaining {
		return b
	}
	return a
}

// MemoryRates are the rates of a single edge, which no other shares. All methods may be called at the same time.
type MemoryRates struct {
	mu      sync.Mutex
	windows map[memoryKey]*Window // guarded by mu
	tidyAt  int                   // guarded by mu; how many windows there are before the idle ones are forgotten
}

type memoryKey struct{ owner, what string }

var _ Rates = (*MemoryRates)(nil)

// NewMemoryRates returns rates that have counted nothing yet.
func NewMemoryRates() *MemoryRates {
	return &MemoryRates{windows: make(map[memoryKey]*Window), tidyAt: 1024}
}

// Take implements [Rates].
func (m *MemoryRates) Take(_ context.Context, n int, bounds ...Bound) Admission {
	now, a := time.Now(), Admission{OK: true}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, b := range bounds {
		w := m.window(memoryKey{b.Owner, b.What}, now)
		if w.Take(now, n, b.PerSecond) {
			a = a.Tighter(Admission{OK: true, Owner: b.Owner, Limit: b.PerSecond, Remaining: b.PerSecond - w.Sum(now)})
			continue
		}
		for _, taken := range bounds[:i] {
			m.windows[memoryKey{taken.Owner, taken.What}].Undo(n)
		}
		return Admission{
			Owner: b.Owner, Limit: b.PerSecond, Remaining: max(0, b.PerSecond-w.Sum(now)), RetryAfter: w.Wait(now, n, b.PerSecond),
		}
	}
	return a
}

// window returns the window of a key. The caller holds mu.
func (m *MemoryRates) window(key memoryKey, now time.Time) *Window {
	w := m.windows[key]
	if w != nil {
		return w
	}
	if len(m.windows) >= m.tidyAt {
		for key, w := range m.windows {
			if w.Sum(now) == 0 {
				delete(m.windows, key)
			}
		}
		m.tidyAt = max(1024, 2*len(m.windows))
	}
	w = &Window{}
	m.windows[key] = w
	return w
}
