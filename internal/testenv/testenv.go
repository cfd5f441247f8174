// Package testenv gives a test real servers: Postgres a database of its own with every migration applied, Redis a key
// prefix of its own. A test binary starts at most one server of each kind, when the first test asks for it, so that
// tests run in parallel and cost little.
//
// A package that uses it hands its TestMain over, because servers must be stopped when the last test is done:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
//
// It never reads addresses from the environment: a test cannot reach a database that somebody cares for. Only tests may
// import it.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// servers are those of this test binary. They are package state, which production code may not have: what a TestMain
// stops must be what the tests of that binary started.
var (
	cluster  lazy[*postgres]
	cache    lazy[*redisServer]
	mainRuns atomic.Bool
)

// Main runs the tests, stops the servers and ends the process.
func Main(m *testing.M) {
	os.Exit(run(m, func() error { return nil }))
}

// MainNoLeaks is Main for packages that start goroutines: it fails when one is left after the tests and the servers have
// ended.
func MainNoLeaks(m *testing.M, options ...goleak.Option) {
	os.Exit(run(m, func() error { return goleak.Find(options...) }))
}

func run(m *testing.M, check func() error) int {
	mainRuns.Store(true)
	code := m.Run()
	if err := Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return max(code, 1)
	}
	if code != 0 {
		return code // a failed test may well leave goroutines; they would hide what failed
	}
	if err := check(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		return 1
	}
	return 0
}

// Stop stops the servers. Main calls it; only a TestMain that has to end in a way of its own calls it by itself.
func Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(cluster.stop(ctx), cache.stop(ctx))
}

// needMain fails a test whose package would leave servers running.
func needMain(t testing.TB) {
	t.Helper()
	if !mainRuns.Load() {
		t.Fatal("testenv: this package needs `func TestMain(m *testing.M) { testenv.Main(m) }`")
	}
}
