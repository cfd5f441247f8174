package pgstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pealhq/peal/tenants/pgdb"
)

const (
	// probeEvery is how long a listening connection may be silent before it is asked whether it lives: a
	// connection that died without a word looks like one on which nothing happens.
	probeEvery = 5 * time.Second
	// probeWait is how long the answer may take.
	probeWait = 3 * time.Second
	// reconnectMax bounds the wait between attempts to connect.
	reconnectMax = 5 * time.Second
)

// ListenerConfig is what a [Listener] needs.
type ListenerConfig struct {
	URL string
	// Changed is called with the id of each app that changed, in the order of the commits.
	Changed func(ctx context.Context, appID string)
	// Reset is called whenever notices may have been lost: after each time that the connection was made.
	Reset  func(ctx context.Context)
	Logger *slog.Logger
}

// Listener hears of changes to apps over a connection of its own.
type Listener struct {
	cfg     ListenerConfig
	hearing atomic.Bool
}

// NewListener returns a listener; [Listener.Run] starts it.
func NewListener(cfg ListenerConfig) *Listener { return &Listener{cfg: cfg} }

// Hearing tells whether the connection stands.
func (l *Listener) Hearing() bool { return l.hearing.Load() }

// Run listens until ctx ends, and then returns nil. It connects again, with growing pauses, for as long as
// it takes.
func (l *Listener) Run(ctx context.Context) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, reconnectMax
	for {
		started := time.Now()
		err := l.listen(ctx)
		l.hearing.Store(false)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // Ending with ctx is what was asked for.
		}
		l.cfg.Logger.WarnContext(ctx, "connection that hears of changes was lost; apps are served from the cache", "err", err)
		if time.Since(started) > reconnectMax {
			pause.Reset()
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return nil
		}
	}
}

// listen connects and hands on notices until the connection is lost or ctx ends.
func (l *Listener) listen(ctx context.Context) error {
	conn, err := connect(ctx, l.cfg.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // What is closed is not needed any more.
	if _, err := conn.Exec(ctx, "LISTEN "+pgdb.AppChanged); err != nil {
		return fmt.Errorf("listen for changes: %w", err)
	}
	l.hearing.Store(true)
	l.cfg.Reset(ctx)
	for {
		n, err := waitFor(ctx, conn)
		if err != nil {
			return err
		}
		if n != nil {
			l.cfg.Changed(ctx, n.Payload)
		}
	}
}

func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, pgdb.ErrURL
	}
	cfg.ConnectTimeout = 5 * time.Second
	cfg.RuntimeParams["application_name"] = "peal listener"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to hear of changes: %w", err)
	}
	return conn, nil
}

// waitFor returns the next notice, or nil after a silence in which the connection proved to be alive.
func waitFor(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	quiet, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	if err == nil {
		return n, nil
	}
	if ctx.Err() != nil || !errors.Is(quiet.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("wait for changes: %w", err)
	}
	probe, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	if err := conn.Ping(probe); err != nil {
		return nil, fmt.Errorf("probe the listening connection: %w", err)
	}
	return nil, nil
}
