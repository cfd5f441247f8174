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
	// Limits bound what the app's clients and servers may send.
	Limits Limits
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

// Limits bound what one app may do. They start at the numbers of Pusher's documentation.
type Limits struct {
	// PayloadBytes bounds the data of one event, in bytes of UTF-8 before it is put into JSON.
	PayloadBytes int
	// ChannelNameLength bounds a channel's name, in characters, prefix included.
	ChannelNameLength int
	// EventNameLength bounds an event's name, in characters.
	EventNameLength int
	// ChannelsPerPublish bounds the channels of one publish.
	ChannelsPerPublish int
	// EventsPerBatch bounds the events of one batch publish.
	EventsPerBatch int
	// ChannelsPerSocket bounds the subscriptions of one socket.
	ChannelsPerSocket int
	// ActivityTimeout is how long a socket may be silent before it is pinged, whole seconds.
	ActivityTimeout time.Duration
}

// DefaultLimits returns the limits of an app for which nothing else was said.
func DefaultLimits() Limits {
	return Limits{
		PayloadBytes:       10240,
		ChannelNameLength:  164,
		EventNameLength:    200,
		ChannelsPerPublish: 100,
		EventsPerBatch:     10,
		ChannelsPerSocket:  1000,
		ActivityTimeout:    120 * time.Second,
	}
}
