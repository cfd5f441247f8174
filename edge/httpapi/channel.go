package httpapi

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
)

// topic returns the channel that the path names.
func (q query) topic() (channels.Topic, error) {
	if err := channels.CheckName(q.route.arg, q.app.Limits.ChannelNameLength); err != nil {
		return channels.Topic{}, badRequest("Invalid channel: " + err.Error())
	}
	return channels.Topic{App: q.app.ID, Channel: q.route.arg}, nil
}

// channel answers GET /apps/{id}/channels/{channel}: whether it is occupied, and what was asked for with info.
func (s *Server) channel(ctx context.Context, q query) (response, error) {
	topic, err := q.topic()
	if err != nil {
		return response{}, err
	}
	asked, err := queryInfo(&q.work.signed, counts|keptEvent)
	if err != nil {
		return response{}, err
	}
	if err := mustApply(q, topic.Channel, asked); err != nil {
		return response{}, err
	}
	o, err := s.cfg.Presence.Channel(ctx, topic)
	if err != nil {
		return response{}, err
	}
	body := strconv.AppendBool([]byte(`{"occupied":`), o.Subscribers > 0)
	if asked&counts != 0 {
		body = asked.append(append(body, ','), o)
	}
	if asked&keptEvent != 0 {
		if body, err = s.appendKept(ctx, append(body, `,"cache":`...), topic); err != nil {
			return response{}, err
		}
	}
	return response{body: string(append(body, '}'))}, nil
}

// mustApply refuses what this channel does not have.
func mustApply(q query, channel string, asked attributes) error {
	switch missing := asked &^ asked.applying(q.app, channel); {
	case missing&userCount != 0:
		return badRequest("Cannot retrieve the user count unless the channel is a presence channel")
	case missing&subscriptionCount != 0 && !q.app.Features.SubscriptionCount:
		return errNoSubscriptionCount()
	case missing&subscriptionCount != 0:
		return badRequest("Cannot retrieve the subscription count of a presence channel, ask for its user_count")
	case missing&keptEvent != 0:
		return badRequest("Cannot retrieve the cache unless the channel is a cache channel")
	}
	return nil
}

// appendKept appends the event that a cache channel keeps and how many seconds it still does, or null.
func (s *Server) appendKept(ctx context.Context, dst []byte, topic channels.Topic) ([]byte, error) {
	kept, err := s.cfg.Presence.Kept(ctx, topic)
	if err != nil {
		return nil, err
	}
	left := time.Until(kept.Expires)
	if len(kept.Frame) == 0 || left <= 0 {
		return append(dst, "null"...), nil
	}
	data, err := pusher.FrameData(kept.Frame)
	if err != nil {
		// The fault is ours: it must not be told as one of the request's own JSON.
		return nil, fmt.Errorf("read what is kept on channel %s of app %s: %v", topic.Channel, topic.App, err) //nolint:errorlint // see above
	}
	// The data is a JSON string in the frame, and is handed on as it stands there.
	dst = append(append(dst, `{"data":`...), data.JSON()...)
	seconds := (left + time.Second - 1) / time.Second
	dst = strconv.AppendInt(append(dst, `,"ttl":`...), int64(seconds), 10)
	return append(dst, '}'), nil
}

// channelUsers answers GET /apps/{id}/channels/{channel}/users: who is on a presence channel.
func (s *Server) channelUsers(ctx context.Context, q query) (response, error) {
	topic, err := q.topic()
	if err != nil {
		return response{}, err
	}
	if !channels.KindOf(topic.Channel).Members() {
		return response{}, badRequest("Cannot retrieve the users unless the channel is a presence channel")
	}
	members, err := s.cfg.Presence.Members(ctx, topic)
	if err != nil {
		return response{}, err
	}
	body := []byte(`{"users":[`)
	for i, m := range members {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(pusher.AppendString(append(body, `{"id":`...), m.ID), '}')
	}
	return response{body: string(append(body, "]}"...))}, nil
}

// channelStats answers GET /apps/{id}/channels/{channel}/stats, which old libraries ask for. All three are always
// there; a channel that is no presence channel has no users.
func (s *Server) channelStats(ctx context.Context, q query) (response, error) {
	topic, err := q.topic()
	if err != nil {
		return response{}, err
	}
	o, err := s.cfg.Presence.Channel(ctx, topic)
	if err != nil {
		return response{}, err
	}
	return response{body: fmt.Sprintf(`{"occupied":%t,"user_count":%d,"connection_count":%d}`, o.Subscribers > 0, o.Members, o.Subscribers)}, nil
}
