package limits

// Way is by which way somebody comes who hits a limit.
type Way string

// The ways.
const (
	WayHTTP   Way = "HTTP API"
	WayRPC    Way = "publish RPC"
	WaySocket Way = "socket"
)

// Carrier is what carries the code of a refusal.
type Carrier string

// The carriers. [CarrierNone] is for a limit at which nobody is refused.
const (
	CarrierNone         Carrier = ""
	CarrierStatus       Carrier = "status"
	CarrierClose        Carrier = "close code"
	CarrierFrame        Carrier = "pusher:error"
	CarrierSubscription Carrier = "pusher:subscription_error"
)

// Consequence is what a limit does when it is hit by one way.
type Consequence struct {
	Limit   string
	Way     Way
	Carrier Carrier
	// Code is a status, a close code or that of an error frame; 0 where the frame has none.
	Code int
	// Headers tells that the answer says when to come back: Retry-After, RateLimit and RateLimit-Policy.
	Headers bool
	// Stays tells whether the socket stays open.
	Stays bool
	// Does says what else there is to say.
	Does string
}

// Consequences returns what each limit does when it is hit, in the order of tenants.LimitFields. A test drives each through an edge.
func Consequences() []Consequence {
	const (
		never     = "a publish that is more than a whole second's worth will never be possible, and gets 400"
		unclosed  = "nothing is published"
		today     = "Retry-After tells how long it is until midnight UTC, when the next day begins"
		cameBack  = "clients come back after a second"
		unmatched = "the subscription is refused"
	)
	return []Consequence{
		{"connections", WaySocket, CarrierClose, 4004, false, false, "clients do not come back; 4100 for the first 15 s in which an app is full over all edges, since those of an edge that died are counted until then"},
		{"connections_per_second", WaySocket, CarrierClose, 4100, false, false, cameBack},
		{"messages_per_second", WayHTTP, CarrierStatus, 429, true, true, never},
		{"messages_per_second", WayRPC, CarrierStatus, 429, true, true, "resource_exhausted; " + never},
		{"messages_per_second", WaySocket, CarrierFrame, 4301, false, true, "the client event goes nowhere"},
		{"messages_per_day", WayHTTP, CarrierStatus, 403, false, true, today},
		{"messages_per_day", WayRPC, CarrierStatus, 403, false, true, "permission_denied; " + today},
		{"messages_per_day", WaySocket, CarrierFrame, 4301, false, true, "the client event goes nowhere"},
		{"client_events_per_second", WaySocket, CarrierFrame, 4301, false, true, "the client event goes nowhere"},
		{"payload_bytes", WayHTTP, CarrierStatus, 413, false, true, unclosed},
		{"payload_bytes", WayRPC, CarrierStatus, 400, false, true, "invalid_argument"},
		{"payload_bytes", WaySocket, CarrierFrame, 0, false, true, "the client event goes nowhere"},
		{"channel_name_length", WayHTTP, CarrierStatus, 400, false, true, unclosed},
		{"channel_name_length", WayRPC, CarrierStatus, 400, false, true, "invalid_argument"},
		{"channel_name_length", WaySocket, CarrierSubscription, 400, false, true, unmatched},
		{"event_name_length", WayHTTP, CarrierStatus, 400, false, true, unclosed},
		{"event_name_length", WayRPC, CarrierStatus, 400, false, true, "invalid_argument"},
		{"event_name_length", WaySocket, CarrierFrame, 0, false, true, "the client event goes nowhere"},
		{"channels_per_publish", WayHTTP, CarrierStatus, 400, false, true, unclosed},
		{"channels_per_publish", WayRPC, CarrierStatus, 400, false, true, "invalid_argument"},
		{"events_per_batch", WayHTTP, CarrierStatus, 400, false, true, unclosed},
		{"events_per_batch", WayRPC, CarrierStatus, 400, false, true, "invalid_argument"},
		{"channels_per_socket", WaySocket, CarrierSubscription, 429, false, true, unmatched},
		{"presence_members", WaySocket, CarrierSubscription, 4100, false, true, unmatched},
		{"member_info_bytes", WaySocket, CarrierSubscription, 4301, false, true, unmatched},
		{"watchlist_users", WaySocket, CarrierFrame, 4302, false, true, "the first users of the list are watched, as many as the limit allows"},
		{"cache_ttl_seconds", WaySocket, CarrierNone, 0, false, true, "the event is forgotten"},
		{"activity_timeout_seconds", WaySocket, CarrierClose, 4201, false, false, "the client is pinged first, and comes back at once"},
		{"authorization_timeout_seconds", WaySocket, CarrierClose, 4009, false, false, "clients do not come back"},
	}
}
