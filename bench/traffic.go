package bench

import (
	"context"
	"fmt"
	"time"
)

// runTraffic publishes to channels with listeners: one channel with many (fanout, cluster), or many with few (channels).
func (r *round) runTraffic(ctx context.Context) error {
	cfg := r.cfg
	r.press.perChannel = cfg.Subscribers
	r.audience.invite(audienceConfig{
		sockets: cfg.sockets(), perChannel: cfg.Subscribers, streams: streams(cfg.Publishers, cfg.Channels), atOnce: true,
	})
	if err := r.openSockets(ctx); err != nil {
		return err
	}
	slow, err := r.openSlow(ctx)
	defer slow.hangUp()
	if err != nil {
		return err
	}
	if err := r.openPublishers(ctx); err != nil {
		return err
	}
	r.press.start(r.loop.Now())
	if err := r.pass(ctx, "warming up", cfg.Warmup); err != nil {
		return err
	}
	from, to, err := r.measure(func() error { return r.pass(ctx, "measuring", cfg.Duration) })
	if err != nil {
		return err
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	delivered := to.counts.delivered - from.counts.delivered
	r.out.Rates.Deliveries = float64(delivered) / r.out.Seconds
	r.out.Rates.Publishes = float64(to.counts.published-from.counts.published) / r.out.Seconds
	r.serverUse(from, to, delivered)
	r.settleCounts()
	return nil
}

func (r *round) openSockets(ctx context.Context) error {
	r.audience.advance()
	a := r.audience
	if err := r.until(ctx, "opening sockets", func() int { return a.standing + a.listening }, a.complete); err != nil {
		return err
	}
	r.out.Sockets = len(a.sockets)
	return nil
}

func (r *round) openPublishers(ctx context.Context) error {
	if err := r.press.hire(r.cfg.Publishers); err != nil {
		return err
	}
	return r.until(ctx, "connecting publishers", func() int { return r.press.standing }, r.press.complete)
}

// drain waits for what is under way.
func (r *round) drain(ctx context.Context) error {
	r.press.stop()
	end := r.loop.Now() + r.cfg.Drain
	return r.loop.Run(ctx, func(now time.Duration) (time.Duration, bool) {
		r.report.progress("draining", r)
		c := &r.tally.counts
		return end, now >= end || r.press.quiet() && c.delivered >= c.expected
	})
}

func (r *round) settleCounts() {
	c := r.tally.counts
	r.out.Counts = Counts{
		Published: c.published, Refused: c.refused, Expected: c.expected, Delivered: c.delivered, Lost: r.tally.lost(),
		Duplicates: c.duplicates, OutOfOrder: c.outOfOrder, Misplaced: c.misplaced, Dropped: c.dropped, Notices: c.notices,
	}
	if r.out.RefusedFor = r.press.refuse; r.out.RefusedFor == "" && c.dropped > 0 && r.audience.failed != nil {
		r.out.RefusedFor = r.audience.failed.Error()
	}
}

// runPublish publishes to channels that nobody listens to.
func (r *round) runPublish(ctx context.Context) error {
	r.press.batch = r.cfg.Batch
	if err := r.openPublishers(ctx); err != nil {
		return err
	}
	r.press.start(r.loop.Now())
	if err := r.pass(ctx, "warming up", r.cfg.Warmup); err != nil {
		return err
	}
	from, to, err := r.measure(func() error { return r.pass(ctx, "measuring", r.cfg.Duration) })
	if err != nil {
		return err
	}
	if err := r.drain(ctx); err != nil {
		return err
	}
	published := to.counts.published - from.counts.published
	r.out.Rates.Publishes = float64(published) / r.out.Seconds
	r.serverUse(from, to, published)
	r.settleCounts()
	if published == 0 {
		return fmt.Errorf("nothing was published: %s", r.press.refuse)
	}
	return nil
}
