package chaos

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/stack"
)

// watch asks every edge again and again whether it is ready.
type watch struct {
	clock   crowd.Clock
	running sync.WaitGroup
	end     context.CancelFunc

	mu   sync.Mutex
	seen [][]sight // guarded by mu; by edge
}

// sight is what /readyz said.
type sight struct {
	at   time.Duration
	code int
	bus  string
}

const watchEvery = 100 * time.Millisecond

func startWatch(ctx context.Context, clock crowd.Clock, edges []*stack.Edge) *watch {
	w := &watch{clock: clock, seen: make([][]sight, len(edges))}
	ctx, w.end = context.WithCancel(ctx)
	for i, e := range edges {
		w.running.Go(func() {
			tick := time.NewTicker(watchEvery)
			defer tick.Stop()
			for ctx.Err() == nil {
				r := e.Readiness(ctx)
				w.mu.Lock()
				w.seen[i] = append(w.seen[i], sight{w.clock.Now(), r.Code, r.Checks["bus"]})
				w.mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return w
}

func (w *watch) stop() {
	w.end()
	w.running.Wait()
}

// notReady is when an edge first said, after a time, that clients should not be sent to it; false for never.
func (w *watch) notReady(edge int, after time.Duration) (time.Duration, bool) {
	return w.first(edge, after, func(s sight) bool { return s.code == http.StatusServiceUnavailable })
}

// ready is when it was ready again.
func (w *watch) ready(edge int, after time.Duration) (time.Duration, bool) {
	return w.first(edge, after, func(s sight) bool { return s.code == http.StatusOK })
}

func (w *watch) first(edge int, after time.Duration, is func(sight) bool) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen[edge] {
		if s.at >= after && is(s) {
			return s.at, true
		}
	}
	return 0, false
}
