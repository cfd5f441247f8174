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

// What a publish is answered with when it asked for info: how its channels were occupied just after it, or, under a key,
// just before, because the answer is kept with the key.

// eventCounts answers an event: the attributes of each channel, under its name.
func (s *Server) eventCounts(ctx context.Context, q query) response {
	asked := q.work.infos[0]
	if asked == noAttributes {
		return response{body: "{}"}
	}
	names := q.work.events[0].Channels
	known := s.occupancies(ctx, q.app, names, func(int) attributes { return asked })
	body := []byte(`{"channels":{`)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(pusher.AppendString(body, name), ':')
		body = appendCounts(body, q.app, name, asked, known)
	}
	return response{body: string(append(body, "}}"...))}
}

// batchCounts answers a batch: the attributes of each event's channel, in the order of the events.
func (s *Server) batchCounts(ctx context.Context, q query) response {
	if !asks(q.work.infos) {
		return response{body: "{}"}
	}
	known := s.batchOccupancies(ctx, q)
	body := []byte(`{"batch":[`)
	for i, asked := range q.work.infos {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendCounts(body, q.app, q.work.events[i].Channels[0], asked, known)
	}
	return response{body: string(append(body, "]}"...))}
}

// batchOccupancies looks into the channels of a batch.
func (s *Server) batchOccupancies(ctx context.Context, q query) map[string]channels.Occupancy {
	names := make([]string, len(q.work.events))
	for i := range names {
		names[i] = q.work.events[i].Channels[0]
	}
	return s.occupancies(ctx, q.app, names, func(i int) attributes { return q.work.infos[i] })
}

// occupancies looks, in one go, into those of the channels of which something is asked that they have. If that cannot be had
// at the moment it is left out: the events are out or about to be, and an error would have them sent again.
func (s *Server) occupancies(ctx context.Context, app *tenants.App, names []string, asked func(i int) attributes) map[string]channels.Occupancy {
	var wanted []string
	known := make(map[string]channels.Occupancy)
	for i, name := range names {
		if _, there := known[name]; !there && asked(i).applying(app, name) != noAttributes {
			known[name] = channels.Occupancy{}
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	list, err := s.cfg.Presence.Occupancies(ctx, app.ID, wanted)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Logger.WarnContext(ctx, "a publish is answered without the counts that it asked for", slog.String("app", app.ID),
				slog.String("request_id", requestid.From(ctx)), slog.Any("error", err))
		}
		return nil
	}
	for i, name := range wanted {
		known[name] = list[i]
	}
	return known
}

// appendCounts appends an object with those attributes that the channel has, as far as they are known.
func appendCounts(dst []byte, app *tenants.App, channel string, asked attributes, known map[string]channels.Occupancy) []byte {
	dst = append(dst, '{')
	if asked = asked.applying(app, channel); asked != noAttributes {
		if o, there := known[channel]; there {
			dst = asked.append(dst, o)
		}
	}
	return append(dst, '}')
}
