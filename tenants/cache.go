package tenants

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Loader reads an app with its active keys from where apps are kept. Both methods return [ErrNotFound] for
// what does not exist, and any other error when the answer cannot be had.
type Loader interface {
	AppByID(ctx context.Context, id string) (*App, error)
	AppByKey(ctx context.Context, public string) (*App, error)
}

// CacheConfig is what a [Cache] needs. Zero durations and numbers mean the defaults named beside them.
type CacheConfig struct {
	Loader Loader
	// Fresh is how long an entry is used without asking again (30 s). It bounds how late a change is seen
	// when the notice of it was lost.
	Fresh time.Duration
	// Stale is how long an entry may be used while the loader fails (10 min).
	Stale time.Duration
	// Retry is how long a failed load is remembered, so that a database that is away is not asked by every
	// socket (1 s).
	Retry time.Duration
	// Timeout bounds one load (2 s).
	Timeout time.Duration
	// Unknown bounds how many keys and ids that do not exist are remembered (10,000), so that whoever
	// guesses keys neither fills the memory nor the database's time.
	Unknown int
	// Uses is where it is noted when keys are used; nil where nobody does.
	Uses *KeyUses
}

// Cache is the edge's view of apps. An app that is known goes on working while its loader is away. Reads
// take no lock. All methods may be called at once.
type Cache struct {
	cfg  CacheConfig
	load singleflight.Group
	// apps maps an id to its *entry, keys a public key to the id of its app.
	apps, keys sync.Map
	// drops counts the drops, so that a load that began before one does not bring the old state back.
	drops atomic.Uint64

	mu sync.Mutex
	// unknown maps "id:…" and "key:…" to when they may be asked for again. Guarded by mu.
	unknown map[string]time.Time
	// failed maps the same names to a load that failed. Guarded by mu.
	failed map[string]failure
}

type entry struct {
	app    *App
	loaded time.Time
	// dropped says that the app may have changed since it was loaded.
	dropped atomic.Bool
}

// NewCache returns an empty cache.
func NewCache(cfg CacheConfig) *Cache {
	orDefault(&cfg.Fresh, 30*time.Second)
	orDefault(&cfg.Stale, 10*time.Minute)
	orDefault(&cfg.Retry, time.Second)
	orDefault(&cfg.Timeout, 2*time.Second)
	orDefault(&cfg.Unknown, 10_000)
	return &Cache{cfg: cfg, unknown: map[string]time.Time{}, failed: map[string]failure{}}
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// ByID returns the app of this id with its active keys. Errors: [ErrNotFound], [ErrUnavailable], or that of ctx.
// The app is shared: do not change it.
func (c *Cache) ByID(ctx context.Context, id string) (*App, error) {
	if app := c.fresh(id); app != nil {
		return app, nil
	}
	if !appIDPattern.MatchString(id) {
		// No such id can be given. Nobody is asked, and nothing is remembered.
		return nil, fmt.Errorf("app by id: %w", ErrNotFound)
	}
	return c.fetch(ctx, "id:"+id, id, func(ctx context.Context) (*App, error) { return c.cfg.Loader.AppByID(ctx, id) })
}

// ByKey returns the app that an active key opens. Errors and sharing are those of [Cache.ByID].
func (c *Cache) ByKey(ctx context.Context, public string) (*App, error) {
	if id, ok := c.keys.Load(public); ok {
		app, err := c.ByID(ctx, id.(string)) //nolint:forcetypeassert // keys holds nothing but strings
		if err == nil {
			return openedBy(app, public)
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		c.keys.Delete(public)
	}
	if !keyPattern.MatchString(public) {
		return nil, fmt.Errorf("app by key: %w", ErrNotFound)
	}
	app, err := c.fetch(ctx, "key:"+public, "", func(ctx context.Context) (*App, error) { return c.cfg.Loader.AppByKey(ctx, public) })
	if err != nil {
		return nil, err
	}
	return openedBy(app, public)
}

func openedBy(app *App, public string) (*App, error) {
	if _, ok := app.Key(public); !ok {
		return nil, fmt.Errorf("key %s: %w", public, ErrNotFound)
	}
	return app, nil
}

// Drop makes the next question for the app ask the loader again. The old answer is kept for the time in
// which the loader fails.
func (c *Cache) Drop(appID string) {
	c.drops.Add(1)
	if e := c.entry(appID); e != nil {
		e.dropped.Store(true)
	}
	c.forget()
}

// DropAll drops every app, for when notices of changes may have been lost.
func (c *Cache) DropAll() {
	c.drops.Add(1)
	c.apps.Range(func(_, e any) bool {
		e.(*entry).dropped.Store(true) //nolint:forcetypeassert // apps holds nothing but *entry
		return true
	})
	c.forget()
}

// Current tells whether nothing that was told of an app since is missing in what the cache answers for it. It is not while the
// loader fails and an older answer stands in.
func (c *Cache) Current(id string) bool {
	e := c.entry(id)
	return e == nil || !e.dropped.Load()
}

func (c *Cache) entry(id string) *entry {
	e, ok := c.apps.Load(id)
	if !ok {
		return nil
	}
	return e.(*entry) //nolint:forcetypeassert // apps holds nothing but *entry
}

// fresh returns the app when it may be used without asking.
func (c *Cache) fresh(id string) *App {
	e := c.entry(id)
	if e == nil || e.dropped.Load() || time.Since(e.loaded) > c.cfg.Fresh {
		return nil
	}
	return e.app
}

// fetch asks the loader, once for all who ask for the same name at the same time. known is the id of the
// app when an older answer may stand in, or empty.
func (c *Cache) fetch(ctx context.Context, name, known string, load func(context.Context) (*App, error)) (*App, error) {
	if err := c.remembered(name); err != nil {
		return c.standIn(known, err)
	}
	// The load serves everybody who waits for it, so it does not end with the first one's request.
	// Nobody who asks after a drop joins a load that began before it.
	flight := name + "@" + strconv.FormatUint(c.drops.Load(), 10)
	result := c.load.DoChan(flight, func() (any, error) { return c.loadOnce(context.WithoutCancel(ctx), name, load) })
	select {
	case r := <-result:
		if r.Err != nil {
			return c.standIn(known, r.Err)
		}
		return r.Val.(*App), nil //nolint:forcetypeassert // loadOnce returns nothing else
	case <-ctx.Done():
		return nil, fmt.Errorf("load app by %s: %w", name, ctx.Err())
	}
}

func (c *Cache) loadOnce(ctx context.Context, name string, load func(context.Context) (*App, error)) (*App, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	for {
		before := c.drops.Load()
		started := time.Now()
		app, err := load(ctx)
		if err != nil {
			return nil, c.remember(name, before, err)
		}
		if c.cfg.Uses != nil {
			for i := range app.Keys {
				app.Keys[i].Use = c.cfg.Uses.of(app.Keys[i].Public)
			}
		}
		c.apps.Store(app.ID, &entry{app: app, loaded: started})
		for _, k := range app.Keys {
			c.keys.Store(k.Public, app.ID)
		}
		// Something changed while we read: what was just stored may be the old state. A drop counts first and
		// marks entries then, so either it marks this one or we see its count.
		if c.drops.Load() == before {
			return app, nil
		}
	}
}

// standIn decides what to answer when the loader gave no app: an app that is gone is forgotten; when the
// loader failed, an older answer that is not too old stands in.
func (c *Cache) standIn(known string, err error) (*App, error) {
	e := c.entry(known)
	if e == nil {
		return nil, err
	}
	if errors.Is(err, ErrNotFound) {
		c.apps.CompareAndDelete(known, e)
		return nil, err
	}
	if time.Since(e.loaded) > c.cfg.Stale {
		return nil, err
	}
	return e.app, nil
}
