package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pealhq/peal/internal/testenv"
)

// cluster returns variables for edges of one platform, with an app 7 whose key is abc with secret def.
func cluster(t *testing.T) (env []string) {
	t.Helper()
	_, env = database(t)
	redis, prefix := testenv.Redis(t)
	env = append(env, "PEAL_REDIS_URL="+redis, "PEAL_REDIS_PREFIX="+prefix, "PEAL_DRAIN_PAUSE=0s")
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	file := write(t, "apps.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK)
	return env
}

func (p *process) library() interface {
	Trigger(channel, event string, data any) error
} {
	return library(devInfo{EdgeURL: p.info.EdgeURL, AppID: "7", Key: "abc", Secret: "def"})
}

// opsAddr is where `peal nodes` finds the edge.
func (p *process) opsAddr(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(p.info.OpsURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func untilReady(t *testing.T, edges ...*process) {
	t.Helper()
	for _, p := range edges {
		waitFor(t, "ready", func() bool {
			resp, err := http.Get(p.info.OpsURL + "/readyz")
			if err != nil {
				return false
			}
			defer resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
}

func TestServeTwoEdges(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	one, two := startServe(t, env), startServe(t, env)
	untilReady(t, one, two)
	a, b := connect(t, one.info.EdgeURL, "abc"), connect(t, two.info.EdgeURL, "abc")
	a.subscribe(t, "news")
	b.subscribe(t, "news")
	for _, from := range []*process{one, two} {
		if err := from.library().Trigger("news", "hello", "x"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*client{a, b} {
			if f := c.next(t); f.Event != "hello" || f.Data != "x" {
				t.Errorf("received %+v", f)
			}
		}
	}

	// Both know of both; one drains the other.
	var list struct{ Nodes []nodeReport }
	waitFor(t, "the registry knows both", func() bool {
		out := runPeal(t, nil, "nodes", "list", "--ops-addr", one.opsAddr(t), "-o", "json")
		list.Nodes = nil
		if err := json.Unmarshal([]byte(out.stdout), &list); err != nil {
			t.Fatalf("%v\n%s%s", err, out.stdout, out.stderr)
		}
		return len(list.Nodes) == 2 && list.Nodes[0].Sockets == 1 && list.Nodes[1].Sockets == 1
	})
	other := list.Nodes[0]
	if other.Self {
		other = list.Nodes[1]
	}
	runPeal(t, nil, "nodes", "list", "--ops-addr", two.opsAddr(t)).want(t, "table", exitOK, "SOCKETS", "CPU", other.ID, "up", " %")
	runPeal(t, nil, "nodes", "drain", "nobody:1", "--ops-addr", one.opsAddr(t)).want(t, "drain of nobody", exitError, "there is no edge nobody:1")
	runPeal(t, nil, "nodes", "drain", other.ID, "--wait", "--ops-addr", one.opsAddr(t)).want(t, "drain", exitOK, other.ID+" is drained")
	if code := b.closedWith(t); code != 4200 {
		t.Errorf("closed with %d, want 4200", code)
	}
	if got := get(t, two.info.OpsURL+"/readyz"); !strings.Contains(got, `"status":"draining"`) {
		t.Errorf("readyz of the drained edge: %s", got)
	}
	// It still takes publishes, and the other's sockets hear them.
	if err := two.library().Trigger("news", "last", "x"); err != nil {
		t.Errorf("publish at the drained edge: %v", err)
	}
	if f := a.next(t); f.Event != "last" {
		t.Errorf("received %+v", f)
	}
	for _, p := range []*process{two, one} {
		if code := p.stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d\n%s", code, p.stderr)
		}
	}
}

func TestServeTellsWhatIsWrongWithRedis(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	last := func(set string) []string { return append(append([]string(nil), env...), set) }
	serve := append([]string{"serve"}, freePorts...)
	runPeal(t, last("PEAL_REDIS_URL=localhost:6379"), serve...).want(t, "no URL", exitUsage, "PEAL_REDIS_URL", "redis://")
	runPeal(t, last("PEAL_REDIS_PREFIX=a{b}"), serve...).want(t, "braces", exitUsage, "redis_prefix", "braces")
	runPeal(t, last("PEAL_DRAIN_WINDOW=1s"), serve...).want(t, "short window", exitUsage, "drain_window", "10s")
	runPeal(t, last("PEAL_DRAIN_WINDOW=15s"), serve...).want(t, "no time for the window", exitUsage, "drain_window", "shutdown_timeout")
	one := startServe(t, env)
	untilReady(t, one)

	// Another platform, with the same prefix.
	_, other := database(t)
	runPeal(t, other, "migrate", "up").want(t, "up", exitOK)
	other = append(other, env[2], env[3])
	runPeal(t, other, serve...).want(t, "another platform's Redis", exitError, "another platform", "choose another prefix")
}

// TestServeWhileRedisIsAway: it starts, says that it is not ready, and refuses publishes at once.
func TestServeWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	env := append(cluster(t), "PEAL_REDIS_URL=redis://127.0.0.1:1")
	p := startServe(t, env)
	if got := get(t, p.info.OpsURL+"/readyz"); !strings.Contains(got, `"status":"unavailable"`) || !strings.Contains(got, "Redis") {
		t.Errorf("readyz: %s", got)
	}
	if got := get(t, p.info.OpsURL+"/livez"); !strings.Contains(got, "ok") {
		t.Errorf("livez: %s", got)
	}
	began := time.Now()
	if err := p.library().Trigger("x", "e", "{}"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("publish: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v to refuse", took)
	}
	runPeal(t, nil, "nodes", "list", "--ops-addr", p.opsAddr(t)).want(t, "nodes", exitUnavailable, "Redis does not answer")
}
