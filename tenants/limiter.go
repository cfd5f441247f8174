package tenants

import "context"

// What a [Bound] bounds.
const (
	boundMessages = "messages"
)

// Limiter admits what an app may do in a second. All methods may be called at the same time.
type Limiter struct{ rates Rates }

// NewLimiter returns a limiter that keeps to what these rates admit.
func NewLimiter(rates Rates) *Limiter { return &Limiter{rates} }

// Messages asks for n messages of an app, all or none.
func (l *Limiter) Messages(ctx context.Context, app *App, n int) Admission {
	if app.Limits.MessagesPerSecond == 0 {
		return Admission{OK: true}
	}
	return l.rates.Take(ctx, n, Bound{app.ID, boundMessages, app.Limits.MessagesPerSecond})
}
