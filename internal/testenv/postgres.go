package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/pealhq/peal/internal/devstack"
	"github.com/pealhq/peal/migrations"
)

// dropLimit bounds the removal of a test's database.
const dropLimit = 20 * time.Second

// Postgres gives the test a fresh database with every migration applied, and returns its connection string. The role is
// no superuser, and owns the database, as in production. The database is dropped when the test ends, whoever is still
// connected.
func Postgres(t testing.TB) string {
	t.Helper()
	needMain(t)
	// Not the test's context: the server outlives the test that happens to be the first.
	ctx := context.WithoutCancel(t.Context())
	pg, err := cluster.get(ctx, startPostgres)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	name := fmt.Sprintf("test_%d", pg.databases.Add(1))
	began := time.Now()
	if err := pg.create(ctx, name); err != nil {
		t.Fatalf("testenv: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Logf("testenv: making a database took %v", took)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, dropLimit)
		defer cancel()
		if err := pg.drop(ctx, name); err != nil {
			t.Errorf("testenv: %v", err)
		}
	})
	return pg.url(name)
}

// postgres is the cluster of this test binary. Its database peal is migrated once and copied for each test.
type postgres struct {
	dir       string
	server    *devstack.Postgres
	admin     *pgxpool.Pool
	databases atomic.Int64
}

func startPostgres(ctx context.Context) (_ *postgres, err error) {
	pg := &postgres{}
	defer func() {
		if err != nil {
			err = errors.Join(err, pg.stop(ctx))
		}
	}()
	if pg.dir, err = devstack.ScratchDir(); err != nil {
		return nil, err
	}
	if pg.server, err = devstack.StartPostgres(ctx, devstack.PostgresConfig{Dir: pg.dir}); err != nil {
		return nil, err
	}
	if err = migrate(ctx, pg.server.URL()); err != nil {
		return nil, err
	}
	if pg.admin, err = pgxpool.New(ctx, pg.server.AdminURL()); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return pg, nil
}

// migrate applies the migrations as `peal migrate` does, but with no lock: nobody else is there.
func migrate(ctx context.Context, url string) (err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	// A connection that stays open would keep the database from being copied.
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (p *postgres) create(ctx context.Context, name string) error {
	if _, err := p.admin.Exec(ctx, `CREATE DATABASE `+name+` TEMPLATE peal OWNER peal`); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func (p *postgres) drop(ctx context.Context, name string) error {
	if _, err := p.admin.Exec(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// url is the server's own, for another database.
func (p *postgres) url(name string) string {
	u, err := url.Parse(p.server.URL())
	if err != nil {
		panic(err) // it was made by url.URL.String
	}
	u.Path = "/" + name
	return u.String()
}

func (p *postgres) stop(ctx context.Context) error {
	if p.admin != nil {
		p.admin.Close()
	}
	var err error
	if p.server != nil {
		err = p.server.Stop(ctx)
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}
