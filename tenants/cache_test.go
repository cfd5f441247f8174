package tenants_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/tenants"
)

// shelf is a loader over a map, which can be put away.
type shelf struct {
	mu    sync.Mutex
	apps  map[string]*tenants.App
	away  bool
	loads atomic.Int64
	// during runs inside a load, after the app was read.
	during func()
}

func newShelf(apps ...*tenants.App) *shelf {
	s := &shelf{apps: map[string]*tenants.App{}}
	for _, a := range apps {
		s.apps[a.ID] = a
	}
	return s
}

func (s *shelf) put(a *tenants.App) { s.mu.Lock(); s.apps[a.ID] = a; s.mu.Unlock() }
func (s *shelf) remove(id string)   { s.mu.Lock(); delete(s.apps, id); s.mu.Unlock() }
func (s *shelf) setAway(away bool)  { s.mu.Lock(); s.away = away; s.mu.Unlock() }
func (s *shelf) AppByID(_ context.Context, id string) (*tenants.App, error) {
	return s.find(func(a *tenants.App) bool { return a.ID == id })
}

func (s *shelf) AppByKey(_ context.Context, public string) (*tenants.App, error) {
	return s.find(func(a *tenants.App) bool { _, ok := a.Key(public); return ok })
}

func (s *shelf) find(match func(*tenants.App) bool) (*tenants.App, error) {
	s.loads.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errors.New("connection refused")
	}
	for _, a := range s.apps {
		if match(a) {
			if during := s.during; during != nil {
				s.during = nil
				during()
			}
			return a, nil
		}
	}
	return nil, tenants.ErrNotFound
}

func app(id, name string, keys ...string) *tenants.App {
	a := &tenants.App{ID: id, Name: name, Enabled: true}
	for _, k := range keys {
		a.Keys = append(a.Keys, tenants.Key{Public: k, AppID: id, Scopes: tenants.ScopeAll, State: tenants.KeyActive})
	}
	return a
}

func wantName(t *testing.T, get func(context.Context, string) (*tenants.App, error), arg, name string) {
	t.Helper()
	a, err := get(t.Context(), arg)
	if err != nil {
		t.Fatalf("get %s: %v", arg, err)
	}
	if a.Name != name {
		t.Fatalf("get %s: name %q, want %q", arg, a.Name, name)
	}
}

func wantErr(t *testing.T, get func(context.Context, string) (*tenants.App, error), arg string, want error) {
	t.Helper()
	if _, err := get(t.Context(), arg); !errors.Is(err, want) {
		t.Fatalf("get %s: error %v, want %v", arg, err, want)
	}
}

func TestCacheAsksOnceAndSeesADropAtOnce(t *testing.T) {
	s := newShelf(app("7", "old", "k1"))
	c := tenants.NewCache(tenants.CacheConfig{Loader: s})
	for range 3 {
		wantName(t, c.ByKey, "k1", "old")
		wantName(t, c.ByID, "7", "old")
	}
	if n := s.loads.Load(); n != 1 {
		t.Errorf("%d loads for six questions, want 1", n)
	}
	s.put(app("7", "new", "k2"))
	wantName(t, c.ByID, "7", "old")
	c.Drop("7")
	wantName(t, c.ByID, "7", "new")
	wantErr(t, c.ByKey, "k1", tenants.ErrNotFound)
	wantName(t, c.ByKey, "k2", "new")
	s.remove("7")
	c.DropAll()
	wantErr(t, c.ByID, "7", tenants.ErrNotFound)
	wantErr(t, c.ByKey, "k2", tenants.ErrNotFound)
}

func TestCacheRemembersWhatIsUnknown(t *testing.T) {
	s := newShelf()
	c := tenants.NewCache(tenants.CacheConfig{Loader: s})
	for range 5 {
		wantErr(t, c.ByKey, "nobody", tenants.ErrNotFound)
	}
	if n := s.loads.Load(); n != 1 {
		t.Errorf("%d loads for five guesses, want 1", n)
	}
	s.put(app("8", "fresh", "nobody"))
	c.Drop("8")
	wantName(t, c.ByKey, "nobody", "fresh")
}

func TestCacheBoundsWhatItRemembers(t *testing.T) {
	s := newShelf()
	c := tenants.NewCache(tenants.CacheConfig{Loader: s, Unknown: 2})
	for _, k := range []string{"a", "b", "c", "a"} {
		wantErr(t, c.ByKey, k, tenants.ErrNotFound)
	}
	if n := s.loads.Load(); n != 4 {
		t.Errorf("%d loads, want 4: the first guess was to be forgotten", n)
	}
}

func TestCacheServesWhatItKnowsWhileTheLoaderIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(app("7", "known", "k"))
		c := tenants.NewCache(tenants.CacheConfig{Loader: s})
		wantName(t, c.ByKey, "k", "known")
		s.setAway(true)
		if !c.Current("7") || !c.Current("8") {
			t.Error("nothing has changed")
		}
		c.DropAll()
		wantName(t, c.ByKey, "k", "known")
		if c.Current("7") {
			t.Error("an answer that stands in is not told from others")
		}
		wantErr(t, c.ByKey, "other", tenants.ErrUnavailable)
		asked := s.loads.Load()
		for range 100 {
			wantName(t, c.ByID, "7", "known")
		}
		if n := s.loads.Load() - asked; n != 0 {
			t.Errorf("%d loads within a second of a failed one, want 0", n)
		}
		time.Sleep(9 * time.Minute)
		wantName(t, c.ByID, "7", "known")
		time.Sleep(2 * time.Minute)
		wantErr(t, c.ByID, "7", tenants.ErrUnavailable)
		s.setAway(false)
		time.Sleep(2 * time.Second)
		wantName(t, c.ByID, "7", "known")
		if !c.Current("7") {
			t.Error("what was asked for again is current")
		}
	})
}

func TestCacheAsksAgainWhenAnEntryHasAged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(app("7", "old", "k"))
		c := tenants.NewCache(tenants.CacheConfig{Loader: s})
		wantName(t, c.ByKey, "k", "old")
		s.put(app("7", "new", "k"))
		time.Sleep(31 * time.Second)
		wantName(t, c.ByKey, "k", "new")
	})
}

func TestCacheDoesNotKeepWhatChangedWhileItWasRead(t *testing.T) {
	s := newShelf(app("7", "old", "k"))
	c := tenants.NewCache(tenants.CacheConfig{Loader: s})
	s.during = func() {
		s.apps["7"] = app("7", "new", "k")
		c.Drop("7")
	}
	wantName(t, c.ByID, "7", "new")
}

func TestCacheUnderManyReadersAndDrops(t *testing.T) {
	s := newShelf(app("7", "x", "k"))
	c := tenants.NewCache(tenants.CacheConfig{Loader: s})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if _, err := c.ByKey(t.Context(), "k"); err != nil {
					t.Errorf("by key: %v", err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			c.Drop("7")
		}
	})
	wg.Wait()
}

func TestCacheAsksNobodyForWhatCannotExist(t *testing.T) {
	s := newShelf(app("7", "x", "k"))
	c := tenants.NewCache(tenants.CacheConfig{Loader: s})
	for _, name := range []string{"", "\x00", "\xff", "a b", strings.Repeat("k", 65), "k/../k"} {
		wantErr(t, c.ByKey, name, tenants.ErrNotFound)
		wantErr(t, c.ByID, name, tenants.ErrNotFound)
	}
	wantErr(t, c.ByID, "007", tenants.ErrNotFound)
	if n := s.loads.Load(); n != 0 {
		t.Errorf("%d loads for names that cannot exist, want 0", n)
	}
}
