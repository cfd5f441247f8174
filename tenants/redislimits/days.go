package redislimits

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/tenants/limits"
)

var (
	//go:embed day.lua
	dayLua string
	//go:embed return.lua
	returnLua string
)

// dayLife is for how long a day is remembered: no edge's clock is so wrong that it would ask for it later.
const dayLife = 48 * time.Hour

// Ledger is a [limits.Ledger] on Redis. All methods may be called at the same time.
type Ledger struct {
	rates     *Rates
	edge      string // this edge among those that use days without a lease
	day, back *redis.Script
}

var _ limits.Ledger = (*Ledger)(nil)

// Ledger returns the ledger that is on the same Redis, and knows the same edges.
func (r *Rates) Ledger() *Ledger {
	return &Ledger{rates: r, edge: rand.Text(), day: redis.NewScript(dayLua), back: redis.NewScript(returnLua)}
}

// Key returns the key in Redis of an owner's day.
func (l *Ledger) Key(owner string, day limits.Day) string {
	return "{" + l.rates.cfg.Prefix + owner + "}d:" + string(day)
}

// Lease implements [limits.Ledger].
func (l *Ledger) Lease(ctx context.Context, owner string, day limits.Day, need, want, limit, alone int) (leased, used int, err error) {
	key := l.Key(owner, day)
	reply, err := l.day.Run(ctx, l.rates.cfg.Client, []string{key, key + ":alone"},
		need, want, limit, l.rates.edges.Load(), alone, l.edge, dayLife.Milliseconds()).Int64Slice()
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("lease of the day: %w", err)
	case len(reply) != 2:
		return 0, 0, limits.ErrNoEntry
	}
	return int(reply[0]), int(reply[1]), nil
}

// Return implements [limits.Ledger].
func (l *Ledger) Return(ctx context.Context, owner string, day limits.Day, n int) error {
	if err := l.back.Run(ctx, l.rates.cfg.Client, []string{l.Key(owner, day)}, n).Err(); err != nil {
		return fmt.Errorf("give back of the day: %w", err)
	}
	return nil
}

// Begin implements [limits.Ledger].
func (l *Ledger) Begin(ctx context.Context, owner string, day limits.Day, used int) error {
	err := l.rates.cfg.Client.SetArgs(ctx, l.Key(owner, day), used, redis.SetArgs{Mode: "NX", TTL: dayLife}).Err()
	if err != nil && !errors.Is(err, redis.Nil) { // Nil is that another edge was faster.
		return fmt.Errorf("begin a day: %w", err)
	}
	return nil
}

// Used implements [limits.Ledger].
func (l *Ledger) Used(ctx context.Context, owner string, day limits.Day) (int, error) {
	used, err := l.rates.cfg.Client.Get(ctx, l.Key(owner, day)).Int()
	switch {
	case errors.Is(err, redis.Nil):
		return 0, limits.ErrNoEntry
	case err != nil:
		return 0, fmt.Errorf("read a day: %w", err)
	}
	return used, nil
}
