package main

import (
	"context"

	"github.com/pealhq/peal/channels"
)

// live tells the admin API what is going on.
type live struct{ p *platform }

// Connections implements adminapi.Live.
func (l live) Connections(ctx context.Context, owner string) (int, error) {
	all, err := l.p.bus.Channel(ctx, channels.SocketsTopic(owner))
	return all.Subscribers, err
}

// MessagesToday implements adminapi.Live.
func (l live) MessagesToday(ctx context.Context, owner string) (int, error) {
	return l.p.days.Used(ctx, owner)
}
