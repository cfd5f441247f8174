package session

import (
	"net/http"
	"strconv"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// The types of subscription errors, which client code switches on (Pusher protocol, subscription errors).
const (
	typeAuthError      = "AuthError"
	typeInvalidChannel = "InvalidChannel"
	typeLimitReached   = "LimitReached"
	typeUnavailable    = "Unavailable"
)

// refusal says why a subscription is refused: to programs by type and an HTTP-like status, to people by text, and to who
// counts by reason.
type refusal struct {
	why    usage.Reason
	kind   string
	status int
	text   string
}

func unauthorized(text string) *refusal {
	return &refusal{usage.Unauthorized, typeAuthError, http.StatusUnauthorized, text}
}

// check tells why nobody on this socket may subscribe to the channel, nil when somebody may.
func (s *Session) check(app *tenants.App, channel string) *refusal {
	if user, ok := channels.ServerToUser(channel); ok {
		if s.user == nil || s.user.id != user {
			return unauthorized("Only the signed-in user itself may subscribe to " + shorten(channel))
		}
	} else if err := channels.CheckName(channel, app.Limits.ChannelNameLength); err != nil {
		return &refusal{usage.Invalid, typeInvalidChannel, http.StatusBadRequest, "Invalid channel name: " + err.Error() + ": " + shorten(channel)}
	}
	if len(s.subscriptions) >= app.Limits.ChannelsPerSocket {
		return &refusal{
			usage.SubscriptionLimit, typeLimitReached, http.StatusTooManyRequests,
			"A socket may subscribe to at most " + strconv.Itoa(app.Limits.ChannelsPerSocket) + " channels: " + shorten(channel),
		}
	}
	return nil
}

// refuseSubscription tells the channel's listeners and then the connection's. Two libraries need it another
// way: .NET fails the waiting call only on a name of its own, and Java tries to decrypt whatever names an
// encrypted channel.
func (s *Session) refuseSubscription(channel string, r *refusal) {
	event := pusher.EventSubscriptionError
	if s.client == "pusher-dotnet-client" {
		event = pusher.EventInternalSubscriptionError
	}
	if s.client != "java-client" || !channels.KindOf(channel).Encrypted() {
		s.carrier.Tell(pusher.SubscriptionError(event, channel, r.kind, r.text, r.status))
	}
	s.refuse(r.why, r.text)
}
