package pgusage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// Notice is an alert with whom it is told and what things are called.
type Notice struct {
	usage.Alert
	TenantName string
	// AppName is empty where it is of all apps together.
	AppName string
	// To are the addresses of the tenant's owners and admins, those that are proved to be theirs.
	To []string
}

// Alerts is a [usage.Alerts]. What it raises is handed on in the transaction that notes that it was, so that it is told once and
// not forgotten.
type Alerts struct {
	db   *pgdb.DB
	send Send
}

// Send hands a notice on, in a change: it writes what is to be sent, and waits for nothing else.
type Send func(ctx context.Context, c pgdb.Change, n Notice) error

var _ usage.Alerts = (*Alerts)(nil)

// NewAlerts returns alerts that are handed to send.
func NewAlerts(db *pgdb.DB, send Send) *Alerts {
	return &Alerts{db: db, send: send}
}

// AppsOn implements [usage.Alerts].
func (a *Alerts) AppsOn(ctx context.Context, day time.Time) ([]usage.AppDay, error) {
	type dayRow struct {
		TenantID        uuid.UUID
		AppID           string
		AnyID           string
		PeakConnections int64
		MessagesIn      int64
	}
	rows, err := pgdb.ReadAll[dayRow](ctx, a.db, pgdb.Platform(), `
		SELECT
			u.tenant_id, u.app_id, u.peak_connections, u.messages_in,
			CASE WHEN u.app_id = '' THEN any_app.id ELSE '' END AS any_id
		FROM usage u
			JOIN LATERAL (SELECT a.id FROM apps a WHERE a.tenant_id = u.tenant_id LIMIT 1) AS any_app ON true
		WHERE u.step = 'day' AND u.start = @day`,
		pgx.NamedArgs{"day": day})
	if err != nil {
		return nil, fmt.Errorf("usage of a day: %w", err)
	}
	list := make([]usage.AppDay, 0, len(rows))
	for _, r := range rows {
		list = append(list, usage.AppDay{Tenant: r.TenantID, App: r.AppID, Any: r.AnyID, PeakConnections: r.PeakConnections, MessagesIn: r.MessagesIn})
	}
	return list, nil
}

// Raise implements [usage.Alerts]. Where nobody can be told, or wants to be, nothing is noted: who comes later that day is told
// then.
func (a *Alerts) Raise(ctx context.Context, alert usage.Alert) error {
	who := tenants.Actor{TenantID: alert.Tenant, Via: "alerts"}
	err := a.db.ChangeIn(ctx, pgdb.Platform(), who, func(c pgdb.Change) error {
		notice, err := noticeOf(ctx, c, alert)
		if errors.Is(err, tenants.ErrNotFound) || err == nil && len(notice.To) == 0 {
			return nil // Nobody is there to be told, or nobody wants to be.
		}
		if err != nil {
			return err
		}
		first, err := claim(ctx, c, alert)
		if err != nil || !first {
			return err
		}
		return a.send(ctx, c, notice)
	})
	if err != nil {
		return fmt.Errorf("alert for app %s: %w", alert.App, err)
	}
	return nil
}

func noticeOf(ctx context.Context, q pgdb.Querier, alert usage.Alert) (Notice, error) {
	row, err := pgdb.One[struct {
		TenantName string
		AppName    string
		People     []string
	}](ctx, q, `
		SELECT
			t.name AS tenant_name,
			coalesce(a.name, '') AS app_name,
			ARRAY(
				SELECT u.email
				FROM memberships m
					JOIN users u ON u.id = m.user_id
				WHERE m.tenant_id = t.id AND m.role IN ('owner', 'admin') AND u.email_verified_at IS NOT NULL
				ORDER BY u.email
			) AS people
		FROM tenants t
			LEFT JOIN apps a ON a.tenant_id = t.id AND a.id = @app
		WHERE t.id = @tenant AND t.alerts_by_mail AND (@app = '' OR a.id IS NOT NULL)`,
		pgx.NamedArgs{"tenant": alert.Tenant, "app": alert.App})
	return Notice{Alert: alert, TenantName: row.TenantName, AppName: row.AppName, To: row.People}, err
}

// claim notes that an alert is raised, and tells whether nobody has noted it, or a higher one, before. Two who claim at once wait for one
// another at the row.
func claim(ctx context.Context, q pgdb.Querier, a usage.Alert) (first bool, err error) {
	n, err := pgdb.Exec(ctx, q, `
		INSERT INTO usage_alerts (tenant_id, app_id, limit_name, threshold, day, used, bound)
		SELECT @tenant, @app, @limit, @threshold, @day, @used, @bound
		WHERE NOT EXISTS (
			SELECT FROM usage_alerts
			WHERE tenant_id = @tenant AND app_id = @app AND limit_name = @limit AND day = @day AND threshold > @threshold
		)
		ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{
			"tenant": a.Tenant, "app": a.App, "limit": a.Limit, "threshold": a.Threshold, "day": a.Day,
			"used": a.Used, "bound": a.Bound,
		})
	return n == 1, err
}

// AlertSettings are how a tenant is told of alerts.
type AlertSettings struct{ ByMail bool }

type alertSettingsRow struct{ AlertsByMail bool }

// AlertSettings returns those of a tenant.
func (s *Store) AlertSettings(ctx context.Context, tenant uuid.UUID) (AlertSettings, error) {
	row, err := pgdb.ReadOne[alertSettingsRow](ctx, s.db, pgdb.Tenant(tenant), `SELECT alerts_by_mail FROM tenants WHERE id = @tenant`,
		pgx.NamedArgs{"tenant": tenant})
	if err != nil {
		return AlertSettings{}, fmt.Errorf("alert settings: %w", err)
	}
	return AlertSettings{ByMail: row.AlertsByMail}, nil
}

// SetAlertSettings changes those of the actor's tenant. Where they are so already nothing is written.
func (s *Store) SetAlertSettings(ctx context.Context, actor tenants.Actor, want AlertSettings) error {
	err := s.db.Change(ctx, actor, func(c pgdb.Change) error {
		n, err := pgdb.Exec(ctx, c, `
			UPDATE tenants
			SET alerts_by_mail = @mail
			WHERE id = @tenant AND alerts_by_mail <> @mail`,
			pgx.NamedArgs{"tenant": actor.TenantID, "mail": want.ByMail})
		if err != nil || n == 0 {
			return err
		}
		return c.Audit(ctx, "tenant.alerts_changed", actor.TenantID.String(),
			pgdb.Changed(pgdb.Fields{"by_mail": !want.ByMail}, pgdb.Fields{"by_mail": want.ByMail}))
	})
	if err != nil {
		return fmt.Errorf("set alert settings: %w", err)
	}
	return nil
}
