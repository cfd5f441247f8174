package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Errors of a conflict on an app's name or id; the field is the one of the admin API.
const (
	nameTaken = "is the name of another app of yours"
	idTaken   = "is the id of another app on this platform"
)

// appColumns are what an [appRow] is read from, in every statement on apps. A limit that was not set is missing in limits.
const appColumns = `
	id, tenant_id, name, enabled, created_at, origins, channel_rules,
	jsonb_build_object(
		'client_events', feature_client_events,
		'subscription_count', feature_subscription_count,
		'watchlist', feature_watchlist,
		'authorized_connections', feature_authorized_connections,
		'tls_only', feature_tls_only,
		'compression', feature_compression
	) AS features,
	jsonb_strip_nulls(jsonb_build_object(
		'connections', limit_connections,
		'connections_per_second', limit_connections_per_second,
		'messages_per_second', limit_messages_per_second,
		'messages_per_day', limit_messages_per_day,
		'client_events_per_second', limit_client_events_per_second,
		'payload_bytes', limit_payload_bytes,
		'channel_name_length', limit_channel_name_length,
		'event_name_length', limit_event_name_length,
		'channels_per_publish', limit_channels_per_publish,
		'events_per_batch', limit_events_per_batch,
		'channels_per_socket', limit_channels_per_socket,
		'presence_members', limit_presence_members,
		'member_info_bytes', limit_member_info_bytes,
		'watchlist_users', limit_watchlist_users,
		'cache_ttl_seconds', limit_cache_ttl_seconds,
		'activity_timeout_seconds', limit_activity_timeout_seconds,
		'authorization_timeout_seconds', limit_authorization_timeout_seconds
	)) AS limits,
	coalesce((
		SELECT plans.limits
		FROM tenants
		JOIN plans ON plans.id = tenants.plan_id
		WHERE tenants.id = apps.tenant_id
	), '{}') AS plan,
	coalesce((
		SELECT tenants.suspended_at IS NOT NULL
		FROM tenants
		WHERE tenants.id = apps.tenant_id
	), false) AS suspended`

type appRow struct {
	ID           string
	TenantID     uuid.UUID
	Name         string
	Enabled      bool
	CreatedAt    time.Time
	Origins      []string
	ChannelRules tenants.ChannelRules
	Features     map[string]bool
	Limits       tenants.LimitOverrides
	Plan         tenants.LimitOverrides
	Suspended    bool
}

func (r appRow) app() *tenants.App {
	app := &tenants.App{
		ID: r.ID, TenantID: r.TenantID, Name: r.Name, Enabled: r.Enabled, CreatedAt: r.CreatedAt,
		Origins: r.Origins, Limits: r.Limits.Within(r.Plan), LimitsSet: r.Limits, ChannelRules: r.ChannelRules,
		PlanLimits: r.Plan, Tenant: r.Plan.Together(), Suspended: r.Suspended,
	}
	for _, f := range tenants.FeatureFields() {
		*f.Of(&app.Features) = r.Features[f.Name]
	}
	return app
}

// CreateApp creates an app with one key in the actor's tenant. Errors: a conflict on "name".
func (s *Store) CreateApp(ctx context.Context, actor tenants.Actor, name string) (*tenants.App, tenants.Key, error) {
	var app *tenants.App
	var key tenants.Key
	err := s.change(ctx, actor, func(c change) error {
		var err error
		if app, err = c.insertApp(ctx, "", name, true); err != nil {
			return err
		}
		if key, err = s.insertKey(ctx, c, tenants.NewKey(app.ID)); err != nil {
			return err
		}
		return c.appChanged(ctx, app.ID, "app.created", app.ID, pgdb.Created(createdApp(app, key.Public)))
	})
	if err != nil {
		return nil, tenants.Key{}, fmt.Errorf("create app: %w", err)
	}
	return app, key, nil
}

// createdApp is what the audit log tells of a new app, with the key that it was made with.
func createdApp(app *tenants.App, key string) pgdb.Fields {
	f := pgdb.Fields{"name": app.Name, "enabled": app.Enabled}
	if key != "" {
		f["key"] = key
	}
	return f
}

// insertApp inserts an app under this id, or under the next free one where it is empty. The caller tells of it.
func (c change) insertApp(ctx context.Context, id, name string, enabled bool) (*tenants.App, error) {
	given := id != ""
	for {
		if !given {
			next, err := pgdb.One[struct{ ID string }](ctx, c, `SELECT nextval('app_id_seq')::text AS id`, nil)
			if err != nil {
				return nil, fmt.Errorf("next app id: %w", err)
			}
			id = next.ID
		}
		row, err := pgdb.One[appRow](ctx, c, `
			INSERT INTO apps (id, tenant_id, name, enabled)
			VALUES (@id, @tenant, @name, @enabled)
			ON CONFLICT (id) DO NOTHING
			RETURNING `+appColumns,
			pgx.NamedArgs{"id": id, "tenant": c.Actor.TenantID, "name": name, "enabled": enabled})
		switch {
		case errors.Is(err, tenants.ErrNotFound) && given:
			return nil, tenants.Conflict("id", idTaken)
		case errors.Is(err, tenants.ErrNotFound):
			continue // A customer brought this number; take the next.
		case pgdb.Violates(err, "apps_tenant_id_name_key"):
			return nil, tenants.Conflict("name", nameTaken)
		case err != nil:
			return nil, fmt.Errorf("insert app: %w", err)
		}
		return row.app(), nil
	}
}

// AppPage is where a list of apps goes on: after the app of this id and time.
type AppPage struct {
	CreatedAt time.Time
	ID        string
}

// Apps lists at most limit apps of a tenant, newest first, after a place in the list or from its start.
func (s *Store) Apps(ctx context.Context, tenant uuid.UUID, after *AppPage, limit int) ([]*tenants.App, error) {
	args := pgx.NamedArgs{"tenant": tenant, "limit": limit, "at": time.Time{}, "id": "", "first": after == nil}
	if after != nil {
		args["at"], args["id"] = after.CreatedAt, after.ID
	}
	rows, err := pgdb.ReadAll[appRow](ctx, s.db, pgdb.Tenant(tenant), `
		SELECT `+appColumns+`
		FROM apps
		WHERE tenant_id = @tenant
			AND (@first OR (created_at, id) < (@at, @id))
		ORDER BY created_at DESC, id DESC
		LIMIT @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	apps := make([]*tenants.App, 0, len(rows))
	for _, r := range rows {
		apps = append(apps, r.app())
	}
	return apps, nil
}

// App returns one app of a tenant, without keys.
func (s *Store) App(ctx context.Context, tenant uuid.UUID, id string) (*tenants.App, error) {
	var app *tenants.App
	err := s.db.Read(ctx, pgdb.Tenant(tenant), func(q pgdb.Querier) (err error) {
		app, err = appOf(ctx, q, tenant, id)
		return err
	})
	return app, err
}

func appOf(ctx context.Context, q pgdb.Querier, tenant uuid.UUID, id string) (*tenants.App, error) {
	row, err := pgdb.One[appRow](ctx, q, `
		SELECT `+appColumns+`
		FROM apps
		WHERE tenant_id = @tenant AND id = @id`,
		pgx.NamedArgs{"tenant": tenant, "id": id})
	if err != nil {
		return nil, fmt.Errorf("app %s: %w", id, err)
	}
	return row.app(), nil
}

// TenantLimits returns what all apps of a tenant may do together.
func (s *Store) TenantLimits(ctx context.Context, tenant uuid.UUID) (tenants.TenantLimits, error) {
	row, err := pgdb.ReadOne[struct{ Limits tenants.LimitOverrides }](ctx, s.db, pgdb.Tenant(tenant), `
		SELECT coalesce((SELECT plans.limits FROM plans WHERE plans.id = tenants.plan_id), '{}') AS limits
		FROM tenants
		WHERE id = @tenant`,
		pgx.NamedArgs{"tenant": tenant})
	if err != nil {
		return tenants.TenantLimits{}, fmt.Errorf("limits of a tenant: %w", err)
	}
	return row.Limits.Together(), nil
}

// RenameApp gives an app of the actor's tenant another name. Errors: a conflict on "name".
func (s *Store) RenameApp(ctx context.Context, actor tenants.Actor, id, name string) (*tenants.App, error) {
	var app *tenants.App
	err := s.change(ctx, actor, func(c change) error {
		before, err := c.lockApp(ctx, id)
		if err != nil || before.Name == name {
			app = before
			return err
		}
		app, err = c.renameApp(ctx, before, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rename app: %w", err)
	}
	return app, nil
}

func (c change) renameApp(ctx context.Context, before *tenants.App, name string) (*tenants.App, error) {
	row, err := pgdb.One[appRow](ctx, c, `
		UPDATE apps
		SET name = @name
		WHERE tenant_id = @tenant AND id = @id
		RETURNING `+appColumns,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "id": before.ID, "name": name})
	if pgdb.Violates(err, "apps_tenant_id_name_key") {
		return nil, tenants.Conflict("name", nameTaken)
	}
	if err != nil {
		return nil, err
	}
	return row.app(), c.appChanged(ctx, row.ID, "app.renamed", row.ID, pgdb.Changed(pgdb.Fields{"name": before.Name}, pgdb.Fields{"name": row.Name}))
}

// EnableApp enables or disables an app of the actor's tenant. Where it is so already nothing is written.
func (s *Store) EnableApp(ctx context.Context, actor tenants.Actor, id string, enabled bool) (*tenants.App, error) {
	var app *tenants.App
	err := s.change(ctx, actor, func(c change) error {
		before, err := c.lockApp(ctx, id)
		if err != nil || before.Enabled == enabled {
			app = before
			return err
		}
		app, err = c.enableApp(ctx, id, enabled)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("enable or disable app: %w", err)
	}
	return app, nil
}

func (c change) enableApp(ctx context.Context, id string, enabled bool) (*tenants.App, error) {
	row, err := pgdb.One[appRow](ctx, c, `
		UPDATE apps
		SET enabled = @enabled
		WHERE tenant_id = @tenant AND id = @id
		RETURNING `+appColumns,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "id": id, "enabled": enabled})
	if err != nil {
		return nil, fmt.Errorf("enable app: %w", err)
	}
	action := "app.disabled"
	if enabled {
		action = "app.enabled"
	}
	return row.app(), c.appChanged(ctx, id, action, id, pgdb.Changed(pgdb.Fields{"enabled": !enabled}, pgdb.Fields{"enabled": enabled}))
}

// lockApp returns an app of the actor's tenant and keeps others from changing it until the end of the change.
func (c change) lockApp(ctx context.Context, id string) (*tenants.App, error) {
	row, err := pgdb.One[appRow](ctx, c, `
		SELECT `+appColumns+`
		FROM apps
		WHERE tenant_id = @tenant AND id = @id
		FOR UPDATE`,
		pgx.NamedArgs{"tenant": c.Actor.TenantID, "id": id})
	if err != nil {
		return nil, fmt.Errorf("app %s: %w", id, err)
	}
	return row.app(), nil
}

// DeleteApp deletes an app of the actor's tenant with its keys.
func (s *Store) DeleteApp(ctx context.Context, actor tenants.Actor, id string) error {
	err := s.change(ctx, actor, func(c change) error {
		// In the order in which all others lock several keys, so that none waits for another in a circle.
		if _, err := pgdb.All[struct{ Public string }](ctx, c, `
			SELECT public
			FROM keys
			WHERE tenant_id = @tenant AND app_id = @id
			ORDER BY public
			FOR UPDATE`,
			pgx.NamedArgs{"tenant": actor.TenantID, "id": id}); err != nil {
			return err
		}
		row, err := pgdb.One[appRow](ctx, c, `
			DELETE FROM apps
			WHERE tenant_id = @tenant AND id = @id
			RETURNING `+appColumns,
			pgx.NamedArgs{"tenant": actor.TenantID, "id": id})
		if err != nil {
			return err
		}
		return c.appChanged(ctx, id, "app.deleted", id, pgdb.Removed(pgdb.Fields{"name": row.Name, "enabled": row.Enabled}))
	})
	if err != nil {
		return fmt.Errorf("delete app %s: %w", id, err)
	}
	return nil
}
