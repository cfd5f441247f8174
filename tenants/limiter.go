package tenants

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter admits what an app may do in a second, on this edge. All methods may be called at the same time.
type Limiter struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter // by the app's id; guarded by mu
}

// NewLimiter returns a limiter that has counted nothing yet.
func NewLimiter() *Limiter { return &Limiter{buckets: make(map[string]*rate.Limiter)} }

// Admission is a limiter's answer.
type Admission struct {
	OK bool
	// Limit is how many a second; 0 means that there is no limit, and then the rest says nothing.
	Limit int
	// Remaining is how many more would be admitted now.
	Remaining int
	// RetryAfter is when the same would be admitted, if it was not; 0 for what never will be.
	RetryAfter time.Duration
}

// Never tells whether the same will never be admitted, because it is more than a whole second's worth.
func (a Admission) Never() bool { return !a.OK && a.RetryAfter == 0 }

// Messages asks for n messages of an app, all or none.
func (l *Limiter) Messages(app *App, n int) Admission {
	limit := app.Limits.MessagesPerSecond
	if limit == 0 {
		return Admission{OK: true}
	}
	now := time.Now()
	b := l.bucket(app.ID, limit, now)
	a := Admission{OK: b.AllowN(now, n), Limit: limit}
	tokens := b.TokensAt(now)
	a.Remaining = max(0, int(tokens))
	if !a.OK && n <= limit {
		a.RetryAfter = max(1, time.Duration(math.Ceil((float64(n)-tokens)/float64(limit)*float64(time.Second))))
	}
	return a
}

// bucket returns the app's bucket, with its limit as it is now.
func (l *Limiter) bucket(app string, limit int, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[app]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(limit), limit)
		l.buckets[app] = b
		return b
	}
	if b.Burst() != limit {
		b.SetLimitAt(now, rate.Limit(limit))
		b.SetBurstAt(now, limit)
	}
	return b
}
