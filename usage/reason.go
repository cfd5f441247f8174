package usage

import "fmt"

// Reason is why something was refused. The list is closed: who refuses for another reason adds it here, and to docs/usage.md.
type Reason uint8

// The reasons.
const (
	// Unauthorized is a signature, a secret or a sign-in that is missing, wrong or too late.
	Unauthorized Reason = iota
	// AppDisabled is an app that is switched off.
	AppDisabled
	// TLSRequired is one who came without TLS to an app that demands it.
	TLSRequired
	// OriginRefused is a page whose origin is not on the app's list.
	OriginRefused
	// NotAllowed is what the app has not switched on, or what may not be done there, such as client events.
	NotAllowed
	// Invalid is what breaks a rule of the protocol.
	Invalid
	// TooLarge is more bytes than the app may send at once.
	TooLarge
	// ConnectionLimit is a connection more than the app may have.
	ConnectionLimit
	// ConnectionRate is a connection too soon after those before it.
	ConnectionRate
	// MessageRate is more messages than the app may publish in a second.
	MessageRate
	// MessageQuota is more messages than the app may publish in a day.
	MessageQuota
	// ClientEventRate is more client events than a socket may send in a second.
	ClientEventRate
	// SubscriptionLimit is a channel more than a socket may be on, or too many wishes in a short time.
	SubscriptionLimit
	// MemberLimit is a member more than a presence channel may have, or one that tells too much of itself.
	MemberLimit
	// Idempotency is a key that stands for another publish, or for which there is no room.
	Idempotency
	// Busy is one of too many requests of a kind at once.
	Busy
	// Capacity is an edge that takes no more for now.
	Capacity
	// Unavailable is a part of the platform that is away for the moment.
	Unavailable

	reasonCount = iota
)

// names are how reasons are told and stored; they never change.
var names = [reasonCount]string{
	"unauthorized", "app_disabled", "tls_required", "origin", "not_allowed", "invalid", "too_large", "connection_limit",
	"connection_rate", "message_rate", "message_quota", "client_event_rate", "subscription_limit", "member_limit", "idempotency",
	"busy", "capacity", "unavailable",
}

// Reasons returns all reasons, in the order in which people read them.
func Reasons() []Reason {
	all := make([]Reason, reasonCount)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// String returns the name by which a reason is told.
func (r Reason) String() string {
	if int(r) >= len(names) {
		return fmt.Sprintf("reason %d", uint8(r))
	}
	return names[r]
}

// ParseReason returns the reason of a name.
func ParseReason(name string) (Reason, bool) {
	for i, n := range names {
		if n == name {
			return Reason(i), true
		}
	}
	return 0, false
}
