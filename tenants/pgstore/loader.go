package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
)

// AppByID returns an app with its active keys for the edge, whatever its tenant. It makes a [Store] a
// [tenants.Loader].
func (s *Store) AppByID(ctx context.Context, id string) (*tenants.App, error) {
	return s.loadApp(ctx, `
		SELECT `+appColumns+`
		FROM apps
		WHERE id = @value`, id)
}

// AppByKey returns the app that an active key opens, with all its active keys.
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
	var inside error
	// One snapshot, so that an app is never seen with the keys of another moment.
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, opts, func(tx pgx.Tx) error {
		app, inside = s.readApp(ctx, tx, sql, value)
		return inside
	})
	if inside == nil {
		inside = wrap(err)
	}
	if inside != nil {
		return nil, fmt.Errorf("load app: %w", inside)
	}
	return app, nil
}

func (s *Store) readApp(ctx context.Context, tx pgx.Tx, sql, value string) (*tenants.App, error) {
	row, err := one[appRow](ctx, tx, sql, pgx.NamedArgs{"value": value})
	if err != nil {
		return nil, err
	}
	app := row.app()
	keys, err := all[keyRow](ctx, tx, `
		SELECT public, app_id, tenant_id, sealed, sealed_with, state, created_at, revoked_at
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
