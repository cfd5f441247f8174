package rpc

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/pealhq/peal/channels"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
	"github.com/pealhq/peal/pusher"
)

// ListChannels implements PublishService.
func (s *Server) ListChannels(ctx context.Context, req *publishv1.ListChannelsRequest) (*publishv1.ListChannelsResponse, error) {
	done, err := s.cfg.Lists.Take(ctx, app(ctx).ID)
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := s.cfg.Presence.Channels(ctx, app(ctx).ID, req.GetPrefix())
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	resp := &publishv1.ListChannelsResponse{Channels: make([]*publishv1.Channel, 0, len(list))}
	for _, o := range list {
		resp.Channels = append(resp.Channels, toChannel(o))
	}
	return resp, nil
}

// GetChannel implements PublishService.
func (s *Server) GetChannel(ctx context.Context, req *publishv1.GetChannelRequest) (*publishv1.GetChannelResponse, error) {
	topic, err := topicOf(ctx, req.GetChannel())
	if err != nil {
		return nil, err
	}
	o, err := s.cfg.Presence.Channel(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("look into a channel: %w", err)
	}
	resp := &publishv1.GetChannelResponse{Channel: toChannel(o)}
	if !channels.KindOf(topic.Channel).Cached() {
		return resp, nil
	}
	kept, err := s.cfg.Presence.Kept(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("look for a kept event: %w", err)
	}
	resp.Cached, err = toCached(kept)
	return resp, err
}

// ListMembers implements PublishService.
func (s *Server) ListMembers(ctx context.Context, req *publishv1.ListMembersRequest) (*publishv1.ListMembersResponse, error) {
	topic, err := topicOf(ctx, req.GetChannel())
	if err != nil {
		return nil, err
	}
	if !channels.KindOf(topic.Channel).Members() {
		return nil, wrongCall("channel", "only presence channels have members")
	}
	list, err := s.cfg.Presence.Members(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	resp := &publishv1.ListMembersResponse{Members: make([]*publishv1.Member, 0, len(list))}
	for _, m := range list {
		resp.Members = append(resp.Members, &publishv1.Member{Id: m.ID, InfoJson: m.Info})
	}
	return resp, nil
}

// topicOf returns a channel of the caller's app.
func topicOf(ctx context.Context, channel string) (channels.Topic, error) {
	a := app(ctx)
	if err := channels.CheckName(channel, a.Limits.ChannelNameLength); err != nil {
		return channels.Topic{}, wrongCall("channel", err.Error())
	}
	return channels.Topic{App: a.ID, Channel: channel}, nil
}

func toChannel(o channels.Occupancy) *publishv1.Channel {
	return &publishv1.Channel{
		Name: o.Channel, Occupied: o.Subscribers > 0,
		SubscriptionCount: int64(o.Subscribers), MemberCount: int64(o.Members),
	}
}

// toCached reads a kept frame, which is one of ours.
func toCached(k channels.Kept) (*publishv1.CachedEvent, error) {
	if k.Frame == nil {
		return nil, nil //nolint:nilnil // Nothing is kept, which is said by saying nothing.
	}
	f, err := pusher.ParseClientFrame(k.Frame)
	if err != nil {
		return nil, fmt.Errorf("read a kept event: %w", err)
	}
	return &publishv1.CachedEvent{Name: f.Event, Data: f.Data.Text(), Ttl: durationpb.New(time.Until(k.Expires))}, nil
}
