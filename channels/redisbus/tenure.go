package redisbus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// lease is in whose name an edge has something in Redis.
type lease struct {
	id string

	mu   sync.Mutex
	apps map[string]struct{} // guarded by mu; where who sweeps the lease will look
}

// tenure is the lease that the edge holds now.
type tenure struct {
	kick chan struct{} // of capacity 1; renew now

	mu      sync.Mutex
	lease   *lease        // guarded by mu; nil before the first
	ends    time.Time     // guarded by mu; by our clock
	endsAt  int64         // guarded by mu; by Redis's, in milliseconds
	redis   int64         // guarded by mu; what Redis's clock showed
	ours    time.Time     // guarded by mu; when it showed that
	epoch   string        // guarded by mu
	run     string        // guarded by mu; which run of the server we know
	steady  time.Time     // guarded by mu; since when no renewal was missed
	changed chan struct{} // guarded by mu; closed and replaced when the lease is renewed
}

func (t *tenure) init() {
	t.kick, t.changed = make(chan struct{}, 1), make(chan struct{})
}

var errNoLease = errors.New("this edge has no lease at the moment")

// renewNow has the lease renewed without delay.
func (t *tenure) renewNow() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// mandate is what a script needs to act in the name of a lease.
type mandate struct {
	lease    *lease
	deadline int64 // by Redis's clock, in milliseconds
}

// now returns a mandate, unless the lease has run out.
func (t *tenure) now(life time.Duration) (mandate, <-chan struct{}, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.lease == nil || !now.Before(t.ends) {
		return mandate{}, t.changed, false
	}
	until := t.redis + now.Add(life).Sub(t.ours).Milliseconds()
	return mandate{t.lease, min(until, t.endsAt)}, nil, true
}

// lost says that a lease is not ours any more.
func (t *tenure) lost(l *lease) {
	t.mu.Lock()
	if t.lease == l {
		t.ends = time.Time{}
	}
	t.mu.Unlock()
	t.renewNow()
}

// holds tells whether a lease is the one that the edge holds.
func (t *tenure) holds(l *lease) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lease == l
}

// steadyFor tells for how long no renewal was missed.
func (t *tenure) steadyFor() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.steady.IsZero() {
		return 0
	}
	return time.Since(t.steady)
}

// mandate returns what a script needs that will leave something in an app. It waits for a lease as long as ctx allows.
func (b *Bus) mandate(ctx context.Context, app string) (mandate, error) {
	if !b.running.Load() {
		return mandate{}, errNotRunning
	}
	for {
		m, changed, ok := b.tenure.now(b.cfg.life())
		if ok {
			switch enlisted, err := b.enlist(ctx, m.lease, app); {
			case err != nil:
				return mandate{}, err
			case enlisted:
				return m, nil
			}
			b.tenure.lost(m.lease)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return mandate{}, errNoLease
		}
	}
}

// enlist has who sweeps the lease look into the app, before there is anything of it.
func (b *Bus) enlist(ctx context.Context, l *lease, app string) (bool, error) {
	l.mu.Lock()
	_, there := l.apps[app]
	l.mu.Unlock()
	if there {
		return true, nil
	}
	reply, err := b.eval(ctx, b.scripts.enlist, b.names.none(), l.id, app)
	if err != nil {
		return false, err
	}
	if text(reply, 0) != "OK" {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.apps[app] = struct{}{}
	return true, nil
}

// keepLease renews the lease until ctx ends.
func (b *Bus) keepLease(ctx context.Context) {
	var troubled bool
	for {
		pause := b.cfg.renewEvery()
		if err := b.renew(ctx); err != nil {
			pause /= 10
			if !troubled && ctx.Err() == nil {
				b.cfg.Logger.WarnContext(ctx, "the lease of this edge was not renewed, trying on", slog.Any("error", err))
			}
			troubled = true
		} else {
			troubled = false
		}
		select {
		case <-time.After(pause):
		case <-b.tenure.kick:
		case <-ctx.Done():
			return
		}
	}
}

// renew renews the lease, or begins a new one where that has become impossible.
func (b *Bus) renew(ctx context.Context) error {
	t := &b.tenure
	t.mu.Lock()
	held := t.lease
	t.mu.Unlock()
	if held == nil {
		b.otherRun(ctx)
		return b.begin(ctx)
	}
	renewed, lostAll, err := b.extend(ctx, held, false)
	if err != nil {
		t.mu.Lock()
		t.steady = time.Time{}
		t.mu.Unlock()
		return err
	}
	if renewed {
		return b.renewAfterRestart(ctx, held)
	}
	b.otherRun(ctx) // What follows is right for another run, too.
	if err := b.begin(ctx); err != nil {
		return err
	}
	b.cfg.Logger.WarnContext(ctx, "this edge has a new lease and notes again what it holds",
		slog.Bool("taken_for_dead", !lostAll), slog.Bool("redis_lost_its_data", lostAll))
	b.joins.rejoinAll(lostAll)
	return nil
}

// begin takes a new lease.
func (b *Bus) begin(ctx context.Context) error {
	l := &lease{id: rand.Text()[:12], apps: make(map[string]struct{})}
	if _, _, err := b.extend(ctx, l, true); err != nil {
		return err
	}
	b.metrics.newLeases.Inc()
	return nil
}

// renewAfterRestart takes a new lease when another server answers than before, or the same one started anew: what it
// holds may lack the last moments. All that we hold is noted under the new lease, and then the old one is swept, with
// which goes whatever should not be there. Nobody who was there all the time is told of in between.
func (b *Bus) renewAfterRestart(ctx context.Context, held *lease) error {
	if !b.otherRun(ctx) {
		return nil
	}
	if err := b.begin(ctx); err != nil {
		b.tenure.mu.Lock()
		b.tenure.run = "still to be dealt with"
		b.tenure.mu.Unlock()
		return err
	}
	b.cfg.Logger.WarnContext(ctx, "redis has started anew or handed over; this edge has a new lease and notes again what it holds")
	b.joins.abandon(held)
	b.joins.rejoinAll(false)
	return nil
}

// extend has a lease begin or go on. lostAll says that Redis is not as we knew it.
func (b *Bus) extend(ctx context.Context, l *lease, fresh bool) (renewed, lostAll bool, err error) {
	began, isNew := time.Now(), "0"
	if fresh {
		isNew = "1"
	}
	node, err := json.Marshal(b.nodeNow())
	if err != nil {
		return false, false, err
	}
	reply, err := b.eval(ctx, b.scripts.renew, b.names.none(),
		l.id, b.cfg.Lease.Milliseconds(), string(node), isNew, rand.Text()[:12])
	if err != nil {
		return false, false, err
	}
	if text(reply, 3) == "drain" && !b.drains.Swap(true) && b.cfg.Drain != nil {
		b.cfg.Drain()
	}
	now, epoch := number(reply, 1), text(reply, 2)
	t := &b.tenure
	t.mu.Lock()
	defer t.mu.Unlock()
	lostAll = t.epoch != "" && t.epoch != epoch
	if text(reply, 0) != "OK" {
		t.ends = time.Time{}
		t.epoch = epoch
		return false, lostAll, nil
	}
	// Redis may have stood still, or this process: then the others' leases ran out through no fault of theirs.
	missed := now-t.redis > 2*b.cfg.renewEvery().Milliseconds()
	if t.steady.IsZero() || missed {
		t.steady = time.Now()
	}
	t.lease, t.epoch, t.redis, t.ours = l, epoch, now, began
	t.ends, t.endsAt = began.Add(b.cfg.Lease), now+b.cfg.Lease.Milliseconds()
	close(t.changed)
	t.changed = make(chan struct{})
	return true, lostAll, nil
}

// otherRun tells whether the server is another than when it was last looked at, or was started anew.
func (b *Bus) otherRun(ctx context.Context) bool {
	run := b.serverRun(ctx)
	if run == "" {
		return false
	}
	t := &b.tenure
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.run
	t.run = run
	return known != "" && known != run
}

// serverRun returns what is different each time that a server starts, empty where there are several servers or where it
// cannot be had.
func (b *Bus) serverRun(ctx context.Context) string {
	if b.isCluster() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	info, err := b.client.Info(ctx, "server").Result()
	if err != nil {
		return ""
	}
	return infoField(info, "run_id")
}

// infoField finds a line of what INFO returns.
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
