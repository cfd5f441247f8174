package redisbus

import (
	"context"
	"sync"
	"time"

	"github.com/pealhq/peal/channels"
)

// vacancies are the apps in which topics wait to be told empty, by when the next of them is due.
type vacancies struct {
	wake chan struct{} // of capacity 1; there is an earlier one

	mu  sync.Mutex
	due map[string]time.Time // guarded by mu
}

func (v *vacancies) init() {
	v.wake, v.due = make(chan struct{}, 1), make(map[string]time.Time)
}

// expect has the app looked at after a time.
func (v *vacancies) expect(app string, after time.Duration) {
	at := time.Now().Add(after)
	v.mu.Lock()
	defer v.mu.Unlock()
	if now, there := v.due[app]; there && now.Before(at) {
		return
	}
	v.due[app] = at
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// take returns the apps that are due, and when the next one is.
func (v *vacancies) take(now time.Time) (apps []string, next time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for app, at := range v.due {
		switch {
		case !at.After(now):
			apps = append(apps, app)
			delete(v.due, app)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return apps, next
}

// tellVacated tells of topics that have been empty for the time of grace. Whichever edge comes first tells; who made them
// empty, and who sweeps a lease, knows when.
func (b *Bus) tellVacated(ctx context.Context) {
	for {
		apps, next := b.vacancies.take(time.Now())
		for _, app := range apps {
			again, err := b.vacate(ctx, app)
			if err != nil {
				again = b.cfg.Timeout
			}
			if again >= 0 {
				b.vacancies.expect(app, again)
			}
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-b.vacancies.wake:
		case <-timer:
		case <-ctx.Done():
			return
		}
	}
}

// vacate tells of an app's topics, and returns after what time it is to be looked at again, or less than 0.
func (b *Bus) vacate(ctx context.Context, app string) (time.Duration, error) {
	var args []any
	for {
		reply, err := b.eval(ctx, b.scripts.vacate, b.names.app(app), args...)
		if err != nil {
			return 0, err
		}
		if len(reply) == 1 {
			if next := number(reply, 0); next >= 0 {
				// Redis counts in milliseconds.
				return time.Duration(next+1) * time.Millisecond, nil
			}
			return -1, nil
		}
		args = args[:0]
		for i := 1; i < len(reply); i++ {
			channel := text(reply, i)
			where, what := b.tidings(b.cfg.Notices.Vacated, channels.Topic{App: app, Channel: channel})
			args = append(args, channel, where, what)
		}
	}
}
