// Package pgpeople keeps in PostgreSQL who works on the control plane: users, which tenants they belong to, and their
// sessions. It never decides who may do what; callers do.
//
// Start with [Store], then one file per noun. How statements reach the database, and which rows they may see there, is
// in package pgdb.
package pgpeople

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Store reads and changes people. Its methods may be called at once.
type Store struct{ db *pgdb.DB }

// New returns a store.
func New(db *pgdb.DB) *Store { return &Store{db: db} }

// change is a transaction that changes people.
type change struct{ pgdb.Change }

// platformChange runs f in a transaction that sees all tenants.
func (s *Store) platformChange(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	return s.db.ChangeIn(ctx, pgdb.Platform(), actor, func(c pgdb.Change) error { return f(change{c}) })
}

// write runs one statement that nobody audits, and returns how many rows it changed.
func (s *Store) write(ctx context.Context, sql string, args pgx.NamedArgs) (n int64, err error) {
	err = s.db.Write(ctx, pgdb.Platform(), func(q pgdb.Querier) error {
		n, err = pgdb.Exec(ctx, q, sql, args)
		return err
	})
	return n, err
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
