package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// events answers POST /apps/{id}/events: one event for one or more channels.
func (s *Server) events(ctx context.Context, app *tenants.App, work *scratch) (response, error) {
	root, err := pusher.ParseJSON(work.body)
	if err != nil {
		return "", err
	}
	if err := work.parseEvent(root, &app.Limits, true); err != nil {
		return "", err
	}
	return "{}", s.cfg.Publisher.Publish(ctx, app, work.events...)
}

// batchEvents answers POST /apps/{id}/batch_events: several events for one channel each, all or none.
func (s *Server) batchEvents(ctx context.Context, app *tenants.App, work *scratch) (response, error) {
	root, err := pusher.ParseJSON(work.body)
	if err != nil {
		return "", err
	}
	if err := work.parseBatch(root, &app.Limits); err != nil {
		return "", err
	}
	if err := s.cfg.Publisher.Publish(ctx, app, work.events...); err != nil {
		return "", batchError(err, len(work.events))
	}
	return "{}", nil
}

// batchError names the event that a batch was refused for, if it was one.
func batchError(err error, events int) error {
	var wrong *publish.EventError
	if errors.As(err, &wrong) && events > 0 {
		return inBatch(wrong.Event, err)
	}
	return err
}

func (w *scratch) parseBatch(root pusher.Value, limits *tenants.Limits) error {
	var batch pusher.Value
	for m := root.Members(); m.Next(); {
		if string(m.Name()) == "batch" {
			batch = m.Value()
		}
	}
	if batch.Kind() != pusher.KindArray {
		return badRequest("Invalid batch: it must be an array of events")
	}
	for items := batch.Items(); items.Next(); {
		if len(w.events) == limits.EventsPerBatch {
			return refuse(http.StatusBadRequest, "Invalid batch: it may have at most %d events", limits.EventsPerBatch)
		}
		if err := w.parseEvent(items.Value(), limits, false); err != nil {
			return inBatch(len(w.events), err)
		}
	}
	return nil
}

// parseEvent appends an event to those of the request. What its parts may hold is for edge/publish to check; here they must have the
// right type. An event of a batch names a single channel, any other may name a list.
func (w *scratch) parseEvent(v pusher.Value, limits *tenants.Limits, lists bool) error {
	if v.Kind() != pusher.KindObject {
		return badRequest("Invalid event: it must be a JSON object")
	}
	var name, data, channel, list, socketID pusher.Value
	for m := v.Members(); m.Next(); {
		switch string(m.Name()) {
		case "name":
			name = m.Value()
		case "data":
			data = m.Value()
		case "channel":
			channel = m.Value()
		case "channels":
			list = m.Value()
		case "socket_id":
			socketID = m.Value()
		}
	}
	if name.Kind() != pusher.KindString {
		return badRequest("Invalid name: an event needs a name, which is a string")
	}
	text, err := parseData(data)
	if err != nil {
		return err
	}
	names, err := w.parseChannels(channel, list, limits, lists)
	if err != nil {
		return err
	}
	except, err := parseSocketID(socketID)
	if err != nil {
		return err
	}
	w.events = append(w.events, publish.Event{Channels: names, Name: name.Text(), Data: text, Except: except})
	return nil
}

// parseData returns what subscribers get as the event's data. A string goes out as it is, any other JSON value
// as its text; the empty string is data, but no data is none.
func parseData(data pusher.Value) (string, error) {
	switch data.Kind() {
	case pusher.KindAbsent:
		return "", badRequest("Invalid data: an event needs data, which may be empty")
	case pusher.KindString:
		return data.Text(), nil
	default:
		return data.JSON(), nil
	}
}

func (w *scratch) parseChannels(channel, list pusher.Value, limits *tenants.Limits, lists bool) ([]string, error) {
	switch {
	case list.Given() && !lists:
		return nil, badRequest("Invalid channels: an event of a batch goes to one channel, named by channel")
	case list.Given() && channel.Given():
		return nil, badRequest("Invalid channels: give either channel or channels")
	case list.Kind() == pusher.KindArray:
		return w.parseList(list, limits)
	case list.Given():
		return nil, badRequest("Invalid channels: it must be an array of strings")
	case channel.Kind() == pusher.KindString:
		first := len(w.names)
		w.names = append(w.names, channel.Text())
		return w.names[first:], nil
	default:
		return nil, badRequest("Invalid channel: an event needs a channel, which is a string")
	}
}

func (w *scratch) parseList(list pusher.Value, limits *tenants.Limits) ([]string, error) {
	first := len(w.names)
	for items := list.Items(); items.Next(); {
		if len(w.names)-first == limits.ChannelsPerPublish {
			return nil, refuse(http.StatusBadRequest, "Invalid channels: an event may go to at most %d channels", limits.ChannelsPerPublish)
		}
		if items.Value().Kind() != pusher.KindString {
			return nil, badRequest("Invalid channels: it must be an array of strings")
		}
		w.names = append(w.names, items.Value().Text())
	}
	return w.names[first:], nil
}

func parseSocketID(v pusher.Value) (string, error) {
	if !v.Given() {
		return "", nil
	}
	id := v.Text()
	if !pusher.ValidSocketID(id) {
		return "", badRequest("Invalid socket_id: a socket id is two runs of digits with a dot between them")
	}
	return id, nil
}
