package pgdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/pealhq/peal/migrations"
	"github.com/pealhq/peal/tenants"
)

// Migration is one file of the package migrations and whether the database has it.
type Migration struct {
	Version int64
	// Name is the file's name.
	Name string
	// AppliedAt is zero for what is pending.
	AppliedAt time.Time
}

// ErrSchema says that a database does not have the schema that this program needs.
var ErrSchema = errors.New("the database's schema does not fit this version of peal")

// MigrateUp applies what is pending, under a lock, so that several processes may start at once. It returns what
// it applied.
func MigrateUp(ctx context.Context, url string) ([]Migration, error) {
	var applied []Migration
	err := withGoose(ctx, url, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		if err != nil {
			return err
		}
		for _, r := range results {
			applied = append(applied, Migration{Version: r.Source.Version, Name: r.Source.Path, AppliedAt: time.Now()})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return applied, nil
}

// Migrations lists all migrations in their order, with what the database has of them.
func Migrations(ctx context.Context, url string) ([]Migration, error) {
	var list []Migration
	err := withGoose(ctx, url, func(p *goose.Provider) error {
		status, err := p.Status(ctx)
		if err != nil {
			return err
		}
		for _, m := range status {
			list = append(list, Migration{Version: m.Source.Version, Name: m.Source.Path, AppliedAt: m.AppliedAt})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	return list, nil
}

// CheckSchema returns [ErrSchema] when migrations are pending. A database that is ahead is fine: schemas only
// grow, and a newer program may have been started beside this one.
func (db *DB) CheckSchema(ctx context.Context) error {
	want, err := latestMigration()
	if err != nil {
		return err
	}
	have := int64(0)
	err = db.Read(ctx, login(), func(q Querier) error {
		have, err = schemaVersion(ctx, q)
		return err
	})
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	if have < want {
		return fmt.Errorf("%w: it is at migration %d and %d is needed; run `peal migrate up`", ErrSchema, have, want)
	}
	return nil
}

// schemaVersion returns the last migration that the database has, or 0.
func schemaVersion(ctx context.Context, q Querier) (int64, error) {
	table, err := One[struct{ Exists bool }](ctx, q, `SELECT to_regclass('goose_db_version') IS NOT NULL AS exists`, nil)
	if err != nil || !table.Exists {
		return 0, err
	}
	row, err := One[struct{ Version int64 }](ctx, q, `SELECT coalesce(max(version_id), 0) AS version FROM goose_db_version WHERE is_applied`, nil)
	return row.Version, err
}

func latestMigration() (int64, error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("read migrations: %d files: %w", len(files), err)
	}
	return goose.NumericComponent(slices.Max(files))
}

func withGoose(ctx context.Context, url string, f func(*goose.Provider) error) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return ErrURL
	}
	cfg.ConnectTimeout = 5 * time.Second
	db := stdlib.OpenDB(*cfg)
	defer db.Close() //nolint:errcheck // What was to be written has been committed.
	if err := ping(ctx, db); err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("make a lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return f(p)
}

func ping(ctx context.Context, db *sql.DB) error {
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("reach the database: %w: %w", tenants.ErrUnavailable, err)
	}
	return nil
}
