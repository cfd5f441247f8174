package pgusage

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// Range is which steps are asked for: those that begin from Since on and before Until.
type Range struct {
	Step         usage.Step
	Since, Until time.Time
}

type pointRow struct {
	AppID           string
	Start           time.Time
	Intervals       int64
	PeakConnections int64
	ConnectionUS    int64 `db:"connection_us"`
	MessagesIn      int64
	MessagesOut     int64
	BytesIn         int64
	BytesOut        int64
	APICalls        int64 `db:"api_calls"`
	Webhooks        int64
	Rejections      map[string]int64
}

func (r *pointRow) point() usage.Point {
	p := usage.Point{
		Start: r.Start.UTC(), Covered: time.Duration(r.Intervals) * usage.IntervalLength,
		Counts: usage.Counts{
			PeakConnections: r.PeakConnections, ConnectionTime: time.Duration(r.ConnectionUS) * time.Microsecond,
			MessagesIn: r.MessagesIn, MessagesOut: r.MessagesOut, BytesIn: r.BytesIn, BytesOut: r.BytesOut,
			APICalls: r.APICalls, Webhooks: r.Webhooks,
		},
	}
	for name, n := range r.Rejections {
		if why, ok := usage.ParseReason(name); ok {
			p.Rejections[why] = n
		}
	}
	return p
}

// columns are what a [pointRow] is read from, of usage u beside usage_coverage c. Where nobody used anything they are zero.
const columns = `
	c.start, c.intervals::bigint AS intervals,
	coalesce(u.peak_connections, 0) AS peak_connections,
	coalesce(u.connection_us, 0)    AS connection_us,
	coalesce(u.messages_in, 0)      AS messages_in,
	coalesce(u.messages_out, 0)     AS messages_out,
	coalesce(u.bytes_in, 0)         AS bytes_in,
	coalesce(u.bytes_out, 0)        AS bytes_out,
	coalesce(u.api_calls, 0)        AS api_calls,
	coalesce(u.webhooks, 0)         AS webhooks,
	coalesce(u.rejections, '{}')    AS rejections`

// Points returns what an app of a tenant used, or all of them together where app is empty, in order. A step in which
// nobody counted is left out; one in which nothing was used is there. An app that is gone has its usage still; one that
// the tenant never had is [tenants.ErrNotFound].
func (s *Store) Points(ctx context.Context, tenant uuid.UUID, app string, r Range) ([]usage.Point, error) {
	var points []usage.Point
	err := s.db.Read(ctx, pgdb.Tenant(tenant), func(q pgdb.Querier) error {
		if err := known(ctx, q, tenant, app); err != nil {
			return err
		}
		rows, err := pgdb.All[pointRow](ctx, q, `
			SELECT @app AS app_id, `+columns+`
			FROM usage_coverage c
				LEFT JOIN usage u ON u.tenant_id = @tenant AND u.app_id = @app AND u.step = c.step AND u.start = c.start
			WHERE c.step = @step AND c.start >= @since AND c.start < @until
			ORDER BY c.start`,
			pgx.NamedArgs{"tenant": tenant, "app": app, "step": string(r.Step), "since": r.Since, "until": r.Until})
		for i := range rows {
			points = append(points, rows[i].point())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("usage of app %q: %w", app, err)
	}
	return points, nil
}

// known tells whether a tenant has an app, or had it and something is left of what it used.
func known(ctx context.Context, q pgdb.Querier, tenant uuid.UUID, app string) error {
	if app == "" {
		return nil
	}
	found, err := pgdb.One[struct{ There bool }](ctx, q, `
		SELECT
			EXISTS (SELECT FROM apps WHERE tenant_id = @tenant AND id = @app)
			OR EXISTS (SELECT FROM usage WHERE tenant_id = @tenant AND app_id = @app) AS there`,
		pgx.NamedArgs{"tenant": tenant, "app": app})
	if err == nil && !found.There {
		return tenants.ErrNotFound
	}
	return err
}

// UsedBy returns the apps of a tenant that used anything in a range, or the one that is asked for, if it did.
func (s *Store) UsedBy(ctx context.Context, tenant uuid.UUID, app string, r Range) ([]string, error) {
	var apps []string
	err := s.db.Read(ctx, pgdb.Tenant(tenant), func(q pgdb.Querier) error {
		if err := known(ctx, q, tenant, app); err != nil {
			return err
		}
		rows, err := pgdb.All[struct{ AppID string }](ctx, q, `
			SELECT DISTINCT app_id
			FROM usage
			WHERE tenant_id = @tenant AND step = @step AND start >= @since AND start < @until
				AND app_id <> '' AND (@app = '' OR app_id = @app)
			ORDER BY app_id`,
			pgx.NamedArgs{"tenant": tenant, "app": app, "step": string(r.Step), "since": r.Since, "until": r.Until})
		for _, row := range rows {
			apps = append(apps, row.AppID)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("apps that used something: %w", err)
	}
	return apps, nil
}
