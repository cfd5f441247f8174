package adminapi

import (
	"context"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// defaultPageSize is the number of apps on a page for which no size was asked.
const defaultPageSize = 50

// CreateApp implements AppService.
func (s *server) CreateApp(ctx context.Context, req *adminv1.CreateAppRequest) (*adminv1.CreateAppResponse, error) {
	name, err := tenants.CheckName("name", req.GetName())
	if err != nil {
		return nil, err
	}
	app, key, err := s.Store.CreateApp(ctx, actor(ctx), name)
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateAppResponse{App: appToProto(app), Key: keyToProto(key)}, nil
}

// ListApps implements AppService.
func (s *server) ListApps(ctx context.Context, req *adminv1.ListAppsRequest) (*adminv1.ListAppsResponse, error) {
	after, err := pageFromToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPageSize
	}
	// One more than asked for tells whether there is another page.
	apps, err := s.Store.Apps(ctx, caller(ctx).Tenant.ID, after, size+1)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListAppsResponse{}
	if len(apps) > size {
		apps = apps[:size]
		resp.NextPageToken = pageToken(apps[size-1])
	}
	for _, a := range apps {
		resp.Apps = append(resp.Apps, appToProto(a))
	}
	return resp, nil
}

// GetApp implements AppService.
func (s *server) GetApp(ctx context.Context, req *adminv1.GetAppRequest) (*adminv1.GetAppResponse, error) {
	app, err := s.Store.App(ctx, caller(ctx).Tenant.ID, req.GetAppId())
	if err != nil {
		return nil, err
	}
	return &adminv1.GetAppResponse{App: appToProto(app)}, nil
}

// RenameApp implements AppService.
func (s *server) RenameApp(ctx context.Context, req *adminv1.RenameAppRequest) (*adminv1.RenameAppResponse, error) {
	name, err := tenants.CheckName("name", req.GetName())
	if err != nil {
		return nil, err
	}
	app, err := s.Store.RenameApp(ctx, actor(ctx), req.GetAppId(), name)
	if err != nil {
		return nil, err
	}
	return &adminv1.RenameAppResponse{App: appToProto(app)}, nil
}

// EnableApp implements AppService.
func (s *server) EnableApp(ctx context.Context, req *adminv1.EnableAppRequest) (*adminv1.EnableAppResponse, error) {
	app, err := s.Store.EnableApp(ctx, actor(ctx), req.GetAppId(), true)
	if err != nil {
		return nil, err
	}
	return &adminv1.EnableAppResponse{App: appToProto(app)}, nil
}

// DisableApp implements AppService.
func (s *server) DisableApp(ctx context.Context, req *adminv1.DisableAppRequest) (*adminv1.DisableAppResponse, error) {
	app, err := s.Store.EnableApp(ctx, actor(ctx), req.GetAppId(), false)
	if err != nil {
		return nil, err
	}
	return &adminv1.DisableAppResponse{App: appToProto(app)}, nil
}

// DeleteApp implements AppService.
func (s *server) DeleteApp(ctx context.Context, req *adminv1.DeleteAppRequest) (*adminv1.DeleteAppResponse, error) {
	if err := s.Store.DeleteApp(ctx, actor(ctx), req.GetAppId()); err != nil {
		return nil, err
	}
	return &adminv1.DeleteAppResponse{}, nil
}
