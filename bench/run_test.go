package bench

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/bench/plain"
	"github.com/pealhq/peal/bench/wire"
)

var demoApp = wire.Credentials{AppID: "1", Key: "k", Secret: "s"}

func target(t *testing.T, name string, h http.Handler) Target {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	tgt, err := ParseTarget(t.Context(), name+"="+srv.Listener.Addr().String(), demoApp, false)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// short is a run small enough for a test under the race detector.
func short(s Scenario, targets ...Target) Config {
	return Config{
		Scenario: s, Targets: targets, Subscribers: 20, Channels: 1, Warmup: 50 * time.Millisecond, Duration: 400 * time.Millisecond,
		Settle: 50 * time.Millisecond,
	}
}

func run(t *testing.T, cfg Config) Result {
	t.Helper()
	res, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestScenarios runs each scenario against the plain server, by both loops.
func TestScenarios(t *testing.T) {
	for _, portable := range []bool{false, true} {
		for name, c := range map[string]struct {
			cfg   func(*Config)
			check func(Round) bool
		}{
			"idle":      {nil, func(r Round) bool { return r.Sockets == 20 }},
			"bare idle": {func(c *Config) { c.Bare = true }, func(r Round) bool { return r.Sockets == 20 }},
			"connect":   {nil, func(r Round) bool { return r.Rates.Connects > 0 && r.Latency.Count == 20 }},
			"fanout":    {nil, heard},
			"fanout at a rate": {func(c *Config) { c.Rate = 100 }, func(r Round) bool {
				return heard(r) && r.Rates.Publishes < 200
			}},
			"fanout of few messages": {func(c *Config) { c.Messages, c.Duration = 50, 10*time.Second }, func(r Round) bool {
				return r.Counts.Published == 50 && r.Counts.Delivered == 50*20
			}},
			"fanout beside slow readers": {func(c *Config) { c.Slow = 3 }, heard},
			"channels":                   {func(c *Config) { c.Channels, c.Subscribers, c.Publishers = 30, 2, 4 }, heard},
			"publish":                    {nil, published},
			"publish in batches": {func(c *Config) { c.Batch = 10 }, func(r Round) bool {
				return published(r) && r.Counts.Published%10 == 0
			}},
			"presence": {nil, func(r Round) bool { return r.Counts.Notices > 0 && r.Counts.Notices%(20*19/2) == 0 }},
			"cluster":  {func(c *Config) { c.Targets[0].SubscribeAt = c.Targets[0].Addr }, heard},
		} {
			t.Run(name+map[bool]string{true: ", portable"}[portable], func(t *testing.T) {
				words := strings.Fields(name)
				cfg := short(Scenario(words[0]), target(t, "plain", plain.New()))
				if words[0] == "bare" {
					cfg.Scenario = Idle
				}
				cfg.Portable = portable
				cfg.Targets[0].PIDs = []int{os.Getpid()}
				if c.cfg != nil {
					c.cfg(&cfg)
				}
				res := run(t, cfg)
				r := res.Targets[0].Rounds[0]
				if lost, _ := res.Lost(); lost > 0 || r.Counts.Duplicates+r.Counts.Misplaced+r.Counts.Refused+r.Counts.Dropped > 0 {
					t.Errorf("%+v: %s", r.Counts, r.RefusedFor)
				}
				if !c.check(r) {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}

func heard(r Round) bool {
	return r.Rates.Deliveries > 0 && r.Counts.Delivered == r.Counts.Expected && r.Latency.Count > 0 && r.Latency.P50 > 0 &&
		r.Counts.OutOfOrder == 0
}

func published(r Round) bool {
	return r.Rates.Publishes > 0 && r.Counts.Published > 0 && r.Latency.Count > 0
}

func TestTargetsAreComparedInTurn(t *testing.T) {
	cfg := short(Publish, target(t, "a", plain.New()), target(t, "b", plain.New()))
	cfg.Rounds = 3
	var lines strings.Builder
	cfg.Progress = &lines
	res := run(t, cfg)
	for i, name := range []string{"a", "b"} {
		if got := res.Targets[i]; got.Name != name || len(got.Rounds) != 3 || got.Medians["publishes_per_second"] == 0 {
			t.Errorf("%+v", got)
		}
	}
	for _, r := range res.Ratios {
		if r.Target != "b" || r.Baseline != "a" || len(r.Rounds) != 3 || r.Median == 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(res.Ratios) == 0 {
		t.Error("no ratios")
	}
}

// forgetful leaves publishes undone, as a server that loses messages would.
func forgetful(every int) http.Handler {
	inner, n := plain.New(), 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") {
			if n++; n%every == 0 {
				_, _ = w.Write([]byte("{}"))
				return
			}
		}
		inner.ServeHTTP(w, r)
	})
}

func TestWhatIsLostIsCounted(t *testing.T) {
	cfg := short(Fanout, target(t, "forgetful", forgetful(5)))
	cfg.Rate, cfg.Publishers, cfg.Messages, cfg.Drain = 200, 1, 50, 200*time.Millisecond
	cfg.Duration = 5 * time.Second
	res := run(t, cfg)
	if lost, expected := res.Lost(); lost != 10*20 || expected != 50*20 {
		t.Errorf("%d of %d lost, want 200 of 1000", lost, expected)
	}
	notes := strings.Join(Notes(res), "\n")
	if !strings.Contains(notes, "200 of 1000 deliveries were lost") {
		t.Error(notes)
	}
}

// twice delivers every publish two times.
func twice() http.Handler {
	inner := plain.New()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/events") {
			inner.ServeHTTP(w, r)
			return
		}
		var body strings.Builder
		_, _ = copyTo(&body, r)
		for _, to := range []http.ResponseWriter{httptest.NewRecorder(), w} {
			again := r.Clone(r.Context())
			again.Body = readCloser(body.String())
			inner.ServeHTTP(to, again)
		}
	})
}

func TestWhatComesTwiceIsCountedOnce(t *testing.T) {
	cfg := short(Fanout, target(t, "twice", twice()))
	cfg.Window, cfg.Messages = 1, 20
	cfg.Duration = 5 * time.Second
	res := run(t, cfg)
	if c := res.Targets[0].Rounds[0].Counts; c.Delivered != 400 || c.Duplicates == 0 || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

func TestRefusalsAreReported(t *testing.T) {
	for name, c := range map[string]struct {
		handler  http.HandlerFunc
		scenario Scenario
		want     string
	}{
		"of publishes": {
			func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "Unknown auth_key", http.StatusUnauthorized)
			},
			Publish, `401 "Unknown auth_key\n"`,
		},
		"of sockets": {
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) },
			Fanout, "the server refuses the upgrade",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Run(t.Context(), short(c.scenario, target(t, "no", c.handler)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	tgt, err := ParseTarget(t.Context(), "127.0.0.1:1", demoApp, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, portable := range []bool{false, true} {
		cfg := short(Fanout, tgt)
		cfg.Portable = portable
		if _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("portable %t: %v", portable, err)
		}
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	cfg := short(Fanout, target(t, "plain", plain.New()))
	cfg.Duration = time.Minute
	ctx, cancel := contextWithin(t, 300*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, cfg); !errors.Is(err, ctx.Err()) || err == nil {
		t.Errorf("%v", err)
	}
}
