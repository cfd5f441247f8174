package tenants

import (
	"time"

	"github.com/google/uuid"
)

// Tenant is a paying account. It owns apps, and users belong to it by a [Membership].
type Tenant struct {
	ID        uuid.UUID
	Name      string
	CreatedAt time.Time
	// SuspendedAt is when an operator stopped the tenant; zero while it is not.
	SuspendedAt time.Time
	// SuspendedFor is why, in words for its members.
	SuspendedFor string
}

// Suspended tells whether an operator has stopped the tenant.
func (t *Tenant) Suspended() bool { return !t.SuspendedAt.IsZero() }

// App is a customer's application: what a key opens, and what every channel name is relative to.
type App struct {
	// ID is decimal digits without a leading zero, because the Python and Go server libraries demand digits.
	ID        string
	TenantID  uuid.UUID
	Name      string
	Enabled   bool
	CreatedAt time.Time
	// Features are what the app has switched on.
	Features Features
	// Origins are the origins whose pages may connect. None means that any page may; see [Origins].
	Origins Origins
	// Limits bound what the app's clients and servers may send. They are what holds, defaults included.
	Limits Limits
	// LimitsSet are those of the limits that were set for this app.
	LimitsSet LimitOverrides
	// PlanLimits are those of the tenant's plan; none where it has no plan.
	PlanLimits LimitOverrides
	// Tenant is what all apps of the tenant may do together.
	Tenant TenantLimits
	// Suspended says that an operator has stopped all apps of the tenant. Edges take such an app for one that is not enabled.
	Suspended bool
	// ChannelRules say what holds for channels by their names.
	ChannelRules ChannelRules
	// Keys are the app's keys that still open it. Only what the [Cache] returns carries them.
	Keys []Key
}

// Open tells whether the app accepts sockets and requests.
func (a *App) Open() bool { return a.Enabled && !a.Suspended }

// Key returns the key of this public part, when it still opens the app.
func (a *App) Key(public string) (Key, bool) {
	for _, k := range a.Keys {
		if k.Public == public && k.State == KeyActive {
			return k, true
		}
	}
	return Key{}, false
}
