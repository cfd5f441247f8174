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
	// Keys are the app's keys that open it, or did when they were read: see [App.Key]. Only what the [Cache] returns carries
	// them.
	Keys []Key
}

// Open tells whether the app accepts sockets and requests.
func (a *App) Open() bool { return a.Enabled && !a.Suspended }

// Key returns the key of this public part, when it still opens the app.
func (a *App) Key(public string) (Key, bool) {
	for i := range a.Keys {
		if k := &a.Keys[i]; k.Public == public && (k.State == KeyActive || k.Works(time.Now())) {
			return *k, true
		}
	}
	return Key{}, false
}

// SigningKey returns the key with which the platform signs what it sends to the app's servers, such as webhooks: the oldest
// active one, whatever its scopes, because it is the one that those servers have known for longest. Of keys that retire the
// one that lasts longest is taken, and only where no key is active. There is none where no key works.
func (a *App) SigningKey() (Key, bool) {
	now, best := time.Now(), -1
	for i := range a.Keys {
		if k := &a.Keys[i]; k.Works(now) && (best < 0 || signsBefore(k, &a.Keys[best])) {
			best = i
		}
	}
	if best < 0 {
		return Key{}, false
	}
	return a.Keys[best], true
}

// signsBefore orders keys that work by which is to sign.
func signsBefore(a, b *Key) bool {
	switch {
	case a.State != b.State:
		return a.State == KeyActive
	case a.State == KeyRetiring && !a.RetiresAt.Equal(b.RetiresAt):
		return a.RetiresAt.After(b.RetiresAt)
	case !a.CreatedAt.Equal(b.CreatedAt):
		return a.CreatedAt.Before(b.CreatedAt)
	default:
		return a.Public < b.Public
	}
}

// NextRetirement returns when the next of the app's keys stops to work, or the zero time when none is about to.
func (a *App) NextRetirement(now time.Time) time.Time {
	var next time.Time
	for i := range a.Keys {
		k := &a.Keys[i]
		if k.State == KeyRetiring && k.Works(now) && (next.IsZero() || k.RetiresAt.Before(next)) {
			next = k.RetiresAt
		}
	}
	return next
}
