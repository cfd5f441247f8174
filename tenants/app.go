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
}

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
	// ChannelRules say what holds for channels by their names.
	ChannelRules ChannelRules
	// Keys are the app's keys that still open it. Only what the [Cache] returns carries them.
	Keys []Key
}

// Key returns the key of this public part, when it still opens the app.
func (a *App) Key(public string) (Key, bool) {
	for _, k := range a.Keys {
		if k.Public == public && k.State == KeyActive {
			return k, true
		}
	}
	return Key{}, false
}
