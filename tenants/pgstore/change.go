package pgstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
)

// channelAppChanged is the PostgreSQL channel on which the id of every app that changed is told.
const channelAppChanged = "peal_app_changed"

// detail is what an audit row tells of a change, without secrets.
type detail map[string]any

// change is one transaction that changes the control plane. Everything in it commits, or nothing does.
type change struct {
	pgx.Tx
	actor tenants.Actor
}

// change runs f in a transaction and commits it unless f returns an error, which is returned as it is.
func (s *Store) change(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	var inside error
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		inside = f(change{tx, actor})
		return inside
	})
	if inside != nil {
		return inside
	}
	return wrap(err)
}

// audit writes what was done to the audit log.
func (c change) audit(ctx context.Context, action, target string, d detail) error {
	if d == nil {
		d = detail{}
	}
	_, err := exec(ctx, c, `
		INSERT INTO audit (tenant_id, user_id, via, ip, request_id, action, target, detail)
		VALUES (@tenant, @user, @via, @ip, @request, @action, @target, @detail)`,
		pgx.NamedArgs{
			"tenant":  c.actor.TenantID,
			"user":    uuid.NullUUID{UUID: c.actor.UserID, Valid: c.actor.UserID != uuid.Nil},
			"via":     c.actor.Via,
			"ip":      nullable(c.actor.IP),
			"request": nullable(c.actor.RequestID),
			"action":  action,
			"target":  target,
			"detail":  d,
		})
	if err != nil {
		return fmt.Errorf("write audit row: %w", err)
	}
	return nil
}

// appChanged writes the audit row of a change to an app and tells every edge of it.
func (c change) appChanged(ctx context.Context, appID, action, target string, d detail) error {
	if err := c.audit(ctx, action, target, d); err != nil {
		return err
	}
	if _, err := exec(ctx, c, `SELECT pg_notify(@channel, @app)`, pgx.NamedArgs{"channel": channelAppChanged, "app": appID}); err != nil {
		return fmt.Errorf("tell that app %s changed: %w", appID, err)
	}
	return nil
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
