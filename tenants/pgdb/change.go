package pgdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
)

// Detail is what an audit row tells of a change, without secrets. Where something was there before, what was and what is
// stand under "before" and "after".
type Detail map[string]any

// Change is one transaction that changes the control plane, and who makes it.
type Change struct {
	Querier
	Actor tenants.Actor
}

// Audit writes what was done to the audit log of the actor's tenant.
func (c Change) Audit(ctx context.Context, action, target string, d Detail) error {
	if d == nil {
		d = Detail{}
	}
	_, err := Exec(ctx, c, `
		INSERT INTO audit (tenant_id, user_id, via, ip, request_id, action, target, detail)
		VALUES (@tenant, @user, @via, @ip, @request, @action, @target, @detail)`,
		pgx.NamedArgs{
			"tenant":  c.Actor.TenantID,
			"user":    uuid.NullUUID{UUID: c.Actor.UserID, Valid: c.Actor.UserID != uuid.Nil},
			"via":     c.Actor.Via,
			"ip":      Nullable(c.Actor.IP),
			"request": Nullable(c.Actor.RequestID),
			"action":  action,
			"target":  target,
			"detail":  d,
		})
	if err != nil {
		return fmt.Errorf("write audit row: %w", err)
	}
	return nil
}

// Notify tells everybody who listens on a PostgreSQL channel, when the change commits.
func (c Change) Notify(ctx context.Context, channel, payload string) error {
	if _, err := Exec(ctx, c, `SELECT pg_notify(@channel, @payload)`, pgx.NamedArgs{"channel": channel, "payload": payload}); err != nil {
		return fmt.Errorf("notify %s: %w", channel, err)
	}
	return nil
}

// Nullable returns NULL for an empty string.
func Nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
