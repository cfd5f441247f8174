package redisbus

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// mendBatch is how many joins or leaves are asked for at a time, so that others are served in between.
	mendBatch = 200
	mendPause = 200 * time.Millisecond
)

// mend makes Redis's record of this edge's subscriptions what it should be: after the lease has changed, and after
// questions to which no answer came.
func (b *Bus) mend(ctx context.Context) {
	for {
		more := b.rejoinSome(ctx)
		more = b.paySome(ctx) || more
		var again <-chan time.Time
		if more {
			again = time.After(mendPause)
		}
		select {
		case <-b.joins.wake:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// rejoinSome notes subscriptions under the lease of now, and tells whether some are left for later.
func (b *Bus) rejoinSome(ctx context.Context) (more bool) {
	for ctx.Err() == nil {
		keys, quiet := b.joins.someStale()
		if len(keys) == 0 {
			return b.endAbandoned(ctx)
		}
		m, _, ok := b.tenure.now(b.cfg.life())
		if !ok {
			b.joins.putBack(keys)
			return true
		}
		if failed := b.rejoin(ctx, m, keys, quiet); len(failed) > 0 {
			b.joins.putBack(failed)
			return true
		}
	}
	return false
}

// endAbandoned ends leases that have nothing any more that is not noted under another. One that it fails to end runs out.
func (b *Bus) endAbandoned(ctx context.Context) (more bool) {
	for _, l := range b.joins.abandoned() {
		if _, err := b.eval(ctx, b.scripts.resign, b.names.none(), l.id); err != nil {
			b.joins.abandon(l)
			more = true
		}
	}
	return more
}

// rejoining is a subscription that is being noted under another lease.
type rejoining struct {
	key       joinKey
	old, next *joined
	answer    *redis.Cmd
}

// rejoin notes subscriptions under a lease, in one round trip, and returns those with which it did not succeed. Should one
// of them have been noted all the same, the next time changes nothing but its number.
func (b *Bus) rejoin(ctx context.Context, m mandate, keys []joinKey, quiet bool) (failed []joinKey) {
	ctx, cancel := context.WithTimeout(ctx, 2*b.cfg.Timeout)
	defer cancel()
	tries, failed := b.toRejoin(ctx, m, keys)
	_, _ = b.client.Pipelined(ctx, func(p redis.Pipeliner) error { // Each command has its own error.
		for i, t := range tries {
			tag, args := []string{b.names.app(t.key.topic.App)}, b.joinArgs(t.key, t.next, m, quiet, false)
			if i == 0 {
				// The whole text, once, should Redis not know the script. In a Cluster the others' servers learn it in time.
				t.answer = p.Eval(ctx, b.scripts.join.text, tag, args...)
			} else {
				t.answer = p.EvalSha(ctx, b.scripts.join.sum, tag, args...)
			}
		}
		return nil
	})
	for _, t := range tries {
		if !b.rejoined(ctx, t) {
			failed = append(failed, t.key)
		}
	}
	return failed
}

// toRejoin leaves out what has gone, or is there already.
func (b *Bus) toRejoin(ctx context.Context, m mandate, keys []joinKey) (tries []*rejoining, failed []joinKey) {
	for _, key := range keys {
		old := b.joins.get(key)
		if old == nil || old.lease == m.lease {
			continue
		}
		if enlisted, err := b.enlist(ctx, m.lease, key.topic.App); err != nil || !enlisted {
			failed = append(failed, key)
			continue
		}
		next := *old
		next.lease, next.number = m.lease, b.joins.next()
		tries = append(tries, &rejoining{key: key, old: old, next: &next})
	}
	return tries, failed
}

// rejoined reads Redis's answer, and tells whether there is nothing more to do.
func (b *Bus) rejoined(ctx context.Context, t *rejoining) bool {
	reply, err := t.answer.Slice()
	switch status := text(reply, 0); {
	case err != nil || status == "FENCED" || status == "LATE":
		return false
	case status == "OK":
		b.metrics.rejoined.Inc()
		if !b.joins.moved(t.key, t.old, t.next) {
			b.joins.owe(t.key, t.next.debt(time.Now())) // It has gone meanwhile.
		}
	default:
		// The channel is full by now: the socket still hears it, but is not on its list.
		b.cfg.Logger.WarnContext(ctx, "a subscription was not noted again", slog.String("app", t.key.topic.App),
			slog.String("channel", t.key.topic.Channel), slog.String("socket", t.key.socket), slog.String("answer", status))
	}
	return true
}

// paySome takes back subscriptions that are owed and due, and tells whether some are left.
func (b *Bus) paySome(ctx context.Context) (more bool) {
	for ctx.Err() == nil {
		due, others := b.joins.someDebts(time.Now())
		if len(due) == 0 {
			return others
		}
		for key, d := range due {
			if b.pay(ctx, key, d) != nil {
				return true
			}
		}
	}
	return false
}

// someStale takes some of what is to be noted again.
func (j *joins) someStale() (keys []joinKey, quiet bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.stale), mendBatch)
	keys = append(keys, j.stale[:n]...)
	j.stale = j.stale[n:]
	return keys, j.quiet
}

func (j *joins) putBack(keys []joinKey) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stale = append(j.stale, keys...)
}

func (j *joins) get(key joinKey) *joined {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all[key]
}

// moved puts what is noted now in the place of what was, unless that has gone.
func (j *joins) moved(key joinKey, old, next *joined) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.all[key] != old {
		return false
	}
	j.all[key] = next
	return true
}

// someDebts returns some that are due, and whether there are others.
func (j *joins) someDebts(now time.Time) (due map[joinKey]debt, others bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	due = make(map[joinKey]debt)
	for key, d := range j.debts {
		if len(due) == mendBatch {
			return due, true
		}
		if now.Before(d.due) {
			others = true
			continue
		}
		due[key] = d
	}
	return due, others
}
