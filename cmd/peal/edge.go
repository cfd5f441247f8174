package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	adminapi "github.com/pealhq/peal/admin-api"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/tenants"
)

// edgeAddress is where customers reach the edge.
type edgeAddress adminapi.Edge

// edgeFor returns where somebody who reached the dashboard at this host reaches the edge: at the public URL
// where one is configured, otherwise at the same host and the edge's port.
func (p *platform) edgeFor(host string) adminapi.Edge {
	if u := p.cfg.settings.url(setEdgeURL); u != nil {
		return adminapi.Edge{Host: u.Hostname(), Port: portOf(u), TLS: u.Scheme == "https"}
	}
	return adminapi.Edge{Host: host, Port: p.edgeDoor.port()}
}

// origins returns the origins that a page must be allowed to connect to, to use the edge.
func (e edgeAddress) origins() []string {
	at := net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
	if e.TLS {
		return []string{"wss://" + at, "https://" + at}
	}
	return []string{"ws://" + at, "http://" + at}
}

// testPublisher lets the admin API publish, and turns what the edge says of an event into the words that the
// admin API knows.
type testPublisher struct{ *publish.Publisher }

func (t testPublisher) Publish(ctx context.Context, app *tenants.App, channel, name, data string) error {
	err := t.Publisher.Publish(ctx, app, publish.Event{Channels: []string{channel}, Name: name, Data: data})
	var wrong *publish.EventError
	var fast *publish.LimitError
	var quota publish.QuotaError
	switch {
	case errors.As(err, &wrong):
		field := wrong.Field
		if field == "channels" {
			field = "channel"
		}
		return tenants.Invalid(field, wrong.Reason)
	case errors.As(err, &fast), errors.As(err, &quota):
		return tenants.Refuse(tenants.ErrLimit, err.Error())
	case errors.Is(err, publish.ErrUnavailable):
		return fmt.Errorf("%w: %w", tenants.ErrUnavailable, err)
	}
	return err
}
