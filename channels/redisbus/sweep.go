package redisbus

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// sweepBatch is how many subscriptions of a dead lease one script takes back.
const sweepBatch = 200

// sweep looks for leases that have run out, and takes back what they held. Any number of edges may do so at a time: each
// subscription is taken back by one script, once.
func (b *Bus) sweep(ctx context.Context) {
	tick := time.NewTicker(b.cfg.sweepEvery())
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		// After Redis was away all leases have run out. Each edge gets the time to renew its own.
		for b.tenure.steadyFor() >= b.cfg.Lease {
			found, err := b.sweepOne(ctx)
			if err != nil && ctx.Err() == nil {
				b.cfg.Logger.WarnContext(ctx, "a lease was not swept, trying on", slog.Any("error", err))
			}
			if err != nil || !found {
				break
			}
		}
	}
}

// sweepOne sweeps a lease that has run out, if there is one.
func (b *Bus) sweepOne(ctx context.Context) (found bool, err error) {
	none := b.names.none()
	reply, err := b.eval(ctx, b.scripts.bury, none, b.cfg.sweepEvery().Milliseconds(), b.cfg.renewEvery().Milliseconds())
	if err != nil || len(reply) == 0 {
		return false, err
	}
	id, began, n := text(reply, 0), time.Now(), 0
	for i := 1; i < len(reply); i++ {
		more, err := b.sweepApp(ctx, id, text(reply, i))
		if err != nil {
			return true, err
		}
		n += more
		if _, err := b.eval(ctx, b.scripts.touch, none, id, "0"); err != nil {
			return true, err
		}
	}
	if _, err := b.eval(ctx, b.scripts.touch, none, id, "1"); err != nil {
		return true, err
	}
	b.metrics.sweptLeases.Inc()
	b.cfg.Logger.InfoContext(ctx, "the lease of an edge that has gone was swept", slog.String("lease", id),
		slog.Int("apps", len(reply)-1), slog.Int("subscriptions", n), slog.Duration("took", time.Since(began)))
	return true, nil
}

// sweepApp takes back what a lease held in one app, and returns how many subscriptions that were.
func (b *Bus) sweepApp(ctx context.Context, id, app string) (n int, err error) {
	// Should this edge die too, who sweeps its lease finds what is to be told to be empty.
	m, err := b.mandate(ctx, app)
	if err != nil {
		return 0, err
	}
	tag := b.names.app(app)
	for fenced := false; ; fenced = true {
		records, err := b.someRecords(ctx, tag+"l:"+id)
		if err != nil {
			return n, err
		}
		if len(records) == 0 && fenced {
			break
		}
		args := []any{id, "", b.cfg.LogBytes}
		for _, r := range records {
			args = append(args, b.leaveArgs(b.recordOf(app, r, m.lease))...)
		}
		if _, err := b.eval(ctx, b.scripts.leave, tag, args...); err != nil {
			return n, err
		}
		n += len(records)
	}
	b.vacancies.expect(app, 0)
	return n, nil
}

// someRecords returns some of what a lease holds, in no order.
func (b *Bus) someRecords(ctx context.Context, key string) ([]redis.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
	defer cancel()
	records, err := b.client.HRandFieldWithValues(ctx, key, sweepBatch).Result()
	if err != nil {
		return nil, unavailable("read a lease", err)
	}
	return records, nil
}

// recordOf reads a subscription as join.lua notes it.
func (b *Bus) recordOf(app string, r redis.KeyValue, l *lease) (joinKey, debt) {
	socket, channel, _ := strings.Cut(r.Key, " ")
	head, member, isMember := strings.Cut(r.Value, " ")
	d := debt{lease: l}
	d.number, _ = strconv.ParseUint(head, 10, 64)
	if isMember {
		d.member = &channels.Member{ID: member}
	}
	return joinKey{channels.Topic{App: app, Channel: channel}, socket}, d
}

// resignAll ends the lease when the edge ends, so that nobody has to wait until it runs out.
func (b *Bus) resignAll(ctx context.Context) {
	b.tenure.mu.Lock()
	held := b.tenure.lease
	b.tenure.mu.Unlock()
	if held == nil {
		return
	}
	if _, err := b.eval(ctx, b.scripts.resign, b.names.none(), held.id); err != nil {
		b.cfg.Logger.WarnContext(ctx, "the lease was not given back, and will run out", slog.Any("error", fmt.Errorf("resign: %w", err)))
	}
}
