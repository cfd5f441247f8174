package pgusage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// sweepBatch is how many rows are removed in one transaction, so that none holds up who writes.
const sweepBatch = 5000

// Sweep removes what is older at this moment than it is kept, some rows at a time, and returns how many rows it removed.
func (s *Store) Sweep(ctx context.Context, now time.Time) (removed int64, err error) {
	for _, step := range usage.Steps() {
		args := pgx.NamedArgs{"step": string(step), "before": now.Add(-step.Kept())}
		for _, table := range []string{"usage", "usage_coverage"} {
			n, err := s.sweep(ctx, table, `step = @step AND start < @before`, args)
			if removed += n; err != nil {
				return removed, err
			}
		}
	}
	// What is known of intervals is known as long as one may be handed over again.
	args := pgx.NamedArgs{"step": "interval", "before": now.Add(-usage.Minute.Kept() - time.Hour)}
	n, err := s.sweep(ctx, "usage_coverage", `step = @step AND start < @before`, args)
	if removed += n; err != nil {
		return removed, err
	}
	n, err = s.sweep(ctx, "usage_reports", `start < @before`, args)
	if removed += n; err != nil {
		return removed, err
	}
	// Alerts are told once a day; after that nobody asks whether they were.
	n, err = s.sweep(ctx, "usage_alerts", `day < @before`, pgx.NamedArgs{"before": now.Add(-usage.Hour.Kept())})
	return removed + n, err
}

func (s *Store) sweep(ctx context.Context, table, old string, args pgx.NamedArgs) (removed int64, err error) {
	for {
		var n int64
		err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) (err error) {
			n, err = pgdb.Exec(ctx, q, `
				DELETE FROM `+table+`
				WHERE ctid = ANY (ARRAY(SELECT ctid FROM `+table+` WHERE `+old+` LIMIT `+fmt.Sprint(sweepBatch)+`))`, args)
			return err
		})
		if removed += n; err != nil {
			return removed, fmt.Errorf("remove old rows of %s: %w", table, err)
		}
		if n < sweepBatch {
			return removed, nil
		}
	}
}
