package usage

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// Batch is some of what waits in a [Queue].
type Batch struct {
	Intervals []Interval
	// IDs are how the queue knows them.
	IDs []string
}

// Queue is where the intervals of all edges wait. It is filled as a [Sink].
type Queue interface {
	Sink
	// Next returns the oldest that wait, or nothing when there is nothing or when it is another worker's turn. What was
	// returned stays until it is done, so a worker that dies leaves it to the next.
	Next(ctx context.Context) (Batch, error)
	// Done takes a batch off the queue.
	Done(ctx context.Context, b Batch) error
}

// RollupConfig is what a [Rollup] needs.
type RollupConfig struct {
	Queue Queue
	// Store takes what is in the queue. It must count an interval once however often it is handed over.
	Store  Sink
	Logger *slog.Logger
	// Pause is how long a worker leaves the queue alone when something is away (20 s). It should be longer than a worker's
	// turn, so that another one may try, for which it may not be away.
	Pause time.Duration
}

// Rollup is the worker that carries intervals from a queue into a store. Any number may run.
type Rollup struct {
	cfg      RollupConfig
	troubles rate.Sometimes
}

// rollupEvery is how often a worker looks. Edges hand over at about the same time, so that waiting a little lets their
// intervals be added up together.
const rollupEvery = 2 * time.Second

// NewRollup returns a worker that works while it runs.
func NewRollup(cfg RollupConfig) *Rollup {
	if cfg.Pause == 0 {
		cfg.Pause = 20 * time.Second
	}
	return &Rollup{cfg: cfg, troubles: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// Run works until ctx ends. While something is away it tries again; what waits is kept by the queue.
func (r *Rollup) Run(ctx context.Context) error {
	timer := time.NewTimer(rollupEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		wait, more, err := rollupEvery, true, error(nil)
		for more && err == nil {
			more, err = r.work(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.troubles.Do(func() { r.cfg.Logger.WarnContext(ctx, "usage is not added up; it waits", slog.Any("error", err)) })
			wait = r.cfg.Pause
		}
		timer.Reset(wait)
	}
}

// work carries one batch, and tells whether there may be more.
func (r *Rollup) work(ctx context.Context) (more bool, err error) {
	b, err := r.cfg.Queue.Next(ctx)
	if err != nil {
		return false, fmt.Errorf("read the queue of usage: %w", err)
	}
	if len(b.IDs) == 0 {
		return false, nil
	}
	if err := r.cfg.Store.Write(ctx, b.Intervals); err != nil {
		return false, fmt.Errorf("write usage: %w", err)
	}
	if err := r.cfg.Queue.Done(ctx, b); err != nil {
		return false, fmt.Errorf("take usage off the queue: %w", err)
	}
	return true, nil
}
