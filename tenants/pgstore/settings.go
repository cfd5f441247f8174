package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// UpdateAppSettings changes settings of an app of the actor's tenant. The change has been checked. Where it makes no
// difference nothing is written.
func (s *Store) UpdateAppSettings(ctx context.Context, actor tenants.Actor, id string, want tenants.SettingsChange) (*tenants.App, error) {
	var app *tenants.App
	err := s.change(ctx, actor, func(c change) error {
		var err error
		if app, err = c.lockApp(ctx, id); err != nil {
			return err
		}
		app, _, err = c.updateSettings(ctx, app, want)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("update settings of app %s: %w", id, err)
	}
	return app, nil
}

// updateSettings changes the settings of an app that is locked, and returns what is different now.
func (c change) updateSettings(ctx context.Context, app *tenants.App, want tenants.SettingsChange) (*tenants.App, []tenants.SettingChanged, error) {
	if err := want.CheckWithin(app.PlanLimits); err != nil {
		return nil, nil, err
	}
	changed := want.Apply(app)
	if len(changed) == 0 {
		return app, nil, nil
	}
	if err := app.Limits.Check(); err != nil {
		return nil, nil, err
	}
	row, err := pgdb.One[appRow](ctx, c, `
		UPDATE apps
		SET
			origins = @origins,
			channel_rules = @channel_rules,
			feature_client_events = @feature_client_events,
			feature_subscription_count = @feature_subscription_count,
			feature_watchlist = @feature_watchlist,
			feature_authorized_connections = @feature_authorized_connections,
			feature_tls_only = @feature_tls_only,
			feature_compression = @feature_compression,
			limit_connections = @limit_connections,
			limit_connections_per_second = @limit_connections_per_second,
			limit_messages_per_second = @limit_messages_per_second,
			limit_messages_per_day = @limit_messages_per_day,
			limit_client_events_per_second = @limit_client_events_per_second,
			limit_payload_bytes = @limit_payload_bytes,
			limit_channel_name_length = @limit_channel_name_length,
			limit_event_name_length = @limit_event_name_length,
			limit_channels_per_publish = @limit_channels_per_publish,
			limit_events_per_batch = @limit_events_per_batch,
			limit_channels_per_socket = @limit_channels_per_socket,
			limit_presence_members = @limit_presence_members,
			limit_member_info_bytes = @limit_member_info_bytes,
			limit_watchlist_users = @limit_watchlist_users,
			limit_cache_ttl_seconds = @limit_cache_ttl_seconds,
			limit_activity_timeout_seconds = @limit_activity_timeout_seconds,
			limit_authorization_timeout_seconds = @limit_authorization_timeout_seconds
		WHERE tenant_id = @tenant AND id = @id
		RETURNING `+appColumns, c.settingArgs(app))
	if err != nil {
		return nil, nil, fmt.Errorf("store settings: %w", err)
	}
	before, after := pgdb.Fields{}, pgdb.Fields{}
	for _, s := range changed {
		before[s.Path], after[s.Path] = s.Before, s.After
	}
	return row.app(), changed, c.appChanged(ctx, app.ID, "app.settings_changed", app.ID, pgdb.Changed(before, after))
}

func (c change) settingArgs(app *tenants.App) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"tenant": c.Actor.TenantID, "id": app.ID,
		// Never nil, which is NULL.
		"origins": append([]string{}, app.Origins...), "channel_rules": append(tenants.ChannelRules{}, app.ChannelRules...),
	}
	for _, f := range tenants.FeatureFields() {
		args["feature_"+f.Name] = *f.Of(&app.Features)
	}
	for _, f := range tenants.LimitFields() {
		args["limit_"+f.Name] = nil
		if v, set := app.LimitsSet[f.Name]; set {
			args["limit_"+f.Name] = v
		}
	}
	return args
}
