package rpc

import (
	"context"
	"errors"

	"github.com/pealhq/peal/edge/publish"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
)

// Publish implements PublishService.
func (s *Server) Publish(ctx context.Context, req *publishv1.PublishRequest) (*publishv1.PublishResponse, error) {
	if req.GetEvent() == nil {
		return nil, wrongCall("event", `there is none; the request reads {"event": {"channels": […], "name": …, "data": …}}`)
	}
	err := s.publish(ctx, req.GetEvent())
	var wrong *publish.EventError
	if errors.As(err, &wrong) {
		return nil, invalid("event."+wrong.Field, wrong.Reason)
	}
	var used *publish.KeyUsedError
	if errors.As(err, &used) {
		return nil, keyUsed("event.id", used)
	}
	return &publishv1.PublishResponse{}, err
}

// PublishBatch implements PublishService.
func (s *Server) PublishBatch(ctx context.Context, req *publishv1.PublishBatchRequest) (*publishv1.PublishBatchResponse, error) {
	if err := s.publish(ctx, req.GetEvents()...); err != nil {
		return nil, inBatch(err)
	}
	return &publishv1.PublishBatchResponse{}, nil
}

// TerminateUser implements PublishService.
func (s *Server) TerminateUser(ctx context.Context, req *publishv1.TerminateUserRequest) (*publishv1.TerminateUserResponse, error) {
	return &publishv1.TerminateUserResponse{}, s.cfg.Publisher.Terminate(ctx, app(ctx), req.GetUserId())
}

func event(e *publishv1.Event) publish.Event {
	return publish.Event{Channels: e.GetChannels(), Name: e.GetName(), Data: e.GetData(), Except: e.GetSocketId()}
}
