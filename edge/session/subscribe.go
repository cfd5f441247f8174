package session

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// subscribe answers pusher:subscribe. A refused subscription never closes the socket, because the other
// channels live on it.
func (s *Session) subscribe(ctx context.Context, frame pusher.ClientFrame) {
	asked, err := frame.Subscription()
	if asked.Channel == "" {
		s.refuse(usage.Invalid, "Invalid subscription: "+err.Error())
		return
	}
	channel := asked.Channel
	if _, there := s.subscriptions[channel]; there {
		s.refuse(usage.Invalid, "Existing subscription to channel "+shorten(channel))
		return
	}
	if err != nil {
		s.refuseSubscription(channel, unauthorized("Invalid subscription: "+err.Error()+": "+shorten(channel)))
		return
	}
	app := s.App()
	if !s.mayWish(app) {
		s.refuseSubscription(channel, &refusal{
			usage.SubscriptionLimit, typeLimitReached, http.StatusTooManyRequests, "Too many subscriptions in a short time, try again in a moment: " + shorten(channel),
		})
		return
	}
	if r := s.check(app, channel); r != nil {
		s.refuseSubscription(channel, r)
		return
	}
	member, r := s.authorizeSubscription(ctx, app, asked)
	if r != nil {
		s.refuseSubscription(channel, r)
		return
	}
	joined, subscribers, err := s.join(ctx, app, channel, member)
	switch {
	case errors.Is(err, channels.ErrFull):
		s.refuseSubscription(channel, &refusal{
			usage.MemberLimit, typeLimitReached, int(pusher.CloseOverCapacity),
			"The presence channel has the " + strconv.Itoa(app.Limits.PresenceMembers) + " members that it may have: " + channel,
		})
		return
	case err != nil:
		s.trouble(ctx, "subscribe", channel, err)
		s.refuseSubscription(channel, &refusal{
			usage.Unavailable, typeUnavailable, http.StatusServiceUnavailable,
			"Subscriptions are unavailable at the moment, try again: " + shorten(channel),
		})
		return
	}
	if s.subscriptions == nil {
		s.subscriptions = make(map[string]subscription)
	}
	s.subscriptions[channel] = joined
	if channels.KindOf(channel).Authorized() {
		s.authorize()
	}
	s.registry.cfg.Counts.Changed(app, channel, subscribers) //nolint:contextcheck // It tells all subscribers, not only this one.
}

// join subscribes to a channel that the client may be on. What it is greeted with comes in this order: the success, then
// what was kept, and then whatever happens.
func (s *Session) join(ctx context.Context, app *tenants.App, channel string, member *channels.Member) (subscription, int, error) {
	a := channels.Arrival{
		Topic:  channels.Topic{App: app.ID, Channel: channel},
		Member: member, MaxMembers: app.Limits.PresenceMembers,
		Log: channels.Log(app.ChannelRules.Log(channel)),
	}
	joined := subscription{}
	if member != nil {
		joined.member = member.ID
	}
	subscribers := 0
	var err error
	joined.Subscription, err = s.arrive(ctx, a, func(w channels.Welcome) channels.Greeting {
		subscribers = w.Subscribers
		return greeting(channel, member != nil, w)
	})
	return joined, subscribers, err
}

func greeting(channel string, members bool, w channels.Welcome) channels.Greeting {
	g := channels.Greeting{Offset: w.Offset}
	if members {
		g.Frames = append(g.Frames, pusher.PresenceSucceeded(channel, len(w.Members), func(yield func(id, info string) bool) {
			for i := range w.Members {
				if !yield(w.Members[i].ID, w.Members[i].Info) {
					return
				}
			}
		}))
	} else {
		g.Frames = append(g.Frames, pusher.SubscriptionSucceeded(channel))
	}
	if channels.KindOf(channel).Cached() {
		if w.Kept.Frame != nil {
			g.Frames = append(g.Frames, w.Kept.Frame)
		} else {
			g.Frames = append(g.Frames, pusher.CacheMiss(channel))
		}
	}
	return g
}

// unsubscribe answers pusher:unsubscribe, which means silence when all is well.
func (s *Session) unsubscribe(ctx context.Context, frame pusher.ClientFrame) {
	asked, err := frame.Subscription()
	if asked.Channel == "" {
		s.refuse(usage.Invalid, "Invalid unsubscription: "+err.Error())
		return
	}
	if _, there := s.subscriptions[asked.Channel]; !there {
		s.refuse(usage.Invalid, "No current subscription to channel "+shorten(asked.Channel)+", or subscription in progress")
		return
	}
	s.leave(ctx, asked.Channel)
}

func (s *Session) leave(ctx context.Context, channel string) {
	gone := s.subscriptions[channel]
	delete(s.subscriptions, channel)
	app := s.App()
	left, ok := s.depart(ctx, "unsubscribe", gone.Subscription, channels.Departure{
		Topic: channels.Topic{App: app.ID, Channel: channel}, Member: gone.member,
	})
	if ok {
		s.registry.cfg.Counts.Changed(app, channel, left) //nolint:contextcheck // as in subscribe
	}
}
