// Package pgseal looks after all that lies sealed in PostgreSQL, wherever it lies: which key-encryption keys it needs, and sealing
// it anew under the current one while everything else goes on.
//
// Start with [Store]; places.go lists the tables, and a new one is added there and nowhere else.
package pgseal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Store counts and reseals. Its methods may be called at once.
type Store struct {
	db     *pgdb.DB
	sealer *tenants.Sealer
}

// New returns a store.
func New(db *pgdb.DB, sealer *tenants.Sealer) *Store { return &Store{db: db, sealer: sealer} }

// Count is how many rows of a place are sealed with one key-encryption key.
type Count struct {
	// Place is the table.
	Place string
	// SealedWith is the id of the key-encryption key.
	SealedWith string
	Rows       int
	// InUse are those of them without which something does not work.
	InUse int
}

// Counts tells with which key-encryption keys everything is sealed.
func (s *Store) Counts(ctx context.Context) ([]Count, error) {
	var all []Count
	err := s.db.Read(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		for _, p := range places() {
			counts, err := pgdb.All[Count](ctx, q, fmt.Sprintf(`
				SELECT '%[1]s' AS place, sealed_with, count(*) AS rows, count(*) FILTER (WHERE %[2]s) AS in_use
				FROM %[1]s
				GROUP BY sealed_with
				ORDER BY sealed_with`, p.table, p.inUse), nil)
			if err != nil {
				return fmt.Errorf("count what is sealed in %s: %w", p.table, err)
			}
			all = append(all, counts...)
		}
		return nil
	})
	return all, err
}

// Check returns [tenants.ErrKeyEncryptionKey] when something that is in use is sealed with a key-encryption key that the sealer
// does not have: then not every request could be answered.
func (s *Store) Check(ctx context.Context) error {
	counts, err := s.Counts(ctx)
	if err != nil {
		return fmt.Errorf("check the key-encryption key: %w", err)
	}
	if _, missing := s.Judge(counts); len(missing) > 0 {
		return fmt.Errorf("%w: the database's secrets are sealed with key-encryption key %s, this process has %s",
			tenants.ErrKeyEncryptionKey, strings.Join(missing, ", "), strings.Join(s.sealer.IDs(), ", "))
	}
	return nil
}

// Judge tells of counts how many rows are sealed with an earlier key-encryption key, and which keys are missing for what is in
// use.
func (s *Store) Judge(counts []Count) (earlier int, missing []string) {
	for _, c := range counts {
		switch {
		case c.SealedWith == s.sealer.ID():
		case slices.Contains(s.sealer.IDs(), c.SealedWith):
			earlier += c.Rows
		case c.InUse > 0 && !slices.Contains(missing, c.SealedWith):
			missing = append(missing, c.SealedWith)
		}
	}
	return earlier, missing
}
