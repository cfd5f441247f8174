package redislimits

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pealhq/peal/tenants/limits"
)

//go:embed lease.lua
var leaseLua string

const (
	// leaseLife is for how long a lease is good. Small limits are not leased ahead, but counted one by one.
	leaseLife  = 30 * time.Millisecond
	leaseGrain = 10 * time.Millisecond
	smallLimit = 25
	// aloneFor is how long an edge keeps to its share before it asks Redis again.
	aloneFor = 500 * time.Millisecond
)

// bucket is what this edge knows of one bound.
type bucket struct {
	rates *Rates
	key   string
	asked atomic.Int64 // when somebody last asked, in Unix nanoseconds

	mu         sync.Mutex
	window     limits.Window   // guarded by mu; what was admitted here
	tokens     int             // guarded by mu; leased and not used
	until      time.Time       // guarded by mu; when they are not good any more
	moment     string          // guarded by mu; when that is by Redis's clock
	unused     map[string]int  // guarded by mu; to be given back, by moment
	free       int             // guarded by mu; what Redis had left
	refused    time.Time       // guarded by mu; until then Redis has no room for refusedFor
	refusedFor int             // guarded by mu
	waiting    int             // guarded by mu; what is asked for by those who wait for the flight
	flight     <-chan struct{} // guarded by mu; closed when the lease that is under way has come; nil when none is
	alone      time.Time       // guarded by mu; until then Redis is not asked
	isAlone    bool            // guarded by mu; the last question was not answered
}

// known returns the refusal of which this edge knows without asking, or an admission.
func (b *bucket) known(now time.Time, n, limit int) limits.Admission {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > limit {
		return limits.Admission{Limit: limit, Remaining: b.remaining(limit)}
	}
	if now.Before(b.refused) && n >= b.refusedFor && n > b.leased(now) {
		return limits.Admission{Limit: limit, Remaining: b.remaining(limit), RetryAfter: b.refused.Sub(now)}
	}
	return limits.Admission{OK: true}
}

// remaining returns what is left. The caller holds mu.
func (b *bucket) remaining(limit int) int { return min(limit, max(0, b.free)+b.tokens) }

// leased returns what can be used without asking. What cannot any more is laid aside. The caller holds mu.
func (b *bucket) leased(now time.Time) int {
	if b.tokens > 0 && !now.Before(b.until) {
		b.layAside(b.tokens)
		b.tokens = 0
	}
	return b.tokens
}

// layAside notes what is to be given back. The caller holds mu.
func (b *bucket) layAside(n int) {
	if b.unused == nil {
		b.unused = make(map[string]int)
	}
	b.unused[b.moment] += n
}

// take asks for n, of what was leased or of Redis.
func (b *bucket) take(ctx context.Context, n, limit int) limits.Admission {
	patience := time.Now().Add(b.rates.cfg.Timeout)
	for {
		now := time.Now()
		if a := b.known(now, n, limit); !a.OK {
			return a
		}
		b.mu.Lock()
		if n <= b.leased(now) {
			b.tokens -= n
			b.window.Add(now, n)
			a := limits.Admission{OK: true, Limit: limit, Remaining: b.remaining(limit)}
			b.mu.Unlock()
			return a
		}
		if now.Before(b.alone) || b.isAlone && b.flight != nil {
			defer b.mu.Unlock()
			return b.takeAlone(now, n, limit)
		}
		if b.flight == nil {
			landed := make(chan struct{})
			b.flight = landed
			b.mu.Unlock()
			a, ok := b.fetch(ctx, n, limit)
			close(landed)
			if ok {
				return a
			}
			continue
		}
		if now.After(patience) {
			// Redis answers, but too slowly for all who ask: nobody is refused for that.
			defer b.mu.Unlock()
			return b.takeAlone(now, n, limit)
		}
		b.wait(n)
	}
}

// wait waits for the lease that is under way. The caller holds mu, and does not afterwards. The lease comes or fails in bounded
// time, so nobody who gives up meanwhile is kept for long.
func (b *bucket) wait(n int) {
	landed := b.flight
	b.waiting += n
	b.mu.Unlock()
	<-landed
	b.mu.Lock()
	b.waiting -= n
	b.mu.Unlock()
}

// takeAlone asks for n of this edge's share. The caller holds mu.
func (b *bucket) takeAlone(now time.Time, n, limit int) limits.Admission {
	b.rates.alone.Inc()
	share := b.rates.Share(limit)
	ok := b.window.Take(now, n, share)
	a := limits.Admission{OK: ok, Limit: limit, Remaining: max(0, share-b.window.Sum(now))}
	if !ok {
		a.RetryAfter = b.window.Wait(now, n, share)
		if a.RetryAfter == 0 { // It is more than a share, and may be less than the limit.
			a.RetryAfter = time.Second
		}
	}
	return a
}

// fetch gets a lease, of which n are for the caller. It ends the flight. Not ok is that Redis did not answer.
func (b *bucket) fetch(ctx context.Context, n, limit int) (a limits.Admission, ok bool) {
	sent := time.Now()
	b.mu.Lock()
	want := 0
	if limit >= smallLimit {
		want = b.waiting + int(float64(b.window.Sum(sent))*leaseLife.Seconds())
	}
	b.leased(sent)
	back := b.unused
	b.unused = nil
	b.mu.Unlock()

	got, err := b.ask(ctx, n, want, limit, back)

	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flight, b.isAlone = nil, err != nil
	if err != nil {
		b.alone = now.Add(aloneFor)
		b.rates.failed.Inc()
		b.rates.trouble(err)
		return a, false
	}
	b.free = got.free
	if got.leased == 0 {
		b.rates.refused.Inc()
		b.refused, b.refusedFor = now.Add(got.wait), n
		return limits.Admission{Limit: limit, Remaining: b.remaining(limit), RetryAfter: got.wait}, true
	}
	b.rates.granted.Inc()
	if b.tokens > 0 { // put back meanwhile
		b.layAside(b.tokens)
	}
	b.tokens, b.moment, b.until = got.leased-n, got.moment, sent.Add(leaseLife)
	b.window.Add(now, n)
	return limits.Admission{OK: true, Limit: limit, Remaining: b.remaining(limit)}, true
}

// answer is what the script returns.
type answer struct {
	leased, free int
	moment       string
	wait         time.Duration
}

// ask leases n and, if there is so much, some more, and gives back what was not used.
func (b *bucket) ask(ctx context.Context, n, want, limit int, back map[string]int) (answer, error) {
	// It serves everybody who waits for it, so it does not end with the first one's request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.rates.cfg.Timeout)
	defer cancel()
	over, life, grain := 0, time.Duration(0), time.Millisecond
	if limit >= smallLimit {
		life, grain = leaseLife, leaseGrain
		over = int(int64(limit) * int64(life+grain) / int64(time.Second))
	}
	args := []any{n, want, limit, over, life.Milliseconds(), grain.Milliseconds(), b.rates.edges.Load()}
	for moment, unused := range back {
		args = append(args, moment, unused)
	}
	reply, err := b.rates.lease.Run(ctx, b.rates.cfg.Client, []string{b.key}, args...).Slice()
	if err != nil {
		return answer{}, fmt.Errorf("lease: %w", err)
	}
	if len(reply) != 4 {
		return answer{}, fmt.Errorf("lease: redis answered with %d values", len(reply))
	}
	number := func(i int) int { v, _ := reply[i].(int64); return int(v) }
	moment, _ := reply[1].(string)
	return answer{number(0), number(2), moment, time.Duration(number(3)) * time.Millisecond}, nil
}

// putBack takes back what was admitted, because it is refused all the same.
func (b *bucket) putBack(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.window.Undo(n)
	if b.moment == "" { // It was admitted alone.
		return
	}
	if b.tokens > 0 && time.Now().Before(b.until) {
		b.tokens += n
		return
	}
	b.layAside(n)
}

// owes tells whether there is something to give back.
func (b *bucket) owes(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leased(now)
	return len(b.unused) > 0 && b.flight == nil && !now.Before(b.alone)
}

// settle gives back what was not used. What is lost on the way has an end of its own.
func (b *bucket) settle(ctx context.Context) error {
	b.mu.Lock()
	back := b.unused
	b.unused = nil
	b.mu.Unlock()
	_, err := b.ask(ctx, 0, 0, 0, back)
	return err
}
