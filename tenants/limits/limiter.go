package limits

import (
	"context"

	"github.com/pealhq/peal/tenants"
)

// What a [Bound] bounds.
const (
	boundMessages    = "messages"
	boundConnections = "connections"
)

// Limiter admits what an app may do in a second. All methods may be called at the same time.
type Limiter struct{ rates Rates }

// NewLimiter returns a limiter that keeps to what these rates admit.
func NewLimiter(rates Rates) *Limiter { return &Limiter{rates} }

// Messages asks for n messages of an app, all or none.
func (l *Limiter) Messages(ctx context.Context, app *tenants.App, n int) Admission {
	if app.Limits.MessagesPerSecond == 0 {
		return Admission{OK: true}
	}
	return l.rates.Take(ctx, n, Bound{app.ID, boundMessages, app.Limits.MessagesPerSecond})
}

// Connection asks for one more client of an app.
func (l *Limiter) Connection(ctx context.Context, app *tenants.App) Admission {
	if app.Limits.ConnectionsPerSecond == 0 {
		return Admission{OK: true}
	}
	return l.rates.Take(ctx, 1, Bound{app.ID, boundConnections, app.Limits.ConnectionsPerSecond})
}
