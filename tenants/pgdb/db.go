// Package pgdb is how every statement of the control plane reaches PostgreSQL: in a transaction that may see one tenant's
// rows, or in one that says aloud that it sees them all. It knows no table but the audit log's.
//
// Start with [DB] and [Scope]. A [Change] is a transaction that writes, with who makes it; statement.go has what runs a
// statement in either. The stores of the control plane, such as pgstore beside this package, hold the statements.
package pgdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pealhq/peal/tenants"
)

// ErrURL says that a database URL cannot be read. It does not say why: pgx's own words may hold the password.
var ErrURL = errors.New("not a PostgreSQL connection string; it reads like postgres://user@host/database")

// DB is a pool of connections that all stores of a process share. Its methods may be called at once.
type DB struct{ pool *pgxpool.Pool }

// Open returns a pool of connections, which are made when they are needed: a database that is away is found by the
// first transaction. The pool_… parameters of the URL are honoured. Close it.
func Open(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, ErrURL
	}
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.ConnConfig.RuntimeParams["application_name"] = "peal"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{pool: pool}, nil
}

// Close closes all connections, after their statements have ended.
func (db *DB) Close() { db.pool.Close() }

// Renew has all connections made anew: for when one of them was found dead, and the others may be so without a word.
func (db *DB) Renew() { db.pool.Reset() }

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// Read runs f in a transaction that writes nothing and sees the database as it was at one moment. An error of f is
// returned as it is.
func (db *DB) Read(ctx context.Context, scope Scope, f func(Querier) error) error {
	return db.begin(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope, func(tx pgx.Tx) error { return f(tx) })
}

// Write runs f in a transaction that nobody audits: what keeps itself, such as a session's last use, and no change that a
// person makes. See [DB.Change] for those. An error of f is returned as it is.
func (db *DB) Write(ctx context.Context, scope Scope, f func(Querier) error) error {
	return db.begin(ctx, "BEGIN", scope, func(tx pgx.Tx) error { return f(tx) })
}

// Change runs f in a transaction of the actor's tenant and commits it unless f returns an error, which is returned as it
// is. Everything in it commits, or nothing does.
func (db *DB) Change(ctx context.Context, actor tenants.Actor, f func(Change) error) error {
	return db.ChangeIn(ctx, Tenant(actor.TenantID), actor, f)
}

// ChangeIn is [DB.Change] in another scope, for what concerns more than one tenant or one that is only being made.
func (db *DB) ChangeIn(ctx context.Context, scope Scope, actor tenants.Actor, f func(Change) error) error {
	return db.begin(ctx, "BEGIN", scope, func(tx pgx.Tx) error { return f(Change{Querier: tx, Actor: actor}) })
}

// begin begins a transaction and sets its scope in one round trip.
func (db *DB) begin(ctx context.Context, statement string, scope Scope, f func(pgx.Tx) error) error {
	if scope == (Scope{}) {
		return errNoScope
	}
	var inside error
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{BeginQuery: statement + scope.set()}, func(tx pgx.Tx) error {
		inside = f(tx)
		return inside
	})
	if inside != nil {
		return inside
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "22023" || pg.Code == "42501") {
		// The transaction did not begin: there is no such role, or this user may not take it on.
		return fmt.Errorf("%w: it has no role %s that this user may take on; see docs/operations.md on PostgreSQL: %w", ErrSchema, scope.role, err)
	}
	return wrap(err)
}
