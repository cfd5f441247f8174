package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// AppByID returns an app with its keys for the edge, whatever its tenant. A key that retires is among them also when its date
// has passed: the edge goes by its own clock. It makes a [Store] a [tenants.Loader].
func (s *Store) AppByID(ctx context.Context, id string) (*tenants.App, error) {
	return s.loadApp(ctx, `
		SELECT `+appColumns+`
		FROM apps
		WHERE id = @value`, id)
}

// AppByKey returns the app of a key that is not revoked, with all such keys.
func (s *Store) AppByKey(ctx context.Context, public string) (*tenants.App, error) {
	return s.loadApp(ctx, `
		SELECT `+appColumns+`
		FROM apps
		WHERE (tenant_id, id) = (
			SELECT tenant_id, app_id
			FROM keys
			WHERE public = @value AND state = 'active'
		)`, public)
}

func (s *Store) loadApp(ctx context.Context, sql, value string) (*tenants.App, error) {
	var app *tenants.App
	// One snapshot, so that an app is never seen with the keys of another moment.
	err := s.db.Read(ctx, pgdb.Edge(), func(q pgdb.Querier) (err error) {
		app, err = s.readApp(ctx, q, sql, value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load app: %w", err)
	}
	return app, nil
}

func (s *Store) readApp(ctx context.Context, q pgdb.Querier, sql, value string) (*tenants.App, error) {
	row, err := pgdb.One[appRow](ctx, q, sql, pgx.NamedArgs{"value": value})
	if err != nil {
		return nil, err
	}
	app := row.app()
	keys, err := pgdb.All[keyRow](ctx, q, `
		SELECT `+keyColumns+`
		FROM keys
		WHERE tenant_id = @tenant AND app_id = @app AND state = 'active'
		ORDER BY created_at, public`,
		pgx.NamedArgs{"tenant": row.TenantID, "app": row.ID})
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		key, err := s.open(k)
		if err != nil {
			return nil, err
		}
		app.Keys = append(app.Keys, key)
	}
	return app, nil
}
