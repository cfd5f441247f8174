package adminapi

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// PublishEvent implements EventService.
func (s *server) PublishEvent(ctx context.Context, req *adminv1.PublishEventRequest) (*adminv1.PublishEventResponse, error) {
	app, err := s.Store.App(ctx, caller(ctx).Tenant.ID, req.GetAppId())
	if err != nil {
		return nil, err
	}
	if app.Suspended {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("this account is suspended, and its apps with it"))
	}
	if !app.Enabled {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("the app is disabled; enable it to publish"))
	}
	if err := s.Publisher.Publish(ctx, app, req.GetChannel(), req.GetName(), req.GetData()); err != nil {
		return nil, err
	}
	return &adminv1.PublishEventResponse{}, nil
}
