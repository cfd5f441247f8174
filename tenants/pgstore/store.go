// Package pgstore keeps the control plane in PostgreSQL: all SQL of Peal's tenants is here, by hand on pgx.
// It never decides who may do what; callers do, and every statement about a tenant's rows names the tenant.
//
// Start with [Store] and its file store.go, then one file per noun. A change, its audit row and its notice
// to the edges commit together (change.go); [Listener] is the other end of those notices.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pealhq/peal/tenants"
)

// Config is what a [Store] needs.
type Config struct {
	// URL is a PostgreSQL connection string. Its pool_… parameters are honoured.
	URL string
	// Sealer seals and opens the secrets of keys.
	Sealer *tenants.Sealer
}

// ErrURL says that a database URL cannot be read. It does not say why: pgx's own words may hold the password.
var ErrURL = errors.New("not a PostgreSQL connection string; it reads like postgres://user@host/database")

// ErrKeyEncryptionKey says that a process was given another key-encryption key than the database's secrets were
// sealed with.
var ErrKeyEncryptionKey = errors.New("wrong key-encryption key")

// Store reads and changes the control plane. Its methods may be called at once.
type Store struct {
	pool   *pgxpool.Pool
	sealer *tenants.Sealer
}

// Open returns a store on a pool of connections, which are made when they are needed: a database that is
// away is found by the first method. Close it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, ErrURL
	}
	pc.ConnConfig.ConnectTimeout = 5 * time.Second
	pc.ConnConfig.RuntimeParams["application_name"] = "peal"
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Store{pool: pool, sealer: cfg.Sealer}, nil
}

// Close closes all connections, after their statements have ended.
func (s *Store) Close() { s.pool.Close() }

// CheckSealer returns an error when keys are sealed under another key-encryption key than the sealer's: then no
// request could be answered.
func (s *Store) CheckSealer(ctx context.Context) error {
	others, err := all[struct{ SealedWith string }](ctx, s.pool, `
		SELECT sealed_with
		FROM keys
		WHERE state = 'active' AND sealed_with <> @id
		LIMIT 1`,
		pgx.NamedArgs{"id": s.sealer.ID()})
	if err != nil {
		return fmt.Errorf("check the key-encryption key: %w", err)
	}
	if len(others) > 0 {
		return fmt.Errorf("%w: the database's keys are sealed with key-encryption key %s, this process has %s",
			ErrKeyEncryptionKey, others[0].SealedWith, s.sealer.ID())
	}
	return nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// one runs a query that returns one row of T. No row is [tenants.ErrNotFound].
func one[T any](ctx context.Context, db querier, sql string, args pgx.NamedArgs) (T, error) {
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		var zero T
		return zero, wrap(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	return v, wrap(err)
}

// all runs a query that returns rows of T.
func all[T any](ctx context.Context, db querier, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return nil, wrap(err)
	}
	v, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	return v, wrap(err)
}

// exec runs a statement that returns no rows, and returns how many it changed.
func exec(ctx context.Context, db querier, sql string, args pgx.NamedArgs) (int64, error) {
	tag, err := db.Exec(ctx, sql, args)
	return tag.RowsAffected(), wrap(err)
}

// querier is what a pool and a transaction have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// wrap turns an error of pgx into a sentinel of tenants, where there is one.
func wrap(err error) error {
	var pg *pgconn.PgError
	var scan pgx.ScanArgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return tenants.ErrNotFound
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &pg) && !serverIsAway(pg.Code):
		return err
	case errors.Is(err, pgx.ErrTooManyRows), errors.As(err, &scan):
		return err // A statement that does not fit its struct is a bug of ours.
	default:
		// Not an answer to the statement: the server, the connection, the pool or the time limit.
		return fmt.Errorf("%w: %w", tenants.ErrUnavailable, err)
	}
}

// serverIsAway tells whether an SQLSTATE says that the server cannot work at the moment: no connection (08),
// no resources (53), or an operator at work (57), as PostgreSQL's appendix A has it.
func serverIsAway(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57")
}

// violates tells whether err is the violation of this unique index or constraint.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == constraint
}
