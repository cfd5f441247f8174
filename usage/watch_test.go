package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// desk is where a watch looks: the numbers of days, and what was told.
type desk struct {
	mu     sync.Mutex
	days   map[string][]AppDay
	limits map[string]map[string]int64
	away   bool
	told   map[string]bool
}

func (d *desk) AppsOn(_ context.Context, day time.Time) ([]AppDay, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.days[day.Format(time.DateOnly)], nil
}

func (d *desk) Raise(_ context.Context, a Alert) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away {
		return errors.New("away")
	}
	d.told[fmt.Sprintf("%s %s %s %d: %d of %d", a.Day.Format(time.DateOnly), a.App, a.Limit, a.Threshold, a.Used, a.Bound)] = true
	return nil
}

func (d *desk) of(_ context.Context, a AppDay) (map[string]int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.limits[a.App+a.Any], nil
}

func (d *desk) take() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	told := d.told
	d.told = map[string]bool{}
	return told
}

func (d *desk) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		today := Day.Start(time.Now()) // which is the first day of the time in a test
		name := today.Format(time.DateOnly)
		d := &desk{told: map[string]bool{}, days: map[string][]AppDay{}, limits: map[string]map[string]int64{
			"1": {"connections": 10, "messages_per_day": 1000},
			"2": {"connections": 3},
		}}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			_ = NewWatch(WatchConfig{Alerts: d, Limits: d.of, Logger: slog.New(slog.DiscardHandler)}).Run(ctx)
		})
		want := func(what string, list ...string) {
			t.Helper()
			time.Sleep(watchEvery + time.Second)
			all := map[string]bool{}
			for _, one := range list {
				all[one] = true
			}
			if diff := cmp.Diff(all, d.take()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		use := func(peak, messages int64) {
			d.set(func() {
				d.days[name] = []AppDay{{Tenant: acme, App: "1", PeakConnections: peak, MessagesIn: messages}, {Tenant: acme, App: "2", PeakConnections: 2, MessagesIn: 9_999}, {Tenant: acme, App: "gone", PeakConnections: 5, MessagesIn: 5}}
			})
		}
		use(7, 799)
		want("below")
		use(8, 799)
		want("at 80 percent", name+" 1 connections 80: 8 of 10")
		want("no more of what stands still")
		d.set(func() { d.away = true })
		use(8, 1200)
		want("while it cannot be told")
		d.set(func() { d.away = false })
		want("and then", name+" 1 connections 80: 8 of 10", name+" 1 messages_per_day 100: 1200 of 1000")
		d.set(func() { d.limits["2"] = map[string]int64{"connections": 2} })
		want("a limit that was lowered", name+" 2 connections 100: 2 of 2")

		// The last numbers of a day come after its end.
		time.Sleep(time.Until(today.Add(24*time.Hour)) + time.Minute)
		d.take()
		use(10, 1200)
		next := today.Add(24 * time.Hour).Format(time.DateOnly)
		d.set(func() { d.days[next] = []AppDay{{Tenant: acme, App: "1", PeakConnections: 9, MessagesIn: 0}} })
		want("after midnight", name+" 1 connections 100: 10 of 10", name+" 1 messages_per_day 100: 1200 of 1000",
			name+" 2 connections 100: 2 of 2", next+" 1 connections 80: 9 of 10")
		time.Sleep(lookBack)
		d.take()
		want("later that day")
		stop()
		running.Wait()
	})
}
