// Package pgusage keeps what apps have used in PostgreSQL: it adds intervals up to minutes, hours and days, reads them, and
// removes what is too old. Start with [Store].
//
// An interval is added in one transaction with a note of its edge and number (usage_reports), so that it counts once however
// often it is handed over. Writers take turns, under a lock of the database: there is little to write, and who waits for
// nobody's rows cannot wait in a circle.
package pgusage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// Store is a [usage.Sink]. Its methods may be called at once.
type Store struct{ db *pgdb.DB }

// New returns a store.
func New(db *pgdb.DB) *Store { return &Store{db: db} }

var _ usage.Sink = (*Store)(nil)

// writersTurn is the lock that writers take.
const writersTurn = 0x7065616c_75736167 // "pealusag"

// slots is how many intervals a minute has.
const slots = int(time.Minute / usage.IntervalLength)

// row is what one minute gains. All apps of a tenant together have the empty id.
type row struct {
	TenantID     uuid.UUID        `json:"tenant_id"`
	AppID        string           `json:"app_id"`
	Start        time.Time        `json:"start"`
	Slots        [slots]int64     `json:"slots"`
	ConnectionUS int64            `json:"connection_us"`
	MessagesIn   int64            `json:"messages_in"`
	MessagesOut  int64            `json:"messages_out"`
	BytesIn      int64            `json:"bytes_in"`
	BytesOut     int64            `json:"bytes_out"`
	APICalls     int64            `json:"api_calls"`
	Webhooks     int64            `json:"webhooks"`
	Rejections   map[string]int64 `json:"rejections"`
}

// Write adds intervals. One that was added before, or that is older than what is known of such, is left out.
func (s *Store) Write(ctx context.Context, intervals []usage.Interval) error {
	fresh := recent(intervals, time.Now())
	if len(fresh) == 0 {
		return nil
	}
	err := s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		if _, err := pgdb.Exec(ctx, q, `SELECT pg_advisory_xact_lock(@turn)`, pgx.NamedArgs{"turn": int64(writersTurn)}); err != nil {
			return err
		}
		added, err := note(ctx, q, fresh)
		if err != nil {
			return err
		}
		if err := cover(ctx, q, added); err != nil {
			return err
		}
		return add(ctx, q, rows(added))
	})
	if err != nil {
		return fmt.Errorf("add up usage: %w", err)
	}
	return nil
}

// recent returns the intervals of which it is still known whether they were added.
func recent(intervals []usage.Interval, now time.Time) []usage.Interval {
	var fresh []usage.Interval
	for _, i := range intervals {
		if now.Sub(i.Start) < usage.Minute.Kept() {
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// note notes the intervals and returns those that were not noted before.
func note(ctx context.Context, q pgdb.Querier, intervals []usage.Interval) ([]usage.Interval, error) {
	type id struct {
		Edge string
		Seq  int64
	}
	edges, seqs, starts := make([]string, len(intervals)), make([]int64, len(intervals)), make([]time.Time, len(intervals))
	for n, i := range intervals {
		edges[n], seqs[n], starts[n] = i.Edge, int64(i.Seq), i.Start //nolint:gosec // It rises by one in ten seconds.
	}
	noted, err := pgdb.All[id](ctx, q, `
		INSERT INTO usage_reports (edge, seq, start)
		SELECT *
		FROM unnest(@edges::text[], @seqs::bigint[], @starts::timestamptz[])
		ON CONFLICT (edge, seq) DO NOTHING
		RETURNING edge, seq`,
		pgx.NamedArgs{"edges": edges, "seqs": seqs, "starts": starts})
	if err != nil {
		return nil, fmt.Errorf("note intervals: %w", err)
	}
	isNew := make(map[id]bool, len(noted))
	for _, n := range noted {
		isNew[n] = true
	}
	var added []usage.Interval
	for n, i := range intervals {
		one := id{edges[n], seqs[n]}
		if isNew[one] {
			added = append(added, i)
		}
		delete(isNew, one) // The same twice in one batch counts once, too.
	}
	return added, nil
}

// cover notes for which intervals somebody has counted.
func cover(ctx context.Context, q pgdb.Querier, intervals []usage.Interval) error {
	starts := make([]time.Time, len(intervals))
	for n, i := range intervals {
		starts[n] = i.Start
	}
	_, err := pgdb.Exec(ctx, q, `
		WITH gained AS (
			INSERT INTO usage_coverage (step, start, intervals)
			SELECT DISTINCT 'interval', start, 1
			FROM unnest(@starts::timestamptz[]) AS start
			ON CONFLICT (step, start) DO NOTHING
			RETURNING start
		)
		INSERT INTO usage_coverage AS c (step, start, intervals)
		SELECT step, date_trunc(step, start, 'UTC'), count(*)
		FROM gained CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS step
		GROUP BY 1, 2
		ON CONFLICT (step, start) DO UPDATE SET intervals = c.intervals + excluded.intervals`,
		pgx.NamedArgs{"starts": starts})
	if err != nil {
		return fmt.Errorf("note what is covered: %w", err)
	}
	return nil
}

// rows adds intervals up to minutes, of each app and of all apps of a tenant together.
func rows(intervals []usage.Interval) []*row {
	type key struct {
		tenant uuid.UUID
		app    string
		start  time.Time
	}
	known := make(map[key]*row)
	var list []*row
	for _, i := range intervals {
		minute := usage.Minute.Start(i.Start)
		slot := int(i.Start.Sub(minute) / usage.IntervalLength)
		for _, a := range i.Apps {
			for _, app := range []string{a.App, ""} {
				k := key{a.Tenant, app, minute}
				if known[k] == nil {
					known[k] = &row{TenantID: a.Tenant, AppID: app, Start: minute, Rejections: map[string]int64{}}
					list = append(list, known[k])
				}
				known[k].add(slot, &a.Counts)
			}
		}
	}
	return list
}

func (r *row) add(slot int, c *usage.Counts) {
	r.Slots[slot] += c.PeakConnections
	r.ConnectionUS += c.ConnectionTime.Microseconds()
	r.MessagesIn += c.MessagesIn
	r.MessagesOut += c.MessagesOut
	r.BytesIn += c.BytesIn
	r.BytesOut += c.BytesOut
	r.APICalls += c.APICalls
	r.Webhooks += c.Webhooks
	for _, why := range usage.Reasons() {
		if n := c.Rejections[why]; n > 0 {
			r.Rejections[why.String()] += n
		}
	}
}

// add adds rows to their minutes, and those to their hours and days.
func add(ctx context.Context, q pgdb.Querier, rows []*row) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("write down usage: %w", err)
	}
	if _, err := pgdb.Exec(ctx, q, `
		WITH given AS (
			SELECT *
			FROM jsonb_to_recordset(@rows::jsonb) AS r (
				tenant_id uuid, app_id text, start timestamptz, slots bigint[], connection_us bigint, messages_in bigint,
				messages_out bigint, bytes_in bigint, bytes_out bigint, api_calls bigint, webhooks bigint, rejections jsonb
			)
		), minutes AS (
			INSERT INTO usage AS u (
				tenant_id, app_id, step, start, slots, peak_connections,
				connection_us, messages_in, messages_out, bytes_in, bytes_out, api_calls, webhooks, rejections
			)
			SELECT
				tenant_id, app_id, 'minute', start, slots, peal_highest(slots),
				connection_us, messages_in, messages_out, bytes_in, bytes_out, api_calls, webhooks, rejections
			FROM given
			ON CONFLICT (tenant_id, app_id, step, start) DO UPDATE SET
				slots            = peal_add_slots(u.slots, excluded.slots),
				peak_connections = peal_highest(peal_add_slots(u.slots, excluded.slots)),`+sums+`
			RETURNING tenant_id, app_id, start, peak_connections
		)
		INSERT INTO usage AS u (
			tenant_id, app_id, step, start, peak_connections,
			connection_us, messages_in, messages_out, bytes_in, bytes_out, api_calls, webhooks, rejections
		)
		SELECT
			tenant_id, app_id, longer.step, date_trunc(longer.step, start, 'UTC'), max(peak_connections),
			sum(connection_us), sum(messages_in), sum(messages_out), sum(bytes_in), sum(bytes_out), sum(api_calls), sum(webhooks),
			peal_sum_counts(rejections)
		FROM given
			JOIN minutes USING (tenant_id, app_id, start)
			CROSS JOIN unnest(ARRAY['hour', 'day']) AS longer(step)
		GROUP BY 1, 2, 3, 4
		ON CONFLICT (tenant_id, app_id, step, start) DO UPDATE SET
			peak_connections = greatest(u.peak_connections, excluded.peak_connections),`+sums,
		pgx.NamedArgs{"rows": string(text)}); err != nil {
		return fmt.Errorf("add to minutes, hours and days: %w", err)
	}
	return nil
}

// sums is how a row gains what is a sum.
const sums = `
	connection_us = u.connection_us + excluded.connection_us,
	messages_in   = u.messages_in + excluded.messages_in,
	messages_out  = u.messages_out + excluded.messages_out,
	bytes_in      = u.bytes_in + excluded.bytes_in,
	bytes_out     = u.bytes_out + excluded.bytes_out,
	api_calls     = u.api_calls + excluded.api_calls,
	webhooks      = u.webhooks + excluded.webhooks,
	rejections    = peal_add_counts(u.rejections, excluded.rejections)`
