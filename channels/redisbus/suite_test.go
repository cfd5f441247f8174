package redisbus

import (
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
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

func TestSuites(t *testing.T) {
	t.Parallel()
	url, _ := testenv.Redis(t)
	runSuites(t, url)
}

// runSuites runs all suites on a Redis, each test with keys of its own.
func runSuites(t *testing.T, url string) {
	t.Helper()
	var n atomic.Int64
	platform := func(t *testing.T, notices channels.Notices) func() bustest.Both {
		prefix := fmt.Sprintf("suite%d:", n.Add(1))
		return func() bustest.Both { return newBusAt(t, url, prefix, func(c *Config) { c.Notices = notices }) }
	}
	one := func(t *testing.T, notices channels.Notices) bustest.Both { return platform(t, notices)() }
	t.Run("Bus", func(t *testing.T) {
		bustest.Run(t, func(t *testing.T) channels.Bus { return one(t, channels.Notices{}) })
	})
	t.Run("Presence", func(t *testing.T) { bustest.RunPresence(t, one) })
	t.Run("Once", func(t *testing.T) { bustest.RunOnce(t, one) })
	t.Run("Log", func(t *testing.T) { bustest.RunLog(t, one) })
	t.Run("Edges", func(t *testing.T) { bustest.RunShared(t, platform) })
}
