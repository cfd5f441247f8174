package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/pealhq/peal/channels/redisbus"
)

// TestAStopKeepsThePauseOfADrain: whoever asks a second time waits for the rest, and the pause is not had twice.
func TestAStopKeepsThePauseOfADrain(t *testing.T) {
	t.Parallel()
	const pause = 500 * time.Millisecond
	s, err := loadSettings(pflag.NewFlagSet("", pflag.ContinueOnError), []string{"PEAL_DRAIN_PAUSE=" + pause.String()})
	if err != nil {
		t.Fatal(err)
	}
	bus, err := redisbus.New(redisbus.Config{URL: "redis://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{cfg: platformConfig{settings: s}, redis: bus}
	began := time.Now()
	go p.beUnready()
	for !p.health.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	p.beUnready()
	if took := time.Since(began); took < pause {
		t.Errorf("balancers had %v to notice, of %v", took, pause)
	}
	began = time.Now()
	p.beUnready()
	if took := time.Since(began); took >= pause {
		t.Errorf("a third waits for %v", took)
	}
}

func TestFromHere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, host string
		want       bool
	}{
		"this machine":        {"127.0.0.1:5", "127.0.0.1:6003", true},
		"by its name":         {"127.0.0.1:5", "localhost:6003", true},
		"over IPv6":           {"[::1]:5", "[::1]:6003", true},
		"IPv4 within IPv6":    {"[::ffff:127.0.0.1]:5", "127.0.0.1:6003", true},
		"another machine":     {"10.0.0.7:5", "10.0.0.1:6003", false},
		"it calls itself us":  {"10.0.0.7:5", "127.0.0.1:6003", false},
		"a name made for it":  {"127.0.0.1:5", "rebound.example:6003", false},
		"an address of no IP": {"@", "localhost", false},
	} {
		r := httptest.NewRequest("POST", "/nodes/x/drain", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		if got := fromHere(r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
