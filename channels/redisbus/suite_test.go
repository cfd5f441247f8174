package redisbus

import (
	"log/slog"
	"os"
	"testing"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/bustest"
	"github.com/pealhq/peal/internal/testenv"
)

// newBus returns a bus with keys of its own on the tests' Redis.
func newBus(t testing.TB, change func(*Config)) *Bus {
	t.Helper()
	url, prefix := testenv.Redis(t)
	return newBusAt(t, url, prefix, change)
}

// newBusAt returns a bus of an edge that shares with all others on these keys.
func newBusAt(t testing.TB, url, prefix string, change func(*Config)) *Bus {
	t.Helper()
	cfg := Config{URL: url, Prefix: prefix, Logger: logger(t)}
	if change != nil {
		change(&cfg)
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// logger shows what a bus has to say when the tests are run with -v.
func logger(testing.TB) *slog.Logger {
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return nil
}

func TestBus(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) channels.Bus { return newBus(t, nil) })
}

func TestPresence(t *testing.T) {
	t.Parallel()
	bustest.RunPresence(t, func(t *testing.T, n channels.Notices) bustest.Both {
		return newBus(t, func(c *Config) { c.Notices = n })
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	bustest.RunOnce(t, func(t *testing.T, n channels.Notices) bustest.Both {
		return newBus(t, func(c *Config) { c.Notices = n })
	})
}

func TestLog(t *testing.T) {
	t.Parallel()
	bustest.RunLog(t, func(t *testing.T, n channels.Notices) bustest.Both {
		return newBus(t, func(c *Config) { c.Notices = n })
	})
}

func TestEdges(t *testing.T) {
	t.Parallel()
	bustest.RunShared(t, func(t *testing.T, n channels.Notices) func() bustest.Both {
		url, prefix := testenv.Redis(t)
		return func() bustest.Both { return newBusAt(t, url, prefix, func(c *Config) { c.Notices = n }) }
	})
}
