package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
	"github.com/pealhq/peal/usage/pgusage"
)

// alertedLimits are the limits that fill up over a day, and what people call them.
var alertedLimits = map[string]string{
	"connections":      "connections at once",
	"messages_per_day": "messages a day",
}

// newWatch returns the watch that compares what apps use with their limits, as the edges know them.
func (p *platform) newWatch() *usage.Watch {
	return usage.NewWatch(usage.WatchConfig{
		Alerts: pgusage.NewAlerts(p.store.db, p.mailAlert), Limits: p.alertedLimitsOf, Logger: p.cfg.log,
	})
}

func (p *platform) alertedLimitsOf(ctx context.Context, id string) (map[string]int64, error) {
	app, err := p.cache.ByID(ctx, id)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, nil //nolint:nilnil // An app that is gone has no limits.
	}
	if err != nil {
		return nil, err
	}
	limits := map[string]int64{}
	for _, f := range tenants.LimitFields() {
		if bound := f.Get(&app.Limits); alertedLimits[f.Name] != "" && bound > 0 {
			limits[f.Name] = int64(bound)
		}
	}
	return limits, nil
}

// mailAlert puts a mail to each of those who are told into the outbox.
func (p *platform) mailAlert(ctx context.Context, c pgdb.Change, n pgusage.Notice) error {
	subject, text := alertInWords(n, p.addresses.dashboard.JoinPath("apps", n.App, "usage").String())
	for _, to := range n.To {
		// The next day's numbers are other ones.
		m := mail.Message{To: to, Subject: subject, Text: text, Until: n.Day.Add(48 * time.Hour)}
		if err := p.store.outbox.Enqueue(ctx, c, m); err != nil {
			return err
		}
	}
	return nil
}

// alertInWords is what a mail says.
func alertInWords(n pgusage.Notice, link string) (subject, text string) {
	reached := "has reached"
	if n.Threshold < 100 {
		reached = fmt.Sprintf("has reached %d %% of", n.Threshold)
	}
	subject = fmt.Sprintf("%s %s its limit of %s", n.AppName, reached, alertedLimits[n.Limit])
	says := "More are refused until there is room again."
	if n.Limit == "messages_per_day" {
		says = "Beyond the limit, publishes are refused until midnight UTC."
	}
	text = fmt.Sprintf(`The app %s of %s %s its limit of %s today, %s (UTC): %s of %s.

%s

%s

This is told once a day for each app and limit. Owners and admins can switch it off below the charts of the page Usage.
`,
		n.AppName, n.TenantName, reached, alertedLimits[n.Limit], n.Day.UTC().Format("2 January 2006"),
		strconv.FormatInt(n.Used, 10), strconv.FormatInt(n.Bound, 10), says, link)
	return subject, text
}
