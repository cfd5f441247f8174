package limits

import (
	"context"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
)

// What a [Bound] bounds.
const (
	boundMessages    = "messages"
	boundConnections = "connections"
)

// Limiter admits what an app may do: as much as the app may, and all apps of its tenant together. All methods may be called at
// the same time.
type Limiter struct {
	rates Rates
	days  *Days // nil where days have no bounds
}

// NewLimiter returns a limiter that keeps to what these rates and days admit. Without days they have no bounds.
func NewLimiter(rates Rates, days *Days) *Limiter { return &Limiter{rates, days} }

// Messages asks for n messages of an app, all or none.
func (l *Limiter) Messages(ctx context.Context, app *tenants.App, n int) Admission {
	return l.take(ctx, app, n, boundMessages, app.Limits.MessagesPerSecond, app.Tenant.MessagesPerSecond)
}

// Connection asks for one more client of an app.
func (l *Limiter) Connection(ctx context.Context, app *tenants.App) Admission {
	return l.take(ctx, app, 1, boundConnections, app.Limits.ConnectionsPerSecond, app.Tenant.ConnectionsPerSecond)
}

// take asks for n of what an app alone may have in a second, and its tenant; 0 is no bound.
func (l *Limiter) take(ctx context.Context, app *tenants.App, n int, what string, own, together int) Admission {
	switch {
	case own == 0 && together == 0:
		return Admission{OK: true}
	case together == 0:
		return l.rates.Take(ctx, n, Bound{app.ID, what, own})
	case own == 0:
		return l.rates.Take(ctx, n, Bound{app.TenantID.String(), what, together})
	default:
		return l.rates.Take(ctx, n, Bound{app.ID, what, own}, Bound{app.TenantID.String(), what, together})
	}
}

// MessagesToday asks for n messages of an app's day, all or none, of which the latter is a [QuotaError].
func (l *Limiter) MessagesToday(ctx context.Context, app *tenants.App, n int) error {
	if bounds := l.dayBounds(app); bounds != nil {
		return l.days.Take(ctx, n, bounds...)
	}
	return nil
}

// GiveBackToday takes back n messages of an app's day that were admitted, because they were not published.
func (l *Limiter) GiveBackToday(app *tenants.App, n int) {
	if bounds := l.dayBounds(app); bounds != nil && n > 0 {
		l.days.GiveBack(n, bounds...)
	}
}

// dayBounds returns what bounds an app's day; nil is nothing.
func (l *Limiter) dayBounds(app *tenants.App) []DayBound {
	own, together := app.Limits.MessagesPerDay, app.Tenant.MessagesPerDay
	if l.days == nil || own == 0 && together == 0 {
		return nil
	}
	bounds := make([]DayBound, 0, 2)
	if own > 0 {
		bounds = append(bounds, dayBound(app.TenantID, app.ID, own))
	}
	if together > 0 {
		bounds = append(bounds, dayBound(app.TenantID, app.TenantID.String(), together))
	}
	return bounds
}

func dayBound(tenant uuid.UUID, owner string, most int) DayBound {
	return DayBound{Tenant: tenant, Owner: owner, PerDay: most}
}
