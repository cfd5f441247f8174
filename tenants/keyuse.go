package tenants

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// KeyUse is when one key was last used on this edge, to the minute. Its methods may be called at once and on nil, allocate
// nothing and take no lock.
type KeyUse struct {
	minute atomic.Int64 // since 1970; 0 for never

	// Of the KeyUses, guarded by its mu.
	told     int64     // the minute that the sink knows of
	handedTo time.Time // when somebody last got it
}

// Touch notes that the key is used now.
func (u *KeyUse) Touch() {
	if u == nil {
		return
	}
	// Written once a minute, so that processors do not take the line from one another with each request.
	if now := time.Now().Unix() / 60; u.minute.Load() != now {
		u.minute.Store(now)
	}
}

// Last returns in which minute the key was last used, or the zero time.
func (u *KeyUse) Last() time.Time {
	if u == nil || u.minute.Load() == 0 {
		return time.Time{}
	}
	return time.Unix(u.minute.Load()*60, 0).UTC()
}

// KeyUseSink keeps when keys were last used. A time that is older than what it knows changes nothing.
type KeyUseSink interface {
	WriteKeyUses(ctx context.Context, lastUsed map[string]time.Time) error
}

// KeyUsesConfig is what [KeyUses] need. Zero fields mean the defaults named beside them.
type KeyUsesConfig struct {
	Sink   KeyUseSink
	Logger *slog.Logger
	// Every is how often the sink is told (30 s).
	Every time.Duration
}

// KeyUses are when keys were last used on this edge. The [Cache] gives each key that it loads its [KeyUse]; what is new since
// then is told to a sink every so often. While that is away nothing is lost: of each key there is only its last minute to
// tell.
type KeyUses struct {
	cfg      KeyUsesConfig
	troubles rate.Sometimes

	mu   sync.Mutex
	uses map[string]*KeyUse // by the public key; guarded by mu
}

const (
	// forgetUse is how long nobody must have asked for a key's use for it to be given up, which is longer than a cache goes on
	// with what it has.
	forgetUse = time.Hour
	// tellUses bounds one attempt to tell.
	tellUses = 5 * time.Second
	// usesAtOnce is how many keys the sink is told of at a time; the others wait for the next.
	usesAtOnce = 10_000
)

// NewKeyUses returns uses of no key. They are told while it runs.
func NewKeyUses(cfg KeyUsesConfig) *KeyUses {
	if cfg.Every == 0 {
		cfg.Every = 30 * time.Second
	}
	return &KeyUses{cfg: cfg, troubles: rate.Sometimes{First: 1, Interval: time.Minute}, uses: make(map[string]*KeyUse)}
}

// of returns the use of a key, or nil where nobody counts.
func (u *KeyUses) of(public string) *KeyUse {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.uses[public]
	if one == nil {
		one = new(KeyUse)
		u.uses[public] = one
	}
	one.handedTo = time.Now()
	return one
}

// Run tells the sink until ctx ends, and then of what is left.
func (u *KeyUses) Run(ctx context.Context) error {
	tick := time.NewTicker(u.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.tell(ctx)
		case <-ctx.Done():
			u.tell(context.WithoutCancel(ctx))
			return nil
		}
	}
}

func (u *KeyUses) tell(ctx context.Context) {
	fresh := u.fresh(time.Now())
	if len(fresh) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellUses)
	defer cancel()
	if err := u.cfg.Sink.WriteKeyUses(ctx, fresh); err != nil {
		u.troubles.Do(func() {
			u.cfg.Logger.WarnContext(ctx, "when keys were last used is not kept; trying again later", slog.Int("keys", len(fresh)), slog.Any("error", err))
		})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for public, at := range fresh {
		if one := u.uses[public]; one != nil {
			one.told = at.Unix() / 60
		}
	}
}

// fresh returns the keys that were used since the sink was told of them, and forgets those that nobody has any more.
func (u *KeyUses) fresh(now time.Time) map[string]time.Time {
	fresh := make(map[string]time.Time)
	u.mu.Lock()
	defer u.mu.Unlock()
	for public, one := range u.uses {
		switch minute := one.minute.Load(); {
		case len(fresh) == usesAtOnce:
			return fresh
		case minute != one.told:
			fresh[public] = one.Last()
		case now.Sub(one.handedTo) > forgetUse:
			delete(u.uses, public)
		}
	}
	return fresh
}
