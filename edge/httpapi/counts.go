package httpapi

import (
	"context"
	"log/slog"
	"slices"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// What a publish is answered with when it asked for info: how its channels were occupied just after it.

// eventCounts answers an event: the attributes of each channel, under its name.
func (s *Server) eventCounts(ctx context.Context, q query) response {
	asked := q.work.infos[0]
	if asked == noAttributes {
		return response{body: "{}"}
	}
	names := q.work.events[0].Channels
	body := []byte(`{"channels":{`)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(pusher.AppendString(body, name), ':')
		body = s.appendCounts(ctx, body, q.app, name, asked)
	}
	return response{body: string(append(body, "}}"...))}
}

// batchCounts answers a batch: the attributes of each event's channel, in the order of the events.
func (s *Server) batchCounts(ctx context.Context, q query) response {
	if !asks(q.work.infos) {
		return response{body: "{}"}
	}
	body := []byte(`{"batch":[`)
	for i, asked := range q.work.infos {
		if i > 0 {
			body = append(body, ',')
		}
		body = s.appendCounts(ctx, body, q.app, q.work.events[i].Channels[0], asked)
	}
	return response{body: string(append(body, "]}"...))}
}

// appendCounts appends an object with those attributes that the channel has. One that cannot be had at the moment is
// left out: the events are out, and an error would have them sent again.
func (s *Server) appendCounts(ctx context.Context, dst []byte, app *tenants.App, channel string, asked attributes) []byte {
	dst = append(dst, '{')
	if asked = asked.applying(app, channel); asked != noAttributes {
		o, err := s.cfg.Presence.Channel(ctx, channels.Topic{App: app.ID, Channel: channel})
		if err == nil {
			dst = asked.append(dst, o)
		} else if ctx.Err() == nil {
			s.cfg.Logger.WarnContext(ctx, "a publish is answered without the counts that it asked for", slog.String("app", app.ID),
				slog.String("request_id", requestid.From(ctx)), slog.Any("error", err))
		}
	}
	return append(dst, '}')
}
