// Package pgplatform keeps in PostgreSQL what operators decide above tenants: plans, who has which, and who is suspended. It
// never decides who is an operator; callers do.
//
// Start with [Store], then one file per noun. What it changes of a tenant reaches the edges by the same notices as a change of
// an app, which the package pgdb sends.
package pgplatform

import (
	"context"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Store reads and changes the platform. Its methods may be called at once.
type Store struct{ db *pgdb.DB }

// New returns a store.
func New(db *pgdb.DB) *Store { return &Store{db: db} }

// change is a transaction that changes the platform.
type change struct{ pgdb.Change }

func (s *Store) change(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	return s.db.ChangeIn(ctx, pgdb.Platform(), actor, func(c pgdb.Change) error { return f(change{c}) })
}
