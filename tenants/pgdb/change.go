package pgdb

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
)

// Fields are the fields of something by their names, without secrets.
type Fields = map[string]any

// Detail is what an audit row tells of a change, without secrets: always what was and what is, field by field, under "before"
// and "after", and under "app" the app that the target belongs to, where that is not the target itself. Make one with
// [Created], [Changed] or [Removed]; an empty one tells of something that was looked at.
type Detail map[string]any

// Created is the detail of something that was not there before.
func Created(after Fields) Detail { return Detail{"after": after} }

// Changed is the detail of something that is different now. It has only the fields that are.
func Changed(before, after Fields) Detail { return Detail{"before": before, "after": after} }

// Removed is the detail of something that is not there any more.
func Removed(before Fields) Detail { return Detail{"before": before} }

// Of names the app that the target belongs to.
func (d Detail) Of(app string) Detail {
	if d == nil {
		d = Detail{}
	}
	d["app"] = app
	return d
}

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
		INSERT INTO audit (tenant_id, user_id, actor_email, via, ip, request_id, action, target, detail)
		VALUES (
			@tenant, @user, coalesce(@email, (SELECT email FROM users WHERE id = @user)),
			@via, @ip, @request, @action, @target, @detail
		)`,
		pgx.NamedArgs{
			"tenant":  c.Actor.TenantID,
			"user":    uuid.NullUUID{UUID: c.Actor.UserID, Valid: c.Actor.UserID != uuid.Nil},
			"email":   Nullable(c.Actor.Email),
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

// AppChanged is the PostgreSQL channel on which the id of every app that changed is told, also when what changed is its tenant's.
const AppChanged = "peal_app_changed"

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
