package tenants_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/tenants"
)

// diary is a sink in memory.
type diary struct {
	mu    sync.Mutex
	last  map[string]time.Time // guarded by mu
	calls int                  // guarded by mu
	away  bool                 // guarded by mu
}

func (d *diary) WriteKeyUses(_ context.Context, uses map[string]time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.away {
		return errors.New("away")
	}
	maps.Copy(d.last, uses)
	return nil
}

func (d *diary) of(key string) (time.Time, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last[key], d.calls
}

func (d *diary) setAway(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = away
}

func TestKeyUses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{last: map[string]time.Time{}}
		uses := tenants.NewKeyUses(tenants.KeyUsesConfig{Sink: d, Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- uses.Run(ctx) }()
		s := newShelf()
		s.put(app("7", "chat", "abc", "idle"))
		c := tenants.NewCache(tenants.CacheConfig{Loader: s, Uses: uses})
		touch := func() time.Time {
			t.Helper()
			a, err := c.ByKey(t.Context(), "abc")
			if err != nil {
				t.Fatal(err)
			}
			k, _ := a.Key("abc")
			k.Use.Touch()
			return time.Now().Truncate(time.Minute)
		}
		want := func(what string, at time.Time, calls int) {
			t.Helper()
			synctest.Wait()
			if got, n := d.of("abc"); !got.Equal(at) || n != calls {
				t.Errorf("%s: %v after %d calls, want %v after %d", what, got, n, at, calls)
			}
		}
		first := touch()
		touch()
		time.Sleep(31 * time.Second)
		want("after a while", first, 1)
		time.Sleep(10 * time.Minute)
		want("nothing happens, and nobody is told", first, 1)

		// The cache reads the app anew meanwhile; the key's use is the same.
		d.setAway(true)
		touch()
		time.Sleep(5 * time.Minute)
		second := touch()
		time.Sleep(5 * time.Minute)
		d.setAway(false)
		time.Sleep(31 * time.Second)
		if got, _ := d.of("abc"); !got.Equal(second) {
			t.Errorf("after the sink was away: %v, want %v", got, second)
		}
		if got, _ := d.of("idle"); !got.IsZero() {
			t.Errorf("a key that nobody used was used at %v", got)
		}

		// What nobody had for long is forgotten, and counts again when it is there again.
		time.Sleep(3 * time.Hour)
		third := touch()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got, _ := d.of("abc"); !got.Equal(third) {
			t.Errorf("at the end: %v, want %v", got, third)
		}
	})
}

func TestTouchingAllocatesNothing(t *testing.T) {
	use := new(tenants.KeyUse)
	if n := testing.AllocsPerRun(100, use.Touch); n != 0 {
		t.Errorf("%v allocations", n)
	}
	(*tenants.KeyUse)(nil).Touch()
}
