// Package pgaudit reads the audit log from PostgreSQL. It writes nothing: a row is written with the change that it tells of,
// by package pgdb.
//
// Start with [Store].
package pgaudit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Store reads the audit log. Its methods may be called at once.
type Store struct{ db *pgdb.DB }

// New returns a store.
func New(db *pgdb.DB) *Store { return &Store{db: db} }

type eventRow struct {
	ID         int64
	At         time.Time
	UserID     uuid.NullUUID
	ActorEmail string
	Via        string
	IP         string
	RequestID  string
	Action     string
	Target     string
	Detail     map[string]any
}

// Events returns at most limit rows of a tenant that a filter chooses, newest first: those before the row of an id, or with 0
// from the newest on.
func (s *Store) Events(ctx context.Context, tenant uuid.UUID, f tenants.AuditFilter, before int64, limit int) ([]tenants.AuditEvent, error) {
	rows, err := pgdb.ReadAll[eventRow](ctx, s.db, pgdb.Tenant(tenant), `
		SELECT
			a.id, a.at, a.user_id, coalesce(a.actor_email, u.email, '') AS actor_email, a.via,
			coalesce(host(a.ip), '') AS ip, coalesce(a.request_id, '') AS request_id, a.action, a.target, a.detail
		FROM audit a
			LEFT JOIN users u ON u.id = a.user_id
		WHERE a.tenant_id = @tenant
			AND (@before::bigint = 0 OR a.id < @before)
			AND (@since::timestamptz IS NULL OR a.at >= @since)
			AND (@until::timestamptz IS NULL OR a.at < @until)
			AND (@actor = '' OR lower(coalesce(a.actor_email, u.email)) = lower(@actor) OR a.user_id::text = lower(@actor))
			AND (@action = '' OR a.action = @action OR starts_with(a.action, @action || '.'))
			AND (@target = '' OR a.target = @target OR a.detail->>'app' = @target)
			AND (@text = '' OR strpos(
				lower(concat_ws(' ', a.action, a.target, coalesce(a.actor_email, u.email), a.via, host(a.ip), a.request_id, a.detail::text)),
				lower(@text)
			) > 0)
		ORDER BY a.id DESC
		LIMIT @limit`,
		pgx.NamedArgs{
			"tenant": tenant, "before": before, "since": nullTime(f.Since), "until": nullTime(f.Until), "actor": f.Actor,
			"action": f.Action, "target": f.Target, "text": f.Text, "limit": limit,
		})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	events := make([]tenants.AuditEvent, 0, len(rows))
	for i := range rows {
		events = append(events, rows[i].event())
	}
	return events, nil
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (r *eventRow) event() tenants.AuditEvent {
	e := tenants.AuditEvent{
		ID: r.ID, At: r.At.UTC(), ActorID: r.UserID.UUID, ActorEmail: r.ActorEmail, Via: r.Via, IP: r.IP, RequestID: r.RequestID,
		Action: r.Action, Target: r.Target,
	}
	e.App, _ = r.Detail["app"].(string)
	e.Before, e.After = fields(r.Detail["before"]), fields(r.Detail["after"])
	addOld(&e, r.Detail)
	return e
}

// fields returns what stands under "before" or "after". Versions before the present shape wrote a value alone there when a
// name changed.
func fields(v any) map[string]any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	default:
		return map[string]any{"name": v}
	}
}

// addOld adds what versions before the present shape wrote beside "before" and "after": what something was made with, or what
// it was called when it was deleted.
func addOld(e *tenants.AuditEvent, detail map[string]any) {
	for name, v := range detail {
		switch {
		case name == "app" || name == "before" || name == "after":
		case strings.HasSuffix(e.Action, ".deleted"):
			e.Before = with(e.Before, name, v)
		default:
			e.After = with(e.After, name, v)
		}
	}
}

func with(m map[string]any, name string, v any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[name] = v
	return m
}
