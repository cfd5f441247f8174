package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "postgres"
	// database is the name of the database, and of the role that owns it and is no superuser: like production, so that
	// row-level security binds it.
	database = "peal"
	// socketPort is part of the socket's name; nothing listens on a port.
	socketPort = "5432"
	socketName = ".s.PGSQL." + socketPort
	// readyPoll is how often a starting server is asked whether it answers.
	readyPoll = 5 * time.Millisecond
	// startLimit bounds a start whatever the context says; recovery after a crash is part of it.
	startLimit = 2 * time.Minute
	// sessionsEnd is how long the sessions of a server that was killed may take to notice, sessionsPoll how often we try.
	sessionsEnd  = 15 * time.Second
	sessionsPoll = 200 * time.Millisecond
)

// PostgresConfig says where a private PostgreSQL lives and how careful it is with its data.
type PostgresConfig struct {
	// Dir is a folder of its own; made when missing, refused when it holds files that are not ours.
	Dir string
	// Durable keeps what was committed through a power cut. Without it the server is faster, for tests.
	Durable bool
	// CacheDir keeps what is worth keeping between runs: PostgreSQL's programs where they had to be fetched, and for a
	// server that is not durable a pristine cluster. Default: "peal" in the user's cache folder.
	CacheDir string
	Logger   *slog.Logger
}

// Postgres is a running server.
type Postgres struct {
	proc   *process
	folder *folder
	socket string // folder of the socket
	free   sync.Once
}

// StartPostgres starts a server on the cluster in cfg.Dir, which it makes at the first start, and returns when the server
// answers. The context bounds the start; the server then runs until Stop, or until this process ends.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	cfg.Logger = orDiscard(cfg.Logger)
	if cfg.CacheDir == "" {
		cfg.CacheDir = userCache()
	}
	owner, err := serverAccount(filepath.Join(cfg.Dir, "data"))
	if err != nil {
		return nil, err
	}
	f, err := openFolder(cfg.Dir, owner)
	if err != nil {
		return nil, err
	}
	pg, err := startIn(ctx, f, cfg)
	if err != nil {
		f.release()
		return nil, fmt.Errorf("private PostgreSQL in %s: %w", f.path, err)
	}
	return pg, nil
}

func userCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "peal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "" // an account without a home: go without a cache
	}
	const writeAndEnter = 2 | 1
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return "" // somebody else's, such as root's in the home of a user of sudo
	}
	return dir
}

// startIn starts a server in a folder that is ours.
func startIn(ctx context.Context, f *folder, cfg PostgresConfig) (*Postgres, error) {
	data := filepath.Join(f.path, "data")
	pidFile := filepath.Join(data, "postmaster.pid")
	if err := stopOrphan(ctx, pidFile, data, syscall.SIGINT, syscall.SIGQUIT, cfg.Logger); err != nil {
		return nil, err
	}
	made, err := clusterMajor(data)
	if err != nil {
		return nil, err
	}
	b, err := findBinaries(ctx, binCandidates(ctx), made, fetchConfig{CacheDir: cfg.CacheDir, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	if made != 0 && made != b.major {
		return nil, fmt.Errorf("its data was made by PostgreSQL %d, and here is only PostgreSQL %d: "+
			"install PostgreSQL %d, or start afresh with another --data", made, b.major, made)
	}
	if made == 0 {
		cfg.Logger.InfoContext(ctx, "making a database cluster", "folder", data, "postgres", b.full)
		if err := f.makeCluster(ctx, b, cfg); err != nil {
			return nil, err
		}
	}
	return launchPatiently(ctx, f, b, cfg)
}

// launchPatiently launches again while the sessions of a server that was killed the hard way still hold its memory: they
// end by themselves, but only once they look up from what they are doing.
func launchPatiently(ctx context.Context, f *folder, b binaries, cfg PostgresConfig) (*Postgres, error) {
	for deadline := time.Now().Add(sessionsEnd); ; {
		pg, err := launch(ctx, f, b, cfg.Durable)
		if err != nil {
			return nil, err
		}
		err = pg.prepare(ctx)
		if err == nil {
			return pg, nil
		}
		pg.kill(ctx)
		tail := logTail(pg.logPath())
		if !strings.Contains(tail, "pre-existing shared memory block") || time.Now().After(deadline) {
			return nil, fmt.Errorf("%w; its log ends:\n%s", err, tail)
		}
		cfg.Logger.InfoContext(ctx, "waiting for sessions of a server that was killed", "folder", f.path)
		select {
		case <-time.After(sessionsPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for sessions of a server that was killed: %w", ctx.Err())
		}
	}
}

// launch forks the server.
func launch(ctx context.Context, f *folder, b binaries, durable bool) (*Postgres, error) {
	pg := &Postgres{folder: f}
	var err error
	if pg.socket, err = f.socketFolder(socketName); err != nil {
		return nil, err
	}
	log, err := f.logFile("postgres.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own copy
	data := filepath.Join(f.path, "data")
	args := []string{"-D", data, "-k", pg.socket}
	for _, s := range settings(durable) {
		args = append(args, "-c", s)
	}
	// When we die, a fast shutdown: transactions are rolled back and the next start need not recover.
	cmd, err := f.owner.command(syscall.SIGINT, []string{data, filepath.Join(pg.socket, socketName)}, b.postgres(), args...)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	if pg.proc, err = startProcess("postgres", cmd); err != nil {
		if errors.Is(err, syscall.EPERM) {
			err = fmt.Errorf("%w (as root it must become user %s, which was forbidden)", err, f.owner.name)
		}
		return nil, err
	}
	return pg, nil
}

// settings are few: small enough for a laptop, quick to start.
func settings(durable bool) []string {
	s := []string{
		"listen_addresses=", "port=" + socketPort, "unix_socket_permissions=0777", // the folder is what guards it
		"shared_buffers=32MB", "max_connections=200", "jit=off", "timezone=UTC", "log_timezone=UTC",
		"logging_collector=off", "log_destination=stderr", "lc_messages=C",
		"max_wal_senders=0", "wal_level=minimal", "max_wal_size=256MB", // nobody replicates from it
		"log_line_prefix=%m [%p] %u@%d ",
	}
	if !durable {
		s = append(s, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
	}
	return s
}

// prepare waits until the server answers, and makes role and database at the first start.
func (p *Postgres) prepare(ctx context.Context) error {
	conn, err := p.answer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	const known = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	if err := conn.QueryRow(ctx, known, database).Scan(&exists); err != nil || exists {
		return wrap("look for the database", err)
	}
	// A crash between the two leaves a role without a database, hence the test. CREATEROLE as hosted databases give it.
	const role = `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'peal') THEN
			CREATE ROLE peal LOGIN CREATEROLE;
		END IF;
	END $$`
	if _, err := conn.Exec(ctx, role); err != nil {
		return wrap("create the role", err)
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE peal OWNER peal`)
	return wrap("create the database", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// answer connects as soon as the server takes connections.
func (p *Postgres) answer(ctx context.Context) (*pgx.Conn, error) {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.AdminURL())
		if err == nil {
			return conn, nil
		}
		select {
		case <-p.proc.done:
			return nil, p.proc.err()
		case <-ctx.Done():
			return nil, fmt.Errorf("wait until it answers: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// URL is the connection string of the database peal, as the role peal, who owns it and is no superuser.
func (p *Postgres) URL() string { return p.url(database, database) }

// AdminURL is the connection string of the superuser, for tests that create databases or pull the rug.
func (p *Postgres) AdminURL() string { return p.url(superuser, "postgres") }

func (p *Postgres) url(role, db string) string {
	// Everything is named, so that PGHOST, PGPORT and their kind in the environment change nothing.
	q := url.Values{"host": {p.socket}, "port": {socketPort}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + db, RawQuery: q.Encode()}
	return u.String()
}

// PID is the server's process id.
func (p *Postgres) PID() int { return p.proc.cmd.Process.Pid }

// Done is closed when the server has ended, by Stop or on its own.
func (p *Postgres) Done() <-chan struct{} { return p.proc.done }

// Err says why the server ended on its own, with the end of its log; nil while it runs and after Stop.
func (p *Postgres) Err() error {
	err := p.proc.err()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; its log ends:\n%s", err, logTail(p.logPath()))
}

func (p *Postgres) logPath() string { return filepath.Join(p.folder.path, "postgres.log") }

// Stop shuts the server down (open transactions are rolled back), waits for its end and gives the folder back. When ctx
// ends first, the server is forced to end without its last checkpoint, which costs the next start a recovery but no data.
// Call it also after the server has ended on its own.
func (p *Postgres) Stop(ctx context.Context) error {
	err := p.proc.stop(ctx, syscall.SIGINT, syscall.SIGQUIT)
	p.free.Do(func() {
		p.folder.removeSockets(p.socket)
		p.folder.release()
	})
	return err
}

// kill ends a server that did not come up; the folder stays ours.
func (p *Postgres) kill(ctx context.Context) {
	_ = p.proc.stop(canceled(ctx), syscall.SIGINT, syscall.SIGQUIT)
}
