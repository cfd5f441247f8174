package main

import (
	"context"
	"errors"
	"fmt"
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

func (p *platform) alertedLimitsOf(ctx context.Context, a usage.AppDay) (map[string]int64, error) {
	app, err := p.cache.ByID(ctx, a.App+a.Any)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, nil //nolint:nilnil // An app that is gone has no limits.
	}
	if err != nil {
		return nil, err
	}
	bounds := map[string]int{"connections": app.Limits.Connections, "messages_per_day": app.Limits.MessagesPerDay}
	if a.App == "" {
		bounds = map[string]int{"connections": app.Tenant.Connections, "messages_per_day": app.Tenant.MessagesPerDay}
	}
	limits := map[string]int64{}
	for name, bound := range bounds {
		if bound > 0 {
			limits[name] = int64(bound)
		}
	}
	return limits, nil
}

// mailAlert puts a mail to each of those who are told into the outbox.
func (p *platform) mailAlert(ctx context.Context, c pgdb.Change, n pgusage.Notice) error {
	link := p.addresses.dashboard.JoinPath("usage")
	if n.App != "" {
		link = p.addresses.dashboard.JoinPath("apps", n.App, "usage")
	}
	subject, text := alertInWords(n, link.String())
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
	who, at := n.AppName, fmt.Sprintf("The app %s of %s has reached", n.AppName, n.TenantName)
	if n.App == "" {
		who, at = n.TenantName, fmt.Sprintf("All apps of %s together have reached", n.TenantName)
	}
	limit := "the limit of " + alertedLimits[n.Limit]
	if n.Threshold < 100 {
		limit = fmt.Sprintf("%d %% of %s", n.Threshold, limit)
	}
	says := "At the limit nobody new is let in before somebody leaves."
	if n.Limit == "messages_per_day" {
		says = "At the limit publishes are refused until midnight UTC."
	}
	subject = who + " has reached " + limit
	text = fmt.Sprintf(`%s %s today, %s (UTC): %d of %d.

%s

%s

This is told once a day. Owners and admins can switch it off below the charts of the page Usage.
`,
		at, limit, n.Day.UTC().Format("2 January 2006"), n.Used, n.Bound, says, link)
	return subject, text
}
