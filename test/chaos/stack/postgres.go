package stack

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/devstack"
)

// startPostgres starts a private server, and notes the path of its socket for the proxies.
func (p *Platform) startPostgres(ctx context.Context) (err error) {
	if p.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresConfig{Dir: filepath.Join(p.dir, "postgres")}); err != nil {
		return err
	}
	u, err := url.Parse(p.postgres.URL())
	if err != nil {
		return fmt.Errorf("the address of PostgreSQL: %w", err)
	}
	p.postgresSocket = filepath.Join(u.Query().Get("host"), ".s.PGSQL."+u.Query().Get("port"))
	return nil
}

// EndListeners ends every session that listens for changes, as a failover or a firewall does, and returns how many it were.
func (p *Platform) EndListeners(ctx context.Context) (int, error) {
	conn, err := pgx.Connect(ctx, p.postgres.AdminURL())
	if err != nil {
		return 0, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // It has nothing to lose.
	var n int
	const end = `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'peal listener'`
	if err := conn.QueryRow(ctx, end).Scan(&n); err != nil {
		return 0, fmt.Errorf("end the listeners: %w", err)
	}
	return n, nil
}
