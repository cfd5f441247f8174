//go:build conformance

package conformance

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The server under test. Without CONFORMANCE_HOST it is a `peal dev` of ours; with it, the variables are:
//
//	CONFORMANCE_HOST, CONFORMANCE_PORT               where it listens, without TLS
//	CONFORMANCE_APP_ID, _KEY and _SECRET             an app with the default settings, client events on
//	CONFORMANCE_APPS                                 more apps, as name=id:key:secret with commas between; needs says what
//	                                                 each name stands for
//	CONFORMANCE_OPS                                  URL with /metrics and pprof, as ours has them
//	CONFORMANCE_BINARY                               for our own: the program (../bin/peal)
//	CONFORMANCE_EDGES                                for our own: 2 has clients spread over two edges, behind HAProxy
type target struct {
	addr string // host:port
	// direct is the same without a balancer, whose buffers would take much of what a client does not read.
	direct string
	apps   map[string]app
	ops    string // empty when there is none
	// balanced says that clients are spread over several edges by something in front of them.
	balanced bool
	// own is the process that the suite started, nil when the server is somebody else's.
	own *process
}

// app is an app of the server under test.
type app struct{ id, key, secret string }

// needs says what an app of this name must be like.
var needs = map[string]string{
	"plain":      "an app with default settings",
	"other":      "a second app with default settings",
	"counts":     "an app with subscription_count on",
	"watch":      "an app with watchlist on",
	"quiet":      "an app with client events off",
	"origins":    "an app that lets in only pages of https://allowed.example",
	"tls":        "an app that is for TLS only",
	"brief":      "an app with an activity timeout of 1 s",
	"few":        "an app with at most 2 connections",
	"strict":     "an app with authorized connections on and 2 s to be authorized",
	"disabled":   "an app that is disabled",
	"small":      "an app with at most 2 presence members, 3 channels a socket and 10 client events a second",
	"compressed": "an app with permessage-deflate on",
	"pair":       "a second app with at most 2 connections",
}

// server is what the tests talk to; TestMain sets it before any of them runs.
var server target

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if server, err = chooseTarget(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		return 1
	}
	code := m.Run()
	if server.own != nil {
		if err := server.own.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
			code = 1
		}
	}
	return code
}

func chooseTarget(env func(string) string) (target, error) {
	if env("CONFORMANCE_HOST") == "" {
		return ownTarget()
	}
	addr := env("CONFORMANCE_HOST") + ":" + env("CONFORMANCE_PORT")
	t := target{
		addr: addr, direct: addr,
		ops:  env("CONFORMANCE_OPS"),
		apps: map[string]app{"plain": {env("CONFORMANCE_APP_ID"), env("CONFORMANCE_KEY"), env("CONFORMANCE_SECRET")}},
	}
	if p := t.apps["plain"]; p.id == "" || p.key == "" || p.secret == "" || env("CONFORMANCE_PORT") == "" {
		return t, fmt.Errorf("with CONFORMANCE_HOST set, CONFORMANCE_PORT, _APP_ID, _KEY and _SECRET must be set too")
	}
	for given := range strings.SplitSeq(env("CONFORMANCE_APPS"), ",") {
		if given = strings.TrimSpace(given); given == "" {
			continue
		}
		name, text, _ := strings.Cut(given, "=")
		parts := strings.Split(text, ":")
		if _, known := needs[name]; !known || len(parts) != 3 {
			return t, fmt.Errorf("CONFORMANCE_APPS: %q is not name=id:key:secret with a name that the suite knows", given)
		}
		t.apps[name] = app{parts[0], parts[1], parts[2]}
	}
	return t, nil
}

// ownTarget starts our binary with the apps that the suite needs.
func ownTarget() (target, error) {
	start := startPeal
	if os.Getenv("CONFORMANCE_EDGES") == "2" {
		start = startTwoEdges
	}
	p, err := start()
	if err != nil {
		return target{}, err
	}
	return p.target(), nil
}

// prepared returns an app with certain settings, or skips the test.
func prepared(t *testing.T, name string) app {
	t.Helper()
	what, known := needs[name]
	if !known {
		t.Fatalf("needs does not know %q", name)
	}
	a, ok := server.apps[name]
	if !ok {
		notOnOurs(t)
		t.Skipf("needs %s (CONFORMANCE_APPS %s=…)", what, name)
	}
	return a
}

func plain(t *testing.T) app {
	t.Helper()
	return prepared(t, "plain")
}

// notOnOurs fails a test that is about to be skipped: our own server lacks nothing.
func notOnOurs(t *testing.T) {
	t.Helper()
	if server.own != nil {
		t.Fatal("our own server has all that the suite needs, so nothing may be skipped")
	}
}

// needsOwn skips a test that starts and stops servers, when the one under test is not ours.
func needsOwn(t *testing.T) {
	t.Helper()
	if server.own == nil {
		t.Skip("needs a server that the suite may start and stop")
	}
}
