package httpapi

import (
	"context"
	"net/http"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/tenants"
)

// Events that come in the query, in whole or in part.

// parseQueryEvent reads an event that has no body. A list of channels comes as Ruby (channels[]=a) or PHP (channels[0]=a)
// sends arrays; commas do not part it, because a channel's name may hold one.
func (w *scratch) parseQueryEvent(limits *tenants.Limits) error {
	name, named := w.signed.Param("name")
	if !named {
		return errNoName()
	}
	data, given := w.signed.Param("data")
	if !given {
		return errNoData()
	}
	names, err := w.queryChannels(limits)
	if err != nil {
		return err
	}
	except, err := w.querySocketID()
	if err != nil {
		return err
	}
	asked, err := queryInfo(&w.signed, counts)
	if err != nil {
		return err
	}
	id, given := w.signed.Param("id")
	if given {
		if id, err = checkID(id); err != nil {
			return err
		}
	}
	w.add(publish.Event{Channels: names, Name: name, Data: data, Except: except}, asked, id)
	return nil
}

func (w *scratch) queryChannels(limits *tenants.Limits) ([]string, error) {
	if _, one := w.signed.Param("channels"); one {
		return nil, badRequest("Invalid channels: in a query each is sent as channels[]")
	}
	first := len(w.names)
	for name := range w.signed.Array("channels") {
		if len(w.names)-first == limits.ChannelsPerPublish {
			return nil, errManyChannels(limits)
		}
		w.names = append(w.names, name)
	}
	channel, one := w.signed.Param("channel")
	switch list := w.names[first:]; {
	case one && len(list) > 0:
		return nil, errBothChannels()
	case one:
		return w.one(channel), nil
	case len(list) == 0:
		return nil, errNoChannel()
	default:
		return list, nil
	}
}

func (w *scratch) querySocketID() (string, error) {
	id, given := w.signed.Param("socket_id")
	if !given {
		return "", nil
	}
	return checkSocketID(id)
}

// channelEvents answers POST /apps/{id}/channels/{channel}/events, as libraries from before September 2012 publish: the
// body is the data, whatever it holds, and the rest comes in the query. The answer has no body.
func (s *Server) channelEvents(ctx context.Context, q query) (response, error) {
	topic, err := q.topic()
	if err != nil {
		return response{}, err
	}
	name, named := q.work.signed.Param("name")
	if !named {
		return response{}, errNoName()
	}
	except, err := q.work.querySocketID()
	if err != nil {
		return response{}, err
	}
	q.work.add(publish.Event{Channels: q.work.one(topic.Channel), Name: name, Data: string(q.work.body), Except: except}, noAttributes, "")
	key, err := q.key()
	if err != nil {
		return response{}, err
	}
	if key != "" {
		answer, err := s.eventOnce(ctx, q, key)
		return response{status: http.StatusAccepted, replayed: answer.replayed}, err
	}
	return response{status: http.StatusAccepted}, s.cfg.Publisher.Publish(ctx, q.app, q.work.events...)
}
