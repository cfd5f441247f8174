package session

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
)

// The types of subscription errors, which client code switches on (Pusher protocol, subscription errors).
const (
	typeInvalidChannel = "InvalidChannel"
	typeLimitReached   = "LimitReached"
	typeUnavailable    = "Unavailable"
)

// subscribe answers pusher:subscribe. A refused subscription never closes the socket, because the other
// channels live on it.
func (s *Session) subscribe(ctx context.Context, frame pusher.ClientFrame) {
	channel, err := frame.Channel()
	if err != nil {
		s.refuse("Invalid subscription: " + err.Error())
		return
	}
	if _, there := s.subscriptions[channel]; there {
		s.refuse("Existing subscription to channel " + shorten(channel))
		return
	}
	if refusal := s.check(channel); refusal != nil {
		s.refuseSubscription(channel, *refusal)
		return
	}
	subscription, err := s.hub.Subscribe(ctx, s.topic(channel), s.socket, pusher.SubscriptionSucceeded(channel))
	if err != nil {
		s.log.WarnContext(ctx, "subscribe", slog.String("app", s.app.Load().ID), slog.String("socket", s.socket.ID()),
			slog.String("channel", channel), slog.Any("error", err))
		s.refuseSubscription(channel, refusal{
			typeUnavailable, http.StatusServiceUnavailable,
			"Subscriptions are unavailable at the moment, try again",
		})
		return
	}
	s.subscriptions[channel] = subscription
}

// unsubscribe answers pusher:unsubscribe, which means silence when all is well.
func (s *Session) unsubscribe(ctx context.Context, frame pusher.ClientFrame) {
	channel, err := frame.Channel()
	if err != nil {
		s.refuse("Invalid unsubscription: " + err.Error())
		return
	}
	if _, there := s.subscriptions[channel]; !there {
		s.refuse("No current subscription to channel " + shorten(channel) + ", or subscription in progress")
		return
	}
	s.leave(ctx, channel)
}

func (s *Session) leave(ctx context.Context, channel string) {
	subscription := s.subscriptions[channel]
	delete(s.subscriptions, channel)
	if err := s.hub.Unsubscribe(ctx, subscription); err != nil {
		s.log.WarnContext(ctx, "unsubscribe", slog.String("app", s.app.Load().ID), slog.String("socket", s.socket.ID()),
			slog.String("channel", channel), slog.Any("error", err))
	}
}

func (s *Session) topic(channel string) channels.Topic {
	return channels.Topic{App: s.app.Load().ID, Channel: channel}
}

// refusal says why a subscription is refused: to programs by type and an HTTP-like status, to people by text.
type refusal struct {
	kind   string
	status int
	text   string
}

// check tells why this socket may not subscribe to the channel, nil when it may.
func (s *Session) check(channel string) *refusal {
	limits := &s.app.Load().Limits
	if err := channels.CheckName(channel, limits.ChannelNameLength); err != nil {
		return &refusal{typeInvalidChannel, http.StatusBadRequest, "Invalid channel name: " + err.Error()}
	}
	if kind := channels.KindOf(channel); kind != channels.Public {
		return &refusal{
			typeInvalidChannel, http.StatusBadRequest,
			"Channels of the kind " + strconv.Quote(kind.String()) + " are not supported by this version of the server",
		}
	}
	if len(s.subscriptions) >= limits.ChannelsPerSocket {
		return &refusal{
			typeLimitReached, http.StatusTooManyRequests,
			"A socket may subscribe to at most " + strconv.Itoa(limits.ChannelsPerSocket) + " channels",
		}
	}
	return nil
}

// refuseSubscription tells the channel's listeners and then the connection's. Two libraries need it another
// way: .NET fails the waiting call only on a name of its own, and Java tries to decrypt whatever names an
// encrypted channel.
func (s *Session) refuseSubscription(channel string, r refusal) {
	event := pusher.EventSubscriptionError
	if s.client == "pusher-dotnet-client" {
		event = pusher.EventInternalSubscriptionError
	}
	if s.client != "java-client" || !channels.KindOf(channel).Encrypted() {
		s.socket.Send(pusher.SubscriptionError(event, channel, r.kind, r.text, r.status))
	}
	s.refuse(r.text + ": " + shorten(channel))
}
