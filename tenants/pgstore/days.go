package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/tenants/pgdb"
)

// keptDays is how many days of published messages are kept: what a ledger may be asked for, and some for people who look.
const keptDays = 7

// MessageDays is the [limits.Book] of published messages.
type MessageDays struct{ db *pgdb.DB }

var _ limits.Book = (*MessageDays)(nil)

// MessageDays returns the book of published messages.
func (s *Store) MessageDays() *MessageDays { return &MessageDays{s.db} }

// Used implements [limits.Book].
func (m *MessageDays) Used(ctx context.Context, owner string, day limits.Day) (int, error) {
	rows, err := pgdb.ReadAll[struct{ Messages int }](ctx, m.db, pgdb.Platform(), `
		SELECT messages
		FROM message_days
		WHERE owner = @owner AND day = @day::date`,
		pgx.NamedArgs{"owner": owner, "day": string(day)})
	if err != nil {
		return 0, fmt.Errorf("messages of %s on %s: %w", owner, day, err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	return rows[0].Messages, nil
}

// Write implements [limits.Book].
func (m *MessageDays) Write(ctx context.Context, day limits.Day, entries []limits.Entry) error {
	var tenants []uuid.UUID
	var owners []string
	var used []int
	for _, e := range entries {
		tenants, owners, used = append(tenants, e.Tenant), append(owners, e.Owner), append(used, e.Used)
	}
	err := m.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		// In order, so that two edges never wait for each other. Those of a tenant that is gone are gone with it.
		_, err := pgdb.Exec(ctx, q, `
			INSERT INTO message_days (tenant_id, owner, day, messages)
			SELECT e.tenant_id, e.owner, @day::date, e.used
			FROM unnest(@tenants::uuid[], @owners::text[], @used::bigint[]) AS e (tenant_id, owner, used)
			JOIN tenants t ON t.id = e.tenant_id
			ORDER BY e.owner
			ON CONFLICT (owner, day) DO UPDATE
			SET messages = greatest(message_days.messages, excluded.messages)`,
			pgx.NamedArgs{"day": string(day), "tenants": tenants, "owners": owners, "used": used})
		return err
	})
	if err != nil {
		return fmt.Errorf("write messages of %s: %w", day, err)
	}
	return nil
}

// Sweep removes days that nobody asks for any more.
func (m *MessageDays) Sweep(ctx context.Context, now time.Time) error {
	err := m.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		_, err := pgdb.Exec(ctx, q, `DELETE FROM message_days WHERE day < @oldest::date`,
			pgx.NamedArgs{"oldest": string(limits.DayOf(now.AddDate(0, 0, -keptDays)))})
		return err
	})
	if err != nil {
		return fmt.Errorf("remove old days of messages: %w", err)
	}
	return nil
}
