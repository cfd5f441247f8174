package bench

import "context"

// runConnect opens sockets as fast as the server takes them, so many at once, each with a subscription.
func (r *round) runConnect(ctx context.Context) error {
	r.inviteSpread(true)
	from, to, err := r.measure(func() error { return r.openSockets(ctx) })
	if err != nil {
		return err
	}
	n := int64(len(r.audience.sockets))
	r.out.Rates.Connects = float64(n) / r.out.Seconds
	r.serverUse(from, to, n)
	r.settleCounts()
	return nil
}

// runIdle opens sockets and holds them, to see what they take. It compares with what the process had before, so it says
// most of a process that has just been started.
func (r *round) runIdle(ctx context.Context) error {
	r.inviteSpread(!r.cfg.Bare)
	from, to, err := r.measure(func() error {
		if err := r.openSockets(ctx); err != nil {
			return err
		}
		return r.pass(ctx, "holding", r.cfg.Settle)
	})
	if err != nil {
		return err
	}
	n := int64(len(r.audience.sockets))
	r.serverUse(from, to, n)
	if r.out.Server != nil {
		r.out.Server.PerConnection = float64(to.server.rss-from.server.rss) / float64(n)
	}
	r.settleCounts()
	return nil
}

// inviteSpread spreads the sockets evenly over the channels.
func (r *round) inviteSpread(subscribe bool) {
	n := r.cfg.Subscribers
	r.audience.invite(audienceConfig{
		sockets: n, perChannel: max(1, n/r.cfg.Channels), atOnce: subscribe,
	})
	r.audience.timed = true
}
