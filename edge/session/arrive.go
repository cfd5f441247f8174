package session

import (
	"context"
	"errors"

	"github.com/pealhq/peal/channels"
)

// arrive brings the socket onto a topic, where it hears what is said and is counted: a channel, or the topic of the user who
// has signed in. greet makes of the welcome what the socket is sent first.
func (s *Session) arrive(ctx context.Context, a channels.Arrival, greet func(channels.Welcome) channels.Greeting) (*channels.Subscription, error) {
	presence, isThere := s.registry.cfg.Presence, false
	a.Socket = s.carrier.ID()
	here, err := s.registry.cfg.Hub.Subscribe(ctx, a.Topic, a.Log, s.carrier, func() (channels.Greeting, error) {
		w, err := presence.Join(ctx, a)
		if err != nil {
			return channels.Greeting{}, err
		}
		isThere = true
		return greet(w), nil
	})
	if err != nil && isThere {
		d := channels.Departure{Topic: a.Topic, Socket: a.Socket}
		if a.Member != nil {
			d.Member = a.Member.ID
		}
		_, leaveErr := presence.Leave(ctx, d)
		err = errors.Join(err, leaveErr)
	}
	return here, err
}

// depart takes back what arrive did, and tells how many are left, where that can be known. The client can do nothing
// about trouble with it.
func (s *Session) depart(ctx context.Context, doing string, here *channels.Subscription, d channels.Departure) (left int, ok bool) {
	if err := s.registry.cfg.Hub.Unsubscribe(ctx, here); err != nil {
		s.trouble(ctx, doing, d.Topic.Channel, err)
	}
	d.Socket = s.carrier.ID()
	left, err := s.registry.cfg.Presence.Leave(ctx, d)
	if err != nil {
		s.trouble(ctx, doing, d.Topic.Channel, err)
	}
	return left, err == nil
}
