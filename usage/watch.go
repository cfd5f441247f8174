package usage

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// Alert says that an app has come near a limit, or to it.
type Alert struct {
	Tenant uuid.UUID
	// App is empty where it is of all apps of the tenant together.
	App string
	// Limit is the limit's name: "connections" or "messages_per_day".
	Limit string
	// Threshold is how much of the limit was reached, in percent.
	Threshold int
	// Day is the day of UTC that it happened on.
	Day time.Time
	// Used is how much was used of Bound.
	Used, Bound int64
}

// AppDay is what an app used on one day, or all apps of a tenant together, as far as it can be compared with a limit.
type AppDay struct {
	Tenant uuid.UUID
	// App is empty where it is all apps together; Any is one of them then.
	App, Any                    string
	PeakConnections, MessagesIn int64
}

// of returns what was used of a limit.
func (d *AppDay) of(limit string) int64 {
	switch limit {
	case "connections":
		return d.PeakConnections
	case "messages_per_day":
		return d.MessagesIn
	default:
		return 0
	}
}

// thresholds are when an alert is raised, in percent of a limit, the highest first.
var thresholds = []int{100, 80}

// Alerts is where a [Watch] looks, and whom it tells.
type Alerts interface {
	// AppsOn returns the apps that used something on a day of UTC, and the tenants whose apps did.
	AppsOn(ctx context.Context, day time.Time) ([]AppDay, error)
	// Raise tells of an alert unless somebody has: once for an app, a limit, a threshold and a day, whoever else watches. One of
	// a lower threshold is not told any more after it.
	Raise(ctx context.Context, a Alert) error
}

// WatchConfig is what a [Watch] needs.
type WatchConfig struct {
	Alerts Alerts
	// Limits returns the limits that alerts are raised for, by name. A limit that is no bound is left out, and so is every limit of
	// an app that is gone.
	Limits func(ctx context.Context, a AppDay) (map[string]int64, error)
	Logger *slog.Logger
}

// Watch compares what apps use today with their limits. Any number may run: the database decides who tells.
type Watch struct {
	cfg      WatchConfig
	troubles rate.Sometimes

	// Of Run alone: what was seen of today, so that nobody is asked again for the limits of an app that stands still.
	day  time.Time
	seen map[AppDay]map[string]int64
}

const (
	watchEvery = 15 * time.Second
	// lookBack is for how long after midnight yesterday's numbers are looked at, too: the last of them come late.
	lookBack = 10 * time.Minute
)

// NewWatch returns a watch that looks while it runs.
func NewWatch(cfg WatchConfig) *Watch {
	return &Watch{cfg: cfg, troubles: rate.Sometimes{First: 1, Interval: time.Minute}}
}

// Run looks every quarter of a minute until ctx ends. While something is away it looks again later.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := w.look(ctx, time.Now()); err != nil && ctx.Err() == nil {
			w.troubles.Do(func() {
				w.cfg.Logger.WarnContext(ctx, "usage is not compared with limits; trying again", slog.Any("error", err))
			})
		}
	}
}

func (w *Watch) look(ctx context.Context, now time.Time) error {
	today := Day.Start(now)
	if !today.Equal(w.day) {
		w.day, w.seen = today, map[AppDay]map[string]int64{}
	}
	if yesterday := Day.Start(now.Add(-lookBack)); yesterday.Before(today) {
		if err := w.lookAt(ctx, yesterday, nil); err != nil {
			return err
		}
	}
	return w.lookAt(ctx, today, w.seen)
}

// lookAt compares one day. Apps whose numbers and limits are as they were seen are left out; where seen is nil none is.
func (w *Watch) lookAt(ctx context.Context, day time.Time, seen map[AppDay]map[string]int64) error {
	apps, err := w.cfg.Alerts.AppsOn(ctx, day)
	if err != nil {
		return fmt.Errorf("what was used today: %w", err)
	}
	now := make(map[AppDay]map[string]int64, len(apps))
	for i := range apps {
		a := &apps[i]
		limits, err := w.cfg.Limits(ctx, *a)
		if err != nil {
			return fmt.Errorf("limits of app %s: %w", a.App, err)
		}
		if was, known := seen[*a]; !known || !maps.Equal(was, limits) {
			if err := w.compare(ctx, a, limits, day); err != nil {
				return err
			}
		}
		now[*a] = limits
	}
	if seen != nil {
		w.seen = now
	}
	return nil
}

// compare raises the highest alert that an app has reached of each limit.
func (w *Watch) compare(ctx context.Context, a *AppDay, limits map[string]int64, day time.Time) error {
	for limit, bound := range limits {
		used := a.of(limit)
		for _, percent := range thresholds {
			if used <= 0 || used*100 < bound*int64(percent) {
				continue
			}
			alert := Alert{Tenant: a.Tenant, App: a.App, Limit: limit, Threshold: percent, Day: day, Used: used, Bound: bound}
			if err := w.cfg.Alerts.Raise(ctx, alert); err != nil {
				return fmt.Errorf("raise an alert for app %s: %w", a.App, err)
			}
			break
		}
	}
	return nil
}
