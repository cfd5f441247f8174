package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pealhq/peal/usage"
	"github.com/pealhq/peal/usage/pgusage"
	"github.com/pealhq/peal/usage/redisusage"
)

// metering is how what apps use gets from this edge into the database: by Redis, where the edges share one, and a worker that
// every process has, or directly.
type metering struct {
	store  *pgusage.Store
	meter  *usage.Meter
	rollup *usage.Rollup // nil without Redis
}

// openMetering makes it. The edge counts for nobody before it runs.
func (p *platform) openMetering() {
	m := &p.metering
	m.store = pgusage.New(p.store.db)
	var sink usage.Sink = m.store
	if p.limitsClient != nil {
		queue := redisusage.New(redisusage.Config{Client: p.limitsClient, Prefix: p.cfg.settings.text(setRedisPrefix)})
		m.rollup = usage.NewRollup(usage.RollupConfig{Queue: queue, Store: m.store, Logger: p.cfg.log})
		sink = queue
	}
	m.meter = usage.NewMeter(usage.Config{Sink: sink, Logger: p.cfg.log})
	p.metrics.MustRegister(m.meter.Collectors()...)
}

// runMetering counts, adds up, compares with limits and removes what is too old until ctx ends.
func (p *platform) runMetering(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error { return p.metering.meter.Run(ctx) })
	if p.metering.rollup != nil {
		all.Go(func() error { return p.metering.rollup.Run(ctx) })
	}
	all.Go(func() error { return p.newWatch().Run(ctx) })
	all.Go(func() error { return p.sweepUsage(ctx) })
	return all.Wait()
}

func (p *platform) sweepUsage(ctx context.Context) error {
	return p.sweep(ctx, "usage", 10*time.Minute, func(ctx context.Context) error {
		_, err := p.metering.store.Sweep(ctx, time.Now())
		return err
	})
}
