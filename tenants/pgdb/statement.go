package pgdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pealhq/peal/tenants"
)

// Querier is what runs statements: a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// One runs a query that returns one row of T, by the names of its columns. No row is [tenants.ErrNotFound].
func One[T any](ctx context.Context, q Querier, sql string, args pgx.NamedArgs) (T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		var zero T
		return zero, wrap(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	return v, wrap(err)
}

// All runs a query that returns rows of T, by the names of their columns.
func All[T any](ctx context.Context, q Querier, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, wrap(err)
	}
	v, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	return v, wrap(err)
}

// Exec runs a statement that returns no rows, and returns how many it changed.
func Exec(ctx context.Context, q Querier, sql string, args pgx.NamedArgs) (int64, error) {
	tag, err := q.Exec(ctx, sql, args)
	return tag.RowsAffected(), wrap(err)
}

// ReadOne runs a query of one row in a transaction of its own.
func ReadOne[T any](ctx context.Context, db *DB, scope Scope, sql string, args pgx.NamedArgs) (row T, err error) {
	err = db.Read(ctx, scope, func(q Querier) error {
		row, err = One[T](ctx, q, sql, args)
		return err
	})
	return row, err
}

// ReadAll runs a query of rows in a transaction of its own.
func ReadAll[T any](ctx context.Context, db *DB, scope Scope, sql string, args pgx.NamedArgs) (rows []T, err error) {
	err = db.Read(ctx, scope, func(q Querier) error {
		rows, err = All[T](ctx, q, sql, args)
		return err
	})
	return rows, err
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

// Violates tells whether err is the violation of this unique index or constraint.
func Violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == constraint
}
