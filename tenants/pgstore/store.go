// Package pgstore keeps the control plane in PostgreSQL: the SQL of tenants, apps and keys is here, by hand on pgx.
// It never decides who may do what; callers do, and every statement about a tenant's rows names the tenant.
//
// Start with [Store] and its file store.go, then one file per noun. A change, its audit row and its notice
// to the edges commit together (package pgdb); [Listener] is the other end of those notices.
package pgstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Config is what a [Store] needs.
type Config struct {
	DB *pgdb.DB
	// Sealer seals and opens the secrets of keys.
	Sealer *tenants.Sealer
}

// Store reads and changes the control plane. Its methods may be called at once.
type Store struct {
	db     *pgdb.DB
	sealer *tenants.Sealer
}

// New returns a store.
func New(cfg Config) *Store { return &Store{db: cfg.DB, sealer: cfg.Sealer} }

// change is a transaction that changes apps and keys.
type change struct{ pgdb.Change }

// change runs f in a transaction of the actor's tenant.
func (s *Store) change(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	return s.db.Change(ctx, actor, func(c pgdb.Change) error { return f(change{c}) })
}

// platformChange runs f in a transaction that sees all tenants.
func (s *Store) platformChange(ctx context.Context, actor tenants.Actor, f func(change) error) error {
	return s.db.ChangeIn(ctx, pgdb.Platform(), actor, func(c pgdb.Change) error { return f(change{c}) })
}

// appChanged writes the audit row of a change to an app and tells every edge of it.
func (c change) appChanged(ctx context.Context, appID, action, target string, d pgdb.Detail) error {
	if err := c.Audit(ctx, action, target, d); err != nil {
		return err
	}
	return c.Notify(ctx, pgdb.AppChanged, appID)
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
