package pusher

import "strings"

// The events that clients send (Pusher protocol, connection and subscriptions).
const (
	EventPing        = "pusher:ping"
	EventPong        = "pusher:pong"
	EventSubscribe   = "pusher:subscribe"
	EventUnsubscribe = "pusher:unsubscribe"
	EventSignin      = "pusher:signin"
	// ClientPrefix begins the names of the events that clients publish.
	ClientPrefix = "client-"
)

// The events that only a server sends.
const (
	EventConnectionEstablished = "pusher:connection_established"
	EventError                 = "pusher:error"
	EventSubscriptionError     = "pusher:subscription_error"
	EventSigninSuccess         = "pusher:signin_success"
	EventCacheMiss             = "pusher:cache_miss"
	// EventGap is Peal's own. Libraries hand it to whoever listens for it, but on encrypted channels, where they take what
	// does not begin with "pusher:" for a sealed event, only to those who listen to the connection.
	EventGap = "peal:gap"
	// EventSubscriptionSucceeded has the internal prefix; client libraries rename it before they show it.
	EventSubscriptionSucceeded = "pusher_internal:subscription_succeeded"
	EventMemberAdded           = "pusher_internal:member_added"
	EventMemberRemoved         = "pusher_internal:member_removed"
	EventSubscriptionCount     = "pusher_internal:subscription_count"
	EventWatchlist             = "pusher_internal:watchlist_events"
	// EventInternalSubscriptionError is what the .NET library listens for in place of [EventSubscriptionError].
	EventInternalSubscriptionError = "pusher_internal:subscription_error"
)

// ReservedEvent tells whether an event name belongs to the protocol, so that nobody may publish under it.
func ReservedEvent(name string) bool {
	return strings.HasPrefix(name, "pusher:") || strings.HasPrefix(name, "pusher_internal:")
}

// ValidSocketID tells whether s has the shape of a socket id: two runs of decimal digits joined by one dot.
// Server libraries refuse to sign anything else.
func ValidSocketID(s string) bool {
	first, second, ok := strings.Cut(s, ".")
	return ok && digits(first) && digits(second)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
