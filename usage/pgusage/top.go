package pgusage

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// Order is by what apps are compared.
type Order int

// The orders.
const (
	ByMessages Order = iota // in and out
	ByConnections
	ByBytes
	ByRejections
)

// compared is what each order compares, of the sums below.
var compared = map[Order]string{
	ByMessages:    "messages_in + messages_out",
	ByConnections: "peak_connections",
	ByBytes:       "bytes_in + bytes_out",
	ByRejections:  "(SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(rejections))",
}

// AppTotal is what one app used in all of a range.
type AppTotal struct {
	App string
	// Name is empty for an app that was deleted.
	Name string
	usage.Point
}

// Top returns the apps of a tenant that used most in a range, the first of them first.
func (s *Store) Top(ctx context.Context, tenant uuid.UUID, r Range, by Order, limit int) ([]AppTotal, error) {
	type topRow struct {
		pointRow
		Name string
	}
	rows, err := pgdb.ReadAll[topRow](ctx, s.db, pgdb.Tenant(tenant), `
		WITH sums AS (
			SELECT
				app_id,
				min(start)                      AS start,
				(
					SELECT coalesce(sum(intervals), 0)
					FROM usage_coverage
					WHERE step = @step AND start >= @since AND start < @until
				)::bigint                       AS intervals,
				max(peak_connections)           AS peak_connections,
				sum(connection_us)::bigint      AS connection_us,
				sum(messages_in)::bigint        AS messages_in,
				sum(messages_out)::bigint       AS messages_out,
				sum(bytes_in)::bigint           AS bytes_in,
				sum(bytes_out)::bigint          AS bytes_out,
				sum(api_calls)::bigint          AS api_calls,
				sum(webhooks)::bigint           AS webhooks,
				peal_sum_counts(rejections)     AS rejections
			FROM usage
			WHERE tenant_id = @tenant AND app_id <> '' AND step = @step AND start >= @since AND start < @until
			GROUP BY app_id
		)
		SELECT sums.*, coalesce(a.name, '') AS name
		FROM sums
			LEFT JOIN apps a ON a.tenant_id = @tenant AND a.id = sums.app_id
		ORDER BY `+compared[by]+` DESC, app_id
		LIMIT @limit`,
		pgx.NamedArgs{"tenant": tenant, "step": string(r.Step), "since": r.Since, "until": r.Until, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("apps that used most: %w", err)
	}
	list := make([]AppTotal, 0, len(rows))
	for i := range rows {
		list = append(list, AppTotal{App: rows[i].AppID, Name: rows[i].Name, Point: rows[i].point()})
	}
	return list, nil
}
