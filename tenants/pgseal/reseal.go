package pgseal

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// atOnce is how many rows are sealed anew in one transaction: few, because whoever wants to change one of them waits.
const atOnce = 100

// Progress is how far a reseal has come in one place.
type Progress struct {
	Place string `json:"place"`
	// Resealed is how many rows were sealed anew, and Of how many there were to do when it began.
	Resealed int `json:"resealed"`
	Of       int `json:"of"`
	// Unreadable is how many rows do not open: their key-encryption key is missing, or they are not what was sealed. They are
	// left as they are.
	Unreadable int `json:"unreadable"`
}

// sealedRow is one row of any place.
type sealedRow struct {
	ID         string
	About      string
	TenantID   uuid.NullUUID
	Sealed     []byte
	SealedWith string
}

// Reseal seals everything that is sealed under an earlier key-encryption key anew under the current one, some rows at a time,
// and tells after each time how far it has come. It may be broken off and called again, and several may run at once; who
// reads meanwhile finds each row as it was or as it is, and needs both keys.
func (s *Store) Reseal(ctx context.Context, actor tenants.Actor, tell func(Progress)) ([]Progress, error) {
	var all []Progress
	counts, err := s.Counts(ctx)
	if err != nil {
		return nil, fmt.Errorf("reseal: %w", err)
	}
	for _, p := range places() {
		progress := Progress{Place: p.table}
		for _, c := range counts {
			if c.Place == p.table && c.SealedWith != s.sealer.ID() {
				progress.Of += c.Rows
			}
		}
		if err := s.resealPlace(ctx, actor, p, &progress, tell); err != nil {
			return append(all, progress), fmt.Errorf("reseal %s: %w", p.table, err)
		}
		all = append(all, progress)
	}
	return all, nil
}

func (s *Store) resealPlace(ctx context.Context, actor tenants.Actor, p place, progress *Progress, tell func(Progress)) error {
	for last, more := "", true; more; {
		var done, unreadable int
		err := s.db.ChangeIn(ctx, pgdb.Platform(), actor, func(c pgdb.Change) error {
			rows, err := s.next(ctx, c, p, last)
			if err != nil || len(rows) == 0 {
				more = false
				return err
			}
			last = rows[len(rows)-1].ID
			done, unreadable, err = s.resealRows(ctx, c, p, rows)
			return err
		})
		if err != nil {
			return err
		}
		progress.Resealed += done
		progress.Unreadable += unreadable
		if more {
			tell(*progress)
		}
	}
	return nil
}

// next returns the next rows that are not sealed under the current key, and keeps others from changing them.
func (s *Store) next(ctx context.Context, c pgdb.Change, p place, last string) ([]sealedRow, error) {
	tenant := p.tenant
	if tenant == "" {
		tenant = "NULL::uuid"
	}
	return pgdb.All[sealedRow](ctx, c, fmt.Sprintf(`
		SELECT %[2]s::text AS id, %[3]s AS about, %[4]s AS tenant_id, sealed, sealed_with
		FROM %[1]s
		WHERE sealed_with <> @current AND %[2]s::text > @last
		ORDER BY %[2]s::text
		LIMIT @most
		FOR UPDATE`, p.table, p.id, p.about, tenant),
		pgx.NamedArgs{"current": s.sealer.ID(), "last": last, "most": atOnce})
}

func (s *Store) resealRows(ctx context.Context, c pgdb.Change, p place, rows []sealedRow) (done, unreadable int, err error) {
	var ids []string
	var sealed [][]byte
	for _, r := range rows {
		secret, err := s.sealer.OpenText(r.About, tenants.Sealed{Bytes: r.Sealed, With: r.SealedWith})
		if err != nil {
			unreadable++
			continue
		}
		fresh := s.sealer.SealText(r.About, secret)
		ids, sealed = append(ids, r.ID), append(sealed, fresh.Bytes)
		if !r.TenantID.Valid {
			continue
		}
		c.Actor.TenantID = r.TenantID.UUID
		if err := c.Audit(ctx, p.action, r.ID, pgdb.Changed(
			pgdb.Fields{"key_encryption_key": r.SealedWith}, pgdb.Fields{"key_encryption_key": s.sealer.ID()})); err != nil {
			return 0, 0, err
		}
	}
	if len(ids) == 0 {
		return 0, unreadable, nil
	}
	_, err = pgdb.Exec(ctx, c, fmt.Sprintf(`
		UPDATE %[1]s
		SET sealed = fresh.sealed, sealed_with = @current
		FROM unnest(@ids::text[], @sealed::bytea[]) AS fresh (id, sealed)
		WHERE %[1]s.%[2]s::text = fresh.id`, p.table, p.id),
		pgx.NamedArgs{"current": s.sealer.ID(), "ids": ids, "sealed": sealed})
	return len(ids), unreadable, err
}
