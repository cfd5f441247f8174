package session

import (
	"context"
	"errors"

	"golang.org/x/time/rate"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// clientEvent publishes what a client says to the others on a channel, or tells it why not. Only the event's name,
// channel and data are taken from the frame: what else a client puts there goes nowhere.
func (s *Session) clientEvent(ctx context.Context, frame pusher.ClientFrame) {
	app := s.App()
	channel := frame.Channel.Text()
	if channel == "" || frame.Data.Kind() == pusher.KindAbsent {
		s.refuse(usage.Invalid, "Invalid client event (must contain channel and data)")
		return
	}
	if problem := s.checkClientEvent(app, channel); problem != "" {
		s.refuse(usage.NotAllowed, problem)
		return
	}
	if !s.allowClientEvent(app) {
		s.tally.Rejected(usage.ClientEventRate)
		s.tooMany()
		return
	}
	data := frame.Data.JSON()
	if frame.Data.Kind() == pusher.KindString {
		data = frame.Data.Text()
	}
	s.refusePublish(ctx, s.registry.cfg.Publisher.Publish(ctx, app, publish.Event{
		Channels: []string{channel}, Name: frame.Event, Data: data,
		Except: s.carrier.ID(), Client: true, Sender: s.subscriptions[channel].member,
	}))
}

// checkClientEvent tells what keeps the client from publishing to a channel, or "".
func (s *Session) checkClientEvent(app *tenants.App, channel string) string {
	if !app.Features.ClientEvents {
		return "Client event rejected - client events are not enabled for this app"
	}
	kind := channels.KindOf(channel)
	switch {
	case !kind.Authorized():
		return "Client event rejected - only supported on private and presence channels"
	case kind.Encrypted():
		return "Client event rejected - not supported on encrypted channels"
	}
	if _, there := s.subscriptions[channel]; !there {
		return "Cannot broadcast client event (connection not subscribed to channel " + shorten(channel) + ")"
	}
	return ""
}

func (s *Session) allowClientEvent(app *tenants.App) bool {
	most := app.Limits.ClientEventsPerSecond
	if s.clientEvents == nil || s.clientEvents.Burst() != most {
		s.clientEvents = rate.NewLimiter(rate.Limit(most), most)
	}
	return s.clientEvents.Allow()
}

func (s *Session) tooMany() {
	s.carrier.Tell(pusher.Error(pusher.ErrorClientEvent, "The rate limit for client events was exceeded"))
}

// refusePublish tells the client why its event was not published, if it was not. The publisher has counted that.
func (s *Session) refusePublish(ctx context.Context, err error) {
	var wrong *publish.EventError
	var limited *publish.LimitError
	var quota publish.QuotaError
	switch {
	case err == nil:
	case errors.As(err, &limited):
		s.tooMany()
	case errors.As(err, &quota):
		s.carrier.Tell(pusher.Error(pusher.ErrorClientEvent, "The messages of this day are used up"))
	case errors.Is(err, publish.ErrTooLarge) && errors.As(err, &wrong):
		s.say(wrong.Reason)
	case errors.As(err, &wrong):
		s.say("Invalid client event: " + wrong.Reason)
	default:
		s.trouble(ctx, "publish a client event", "", err)
		s.say("Client events are unavailable at the moment, try again")
	}
}
