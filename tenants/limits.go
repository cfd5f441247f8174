package tenants

import (
	"fmt"
	"strings"
	"time"
)

// Limits bound what one app may do. They start at the numbers of Pusher's documentation.
type Limits struct {
	// Connections bounds how many clients are connected at once; 0 is no bound.
	Connections int
	// ConnectionsPerSecond bounds how many clients connect in any second; 0 is no bound.
	ConnectionsPerSecond int
	// MessagesPerSecond bounds what is published in any second, one message for each channel of each event; 0 is no
	// bound.
	MessagesPerSecond int
	// MessagesPerDay bounds what is published from one midnight UTC to the next, counted in the same way; 0 is no bound.
	MessagesPerDay int
	// ClientEventsPerSecond bounds the client events of one socket.
	ClientEventsPerSecond int
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
	// PresenceMembers bounds the distinct members of one presence channel.
	PresenceMembers int
	// MemberInfoBytes bounds what one member of a presence channel tells of itself, in bytes of JSON.
	MemberInfoBytes int
	// WatchlistUsers bounds how many users a signed-in user may watch.
	WatchlistUsers int
	// CacheTTL is how long a cache channel keeps its last event, whole seconds.
	CacheTTL time.Duration
	// ActivityTimeout is how long a socket may be silent before it is pinged, whole seconds.
	ActivityTimeout time.Duration
	// AuthorizationTimeout is how long a socket may take to be authorized, whole seconds. It matters only with
	// [Features.AuthorizedConnections].
	AuthorizationTimeout time.Duration
}

// DefaultLimits returns the limits of an app for which nothing else was said.
func DefaultLimits() Limits { return LimitOverrides(nil).Limits() }

// maxPresenceBytes bounds what a newcomer on a full presence channel is told of its members, which is sent in one frame.
const maxPresenceBytes = 8 << 20

// Check tells whether the limits of an app make sense together.
func (l *Limits) Check() error {
	if l.PresenceMembers*l.MemberInfoBytes > maxPresenceBytes {
		return Invalid("limits.presence_members", fmt.Sprintf(
			"times member_info_bytes is %d bytes for each who joins; at most %d are possible", l.PresenceMembers*l.MemberInfoBytes, maxPresenceBytes))
	}
	return nil
}

// LimitField describes one of the limits, so that the places that show, store or read all of them need no
// list of their own. Durations count in whole seconds.
type LimitField struct {
	// Name is the field's name in files, in the database and in errors.
	Name              string
	Min, Max, Default int
	// Together says that a plan bounds it for all apps of a tenant together. Of such a limit 0 is no bound.
	Together bool
	Get      func(*Limits) int
	Set      func(*Limits, int)
}

// Tighter tells whether a bounds more than b.
func (f LimitField) Tighter(a, b int) bool {
	if f.Min == 0 && (a == 0 || b == 0) {
		return a != 0 && b == 0
	}
	return a < b
}

// Check tells whether a value may be this limit. The error is a [FieldError] on path.
func (f LimitField) Check(path string, value int) error {
	if value < f.Min || value > f.Max {
		return Invalid(path, fmt.Sprintf("must be from %d to %d", f.Min, f.Max))
	}
	return nil
}

// LimitUnit is what a limit counts in.
type LimitUnit string

// The units. [UnitThings] is what is left: the name of the limit tells which things.
const (
	UnitThings     LimitUnit = ""
	UnitPerSecond  LimitUnit = "per second"
	UnitPerDay     LimitUnit = "per day"
	UnitBytes      LimitUnit = "bytes"
	UnitCharacters LimitUnit = "characters"
	UnitSeconds    LimitUnit = "seconds"
)

// Unit returns what the limit counts in, which is how its name ends.
func (f LimitField) Unit() LimitUnit {
	switch {
	case strings.HasSuffix(f.Name, "_per_second"):
		return UnitPerSecond
	case strings.HasSuffix(f.Name, "_per_day"):
		return UnitPerDay
	case strings.HasSuffix(f.Name, "_bytes"):
		return UnitBytes
	case strings.HasSuffix(f.Name, "_length"):
		return UnitCharacters
	case strings.HasSuffix(f.Name, "_seconds"):
		return UnitSeconds
	default:
		return UnitThings
	}
}

// LimitFields returns all limits in the order in which people read them. Each is a whole number from Min to Max.
func LimitFields() []LimitField {
	return []LimitField{
		together("connections", 10_000_000, func(l *Limits) *int { return &l.Connections }),
		together("connections_per_second", 1_000_000, func(l *Limits) *int { return &l.ConnectionsPerSecond }),
		together("messages_per_second", 10_000_000, func(l *Limits) *int { return &l.MessagesPerSecond }),
		together("messages_per_day", 2_000_000_000, func(l *Limits) *int { return &l.MessagesPerDay }),
		number("client_events_per_second", 1, 1_000, 10, func(l *Limits) *int { return &l.ClientEventsPerSecond }),
		number("payload_bytes", 1, 1<<20, 10240, func(l *Limits) *int { return &l.PayloadBytes }),
		number("channel_name_length", 1, 200, 164, func(l *Limits) *int { return &l.ChannelNameLength }),
		number("event_name_length", 1, 1_000, 200, func(l *Limits) *int { return &l.EventNameLength }),
		number("channels_per_publish", 1, 1_000, 100, func(l *Limits) *int { return &l.ChannelsPerPublish }),
		number("events_per_batch", 1, 100, 10, func(l *Limits) *int { return &l.EventsPerBatch }),
		number("channels_per_socket", 1, 100_000, 1000, func(l *Limits) *int { return &l.ChannelsPerSocket }),
		number("presence_members", 1, 10_000, 100, func(l *Limits) *int { return &l.PresenceMembers }),
		number("member_info_bytes", 2, 16<<10, 1024, func(l *Limits) *int { return &l.MemberInfoBytes }),
		number("watchlist_users", 1, 1_000, 100, func(l *Limits) *int { return &l.WatchlistUsers }),
		seconds("cache_ttl_seconds", 1, 1800, 1800, func(l *Limits) *time.Duration { return &l.CacheTTL }),
		seconds("activity_timeout_seconds", 1, 3600, 120, func(l *Limits) *time.Duration { return &l.ActivityTimeout }),
		seconds("authorization_timeout_seconds", 1, 600, 30, func(l *Limits) *time.Duration { return &l.AuthorizationTimeout }),
	}
}

func number(name string, least, most, def int, field func(*Limits) *int) LimitField {
	return LimitField{
		Name: name, Min: least, Max: most, Default: def,
		Get: func(l *Limits) int { return *field(l) },
		Set: func(l *Limits, v int) { *field(l) = v },
	}
}

// together is a limit that a plan bounds for all apps of a tenant together.
func together(name string, most int, field func(*Limits) *int) LimitField {
	f := number(name, 0, most, 0, field)
	f.Together = true
	return f
}

func seconds(name string, least, most, def int, field func(*Limits) *time.Duration) LimitField {
	return LimitField{
		Name: name, Min: least, Max: most, Default: def,
		Get: func(l *Limits) int { return int(*field(l) / time.Second) },
		Set: func(l *Limits, v int) { *field(l) = time.Duration(v) * time.Second },
	}
}
