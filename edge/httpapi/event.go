package httpapi

import (
	"context"
	"net/http"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// events answers POST /apps/{id}/events: one event for one or more channels.
func (s *Server) events(ctx context.Context, q query) (response, error) {
	if err := q.parseEvent(); err != nil {
		return response{}, err
	}
	if err := q.mayBeTold(); err != nil {
		return response{}, err
	}
	key, err := q.key()
	if err != nil {
		return response{}, err
	}
	if key == "" {
		key = q.work.ids[0] // which for a single event says the same
	}
	if key != "" {
		return s.eventOnce(ctx, q, key)
	}
	if err := s.cfg.Publisher.Publish(ctx, q.app, q.work.events...); err != nil {
		return response{}, err
	}
	return s.eventCounts(ctx, q), nil
}

// parseEvent reads the event from the body or, when there is none, from the query.
func (q query) parseEvent() error {
	if len(q.work.body) == 0 {
		return q.work.parseQueryEvent(&q.app.Limits)
	}
	root, err := pusher.ParseJSON(q.work.body)
	if err != nil {
		return err
	}
	return q.work.parseEvent(root, &q.app.Limits, true)
}

// parseEvent appends an event to those of the request. What its parts may hold is for edge/publish to check; here they
// must have the right type. An event of a batch names a single channel, any other may name a list.
func (w *scratch) parseEvent(v pusher.Value, limits *tenants.Limits, lists bool) error {
	if v.Kind() != pusher.KindObject {
		return badRequest("Invalid event: it must be a JSON object")
	}
	var name, data, channel, list, socketID, info, id pusher.Value
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
		case "info":
			info = m.Value()
		case "id":
			id = m.Value()
		}
	}
	if name.Kind() != pusher.KindString {
		return errNoName()
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
	asked, err := parseInfo(info)
	if err != nil {
		return err
	}
	key, err := parseID(id)
	if err != nil {
		return err
	}
	w.add(publish.Event{Channels: names, Name: name.Text(), Data: text, Except: except}, asked, key)
	return nil
}

func (w *scratch) add(e publish.Event, asked attributes, id string) {
	w.events = append(w.events, e)
	w.infos = append(w.infos, asked)
	w.ids = append(w.ids, id)
}

func errNoName() error {
	return badRequest("Invalid name: an event needs a name, which is a string")
}

// parseData returns what subscribers get as the event's data. A string goes out as it is, any other JSON value
// as its text; the empty string is data, but no data is none.
func parseData(data pusher.Value) (string, error) {
	switch data.Kind() {
	case pusher.KindAbsent:
		return "", errNoData()
	case pusher.KindString:
		return data.Text(), nil
	default:
		return data.JSON(), nil
	}
}

func errNoData() error {
	return badRequest("Invalid data: an event needs data, which may be empty")
}

func (w *scratch) parseChannels(channel, list pusher.Value, limits *tenants.Limits, lists bool) ([]string, error) {
	switch {
	case list.Given() && !lists:
		return nil, badRequest("Invalid channels: an event of a batch goes to one channel, named by channel")
	case list.Given() && channel.Given():
		return nil, errBothChannels()
	case list.Kind() == pusher.KindArray:
		return w.parseList(list, limits)
	case list.Given():
		return nil, badRequest("Invalid channels: it must be an array of strings")
	case channel.Kind() == pusher.KindString:
		return w.one(channel.Text()), nil
	default:
		return nil, errNoChannel()
	}
}

// one returns a list of one channel.
func (w *scratch) one(channel string) []string {
	w.names = append(w.names, channel)
	return w.names[len(w.names)-1:]
}

func errBothChannels() error {
	return badRequest("Invalid channels: give either channel or channels")
}

func errNoChannel() error {
	return badRequest("Invalid channel: an event needs a channel, which is a string")
}

func (w *scratch) parseList(list pusher.Value, limits *tenants.Limits) ([]string, error) {
	first := len(w.names)
	for items := list.Items(); items.Next(); {
		if len(w.names)-first == limits.ChannelsPerPublish {
			return nil, errManyChannels(limits)
		}
		if items.Value().Kind() != pusher.KindString {
			return nil, badRequest("Invalid channels: it must be an array of strings")
		}
		w.names = append(w.names, items.Value().Text())
	}
	return w.names[first:], nil
}

func errManyChannels(limits *tenants.Limits) error {
	return refuse(http.StatusBadRequest, "Invalid channels: an event may go to at most %d channels", limits.ChannelsPerPublish)
}

func parseSocketID(v pusher.Value) (string, error) {
	if !v.Given() {
		return "", nil
	}
	return checkSocketID(v.Text())
}

// checkSocketID takes the id of a socket, which whoever names one must name rightly: an empty one excludes nobody.
func checkSocketID(id string) (string, error) {
	if !pusher.ValidSocketID(id) {
		return "", badRequest("Invalid socket_id: a socket id is two runs of digits with a dot between them")
	}
	return id, nil
}

func parseInfo(v pusher.Value) (attributes, error) {
	switch {
	case !v.Given():
		return noAttributes, nil
	case v.Kind() != pusher.KindString:
		return 0, badRequest("Invalid info: it must be a string, with commas between what is asked for")
	}
	return noAttributes.parse(v.Text(), counts)
}
