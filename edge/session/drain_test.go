package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/session"
)

func TestDrain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		clients  int
		window   time.Duration
		within   time.Duration // of the context, 0 for no bound
		min, max time.Duration
	}{
		"nobody":              {0, 0, 0, 0, 0},
		"one":                 {1, 0, 0, 0, 0},
		"a few":               {100, 0, 0, 450 * time.Millisecond, 500 * time.Millisecond},
		"many":                {50_000, 0, 0, 9 * time.Second, 10 * time.Second},
		"many and no time":    {50_000, 0, 4 * time.Second, 1900 * time.Millisecond, 2 * time.Second},
		"when it is too late": {100, 0, time.Nanosecond, 0, time.Millisecond},
		"over a window":       {1000, 10 * time.Second, 20 * time.Second, 9900 * time.Millisecond, 10 * time.Second},
		"one over a window":   {1, 10 * time.Second, 20 * time.Second, 0, 0},
		"a longer window":     {1000, time.Minute, 0, 59 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.within)
					defer cancel()
				}
				started, told := time.Now(), map[int]bool{}
				clients := make([]int, c.clients)
				for i := range clients {
					clients[i] = i
				}
				session.Drain(ctx, c.window, clients, func(i int) { told[i] = true })
				if took := time.Since(started); took < c.min || took > c.max || len(told) != c.clients {
					t.Errorf("told %d in %v", len(told), took)
				}
			})
		})
	}
}

// TestDrainNeverHurries: no second has more than its share, also after one in which nothing could be done.
func TestDrainNeverHurries(t *testing.T) {
	t.Parallel()
	for _, n := range []int{7, 1000, 1024, 30_001} {
		synctest.Test(t, func(t *testing.T) {
			const window = 10 * time.Second
			var told []time.Time
			session.Drain(t.Context(), window, make([]int, n), func(int) {
				if told = append(told, time.Now()); len(told) == n/2 {
					time.Sleep(3 * time.Second)
				}
			})
			share := n/10 + max(1, n/1000) + 1
			for i := range told {
				if i+share < n && told[i+share].Sub(told[i]) < time.Second {
					t.Fatalf("of %d, %d were told in %v", n, share+1, told[i+share].Sub(told[i]))
				}
			}
			if took := told[n-1].Sub(told[0]); took > window+4*time.Second || n > 100 && took < window {
				t.Errorf("%d were told in %v", n, took)
			}
		})
	}
}

func TestDrainIsCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		started, told := time.Now(), 0
		session.Drain(ctx, 0, make([]int, 1000), func(int) {
			if told++; told == 100 {
				cancel()
			}
		})
		if took := time.Since(started); told != 1000 || took > 500*time.Millisecond {
			t.Errorf("told %d in %v", told, took)
		}
	})
}
