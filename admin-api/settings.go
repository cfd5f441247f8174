package adminapi

import (
	"context"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// GetAppSettings implements SettingsService.
func (s *server) GetAppSettings(ctx context.Context, req *adminv1.GetAppSettingsRequest) (*adminv1.GetAppSettingsResponse, error) {
	app, err := s.Store.App(ctx, caller(ctx).Tenant.ID, req.GetAppId())
	if err != nil {
		return nil, err
	}
	return &adminv1.GetAppSettingsResponse{Settings: settingsToProto(app)}, nil
}

// UpdateAppSettings implements SettingsService.
func (s *server) UpdateAppSettings(ctx context.Context, req *adminv1.UpdateAppSettingsRequest) (*adminv1.UpdateAppSettingsResponse, error) {
	change, err := settingsFromProto(req)
	if err != nil {
		return nil, err
	}
	app, err := s.Store.UpdateAppSettings(ctx, actor(ctx), req.GetAppId(), change)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.UpdateAppSettingsResponse{Settings: settingsToProto(app)}
	if len(change.Limits) > 0 {
		resp.Notices = s.notices(ctx, app.ID, "this app", app.Limits.Connections, app.Limits.MessagesPerDay)
	}
	return resp, nil
}

// CheckOrigin implements SettingsService.
func (s *server) CheckOrigin(_ context.Context, req *adminv1.CheckOriginRequest) (*adminv1.CheckOriginResponse, error) {
	origin, err := tenants.CheckOrigin("origin", req.GetOrigin())
	if err != nil {
		return nil, err
	}
	list, err := tenants.CheckOrigins("origins", req.GetOrigins())
	if err != nil {
		return nil, err
	}
	entry, _ := list.Match(origin)
	return &adminv1.CheckOriginResponse{Origin: origin, Allowed: list.Allow(origin), Entry: entry}, nil
}
