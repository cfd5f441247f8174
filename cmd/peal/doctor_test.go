package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/internal/devstack"
	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants"
)

// findings are what a doctor's JSON says.
type findings []finding

// runDoctor runs it on free ports and returns what it found.
func runDoctor(t *testing.T, env []string, code int, args ...string) findings {
	t.Helper()
	out := runPeal(t, env, append(append([]string{"doctor", "-o", "json"}, freePorts...), args...)...)
	out.want(t, "doctor", code)
	var report struct{ Checks findings }
	if err := json.Unmarshal([]byte(out.stdout), &report); err != nil {
		t.Fatalf("%v\n%s%s", err, out.stdout, out.stderr)
	}
	for _, secret := range []string{"hushhush", "hush%3F"} {
		if strings.Contains(out.stdout+out.stderr, secret) {
			t.Errorf("a password was printed:\n%s%s", out.stdout, out.stderr)
		}
	}
	return report.Checks
}

// want asks for a finding whose message has all the parts.
func (f findings) want(t *testing.T, check, status string, parts ...string) {
	t.Helper()
	for _, one := range f {
		has := one.Check == check && one.Status == status
		for _, part := range parts {
			has = has && strings.Contains(one.Message, part)
		}
		if has {
			return
		}
	}
	t.Errorf("no %s of %q says %q; found:\n%s", status, check, parts, f)
}

// none asks for nothing of this status.
func (f findings) none(t *testing.T, status string) {
	t.Helper()
	for _, one := range f {
		if one.Status == status {
			t.Errorf("%s: %s: %s", one.Check, one.Status, one.Message)
		}
	}
}

func (f findings) String() string {
	var b strings.Builder
	for _, one := range f {
		fmt.Fprintf(&b, "%s: %s: %s\n", one.Check, one.Status, one.Message)
	}
	return b.String()
}

// lockedRedis starts one that forgets, with the password "right".
func lockedRedis(t *testing.T) (url string) {
	t.Helper()
	dir, err := devstack.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r, err := devstack.StartRedis(t.Context(), devstack.RedisConfig{
		Dir: dir, Args: []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop(context.Background()) })
	o, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	// Later than at its start, which waits until it answers.
	if err := client.ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
	return r.URL()
}

// TestDoctorFollowsAPlatformUp: before the schema, before and beside a running edge.
func TestDoctorFollowsAPlatformUp(t *testing.T) {
	t.Parallel()
	_, env := database(t)
	url, prefix := testenv.Redis(t)
	env = append(env, "PEAL_REDIS_URL="+url, "PEAL_REDIS_PREFIX="+prefix, "PEAL_DRAIN_PAUSE=0s")
	f := runDoctor(t, env, exitError)
	f.want(t, "schema", statusError, "run `peal migrate up`")
	f.want(t, "redis", statusOK, "cannot be known without the database")

	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	f = runDoctor(t, env, exitOK)
	f.none(t, statusError)
	for _, check := range []string{"settings", "database", "schema", "key-encryption key", "redis", "memory", "edge door"} {
		f.want(t, check, statusOK)
	}
	runPeal(t, env, append([]string{"doctor"}, freePorts...)...).want(t, "table", exitOK, "CHECK", "STATUS", "PostgreSQL")

	one := startServe(t, env)
	untilReady(t, one)
	doors := []string{
		"--edge-addr", strings.TrimPrefix(one.info.EdgeURL, "http://"), "--control-addr", strings.TrimPrefix(one.info.DashboardURL, "http://"),
		"--ops-addr", one.opsAddr(t),
	}
	f = runDoctor(t, env, exitOK, doors...)
	f.none(t, statusError)
	f.want(t, "edge door", statusOK, "answered by an edge that runs")
	f.want(t, "control door", statusOK, "answered by an edge that runs")
	f.want(t, "ops door", statusOK, "answered by an edge that runs")
	f.want(t, "running edge", statusOK, "it is ready")
	f.want(t, "edges", statusOK, "knows of 1")

	// In a container the doors have no host.
	_, port, _ := net.SplitHostPort(one.opsAddr(t))
	runPeal(t, nil, "ready", "--ops-addr", ":"+port).want(t, "ready", exitOK, "ok")
	var list struct{ Nodes []nodeReport }
	if err := json.Unmarshal([]byte(get(t, one.info.OpsURL+"/nodes")), &list); err != nil || len(list.Nodes) != 1 {
		t.Fatalf("nodes: %v, %v", list, err)
	}
	if skew := list.Nodes[0].Clock.Sub(list.Nodes[0].Seen).Abs(); skew > time.Second {
		t.Errorf("the clock of an edge on the machine of Redis differs by %v", skew)
	}
	runPeal(t, nil, "nodes", "drain", list.Nodes[0].ID, "--wait", "--ops-addr", one.opsAddr(t)).want(t, "drain", exitOK)
	runPeal(t, nil, "ready", "--ops-addr", one.opsAddr(t)).want(t, "not ready", exitError, "draining", "is not ready")
	runDoctor(t, env, exitOK, doors...).want(t, "running edge", statusWarning, "it is draining")
	one.stop(t, syscall.SIGTERM)
	runPeal(t, nil, "ready", "--ops-addr", one.opsAddr(t)).want(t, "gone", exitUnavailable, "no edge answers")
}

// TestDoctorTellsAllThatIsWrong: what keeps a start from succeeding, each with what to do.
func TestDoctorTellsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	shared := testenvRedis(env)
	last := func(set ...string) []string { return append(append([]string(nil), env...), set...) }
	locked := lockedRedis(t)
	for name, c := range map[string]struct {
		set    []string
		args   []string
		code   int
		check  string
		status string
		want   []string
	}{
		"another key-encryption key": {
			set: []string{"PEAL_KEY_ENCRYPTION_KEY=" + tenants.NewKeyEncryptionKey().Encode()}, code: exitError,
			check: "key-encryption key", status: statusError, want: []string{"sealed with", "PEAL_OTHER_KEY_ENCRYPTION_KEYS"},
		},
		"no key": {
			set: []string{"PEAL_KEY_ENCRYPTION_KEY="}, code: exitError,
			check: "key-encryption key", status: statusError, want: []string{"PEAL_KEY_ENCRYPTION_KEY is not set"},
		},
		"no database": {
			set: []string{"PEAL_DATABASE_URL="}, code: exitError, check: "database", status: statusError, want: []string{"PEAL_DATABASE_URL is not set"},
		},
		"a database away": {
			set: []string{"PEAL_DATABASE_URL=postgres://u:hushhush@127.0.0.1:1/x"}, code: exitUnavailable,
			check: "database", status: statusError, want: []string{"does not answer", "check the address"},
		},
		"no connection string": {
			set: []string{"PEAL_DATABASE_URL=mysql://u:hushhush@x/y"}, code: exitError,
			check: "database", status: statusError, want: []string{"PEAL_DATABASE_URL is not a PostgreSQL connection string"},
		},
		"no such database": {
			set: []string{strings.Replace(env[0], "/test_", "/none_", 1)}, code: exitError,
			check: "database", status: statusError, want: []string{"check the user, the password and the name"},
		},
		"no address of Redis": {
			set: []string{"PEAL_REDIS_URL=http://:hushhush@x"}, code: exitError, check: "redis", status: statusError, want: []string{"redis://"},
		},
		"Redis away": {
			set: []string{"PEAL_REDIS_URL=redis://u:hushhush@127.0.0.1:1"}, code: exitUnavailable,
			check: "redis", status: statusError, want: []string{"check its address"},
		},
		"Redis away and no key": {
			set: []string{"PEAL_REDIS_URL=redis://127.0.0.1:1", "PEAL_KEY_ENCRYPTION_KEY="}, code: exitError,
			check: "redis", status: statusError, want: []string{"check its address"},
		},
		"no password": {
			set: []string{"PEAL_REDIS_URL=" + locked}, code: exitError, check: "redis", status: statusError, want: []string{"wants a password"},
		},
		"a wrong password": {
			set: []string{"PEAL_REDIS_URL=" + strings.Replace(locked, "unix://", "unix://:hushhush@", 1)}, code: exitError,
			check: "redis", status: statusError, want: []string{"refuses the user or the password"},
		},
		"a Redis that forgets": {
			set: []string{"PEAL_REDIS_URL=" + strings.Replace(locked, "unix://", "unix://:right@", 1)}, code: exitOK,
			check: "redis", status: statusWarning, want: []string{"noeviction"},
		},
		"https without a proxy": {
			set: []string{"PEAL_DASHBOARD_URL=https://peal.example.com"}, code: exitOK,
			check: "settings", status: statusWarning, want: []string{"trusted_proxies"},
		},
		"too much memory": {
			args: []string{"--memory-limit", "4000000GiB"}, code: exitOK,
			check: "memory", status: statusWarning, want: []string{"would be killed"},
		},
		"one address for two doors": {
			args: []string{"--edge-addr", "127.0.0.1:1", "--ops-addr", ":1"}, code: exitError,
			check: "ops door", status: statusError, want: []string{"also the address of another door", "--ops-addr"},
		},
		"an address of elsewhere": {
			args: []string{"--edge-addr", "192.0.2.1:6001"}, code: exitError,
			check: "edge door", status: statusError, want: []string{"an address of this machine", "--edge-addr"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runDoctor(t, last(c.set...), c.code, c.args...).want(t, c.check, c.status, c.want...)
		})
	}

	// Two platforms on one Redis: whoever looks first leaves nothing behind.
	_, other := database(t)
	runPeal(t, other, "migrate", "up").want(t, "up", exitOK)
	other = append(other, shared...)
	runDoctor(t, other, exitOK).none(t, statusError)
	one := startServe(t, env)
	untilReady(t, one)
	runDoctor(t, other, exitError).want(t, "redis", statusError, "another platform", "choose another prefix")
}

// testenvRedis are those of the variables that name Redis.
func testenvRedis(env []string) (list []string) {
	for _, kv := range env {
		if strings.HasPrefix(kv, "PEAL_REDIS_") {
			list = append(list, kv)
		}
	}
	return list
}

func TestDoctorTellsAllMistakesInSettings(t *testing.T) {
	t.Parallel()
	file := write(t, "peal.yaml", "edge_address: ':1'\nops: {addr: ':1'}\nredis_prefix: 'a{b}'\n")
	f := runDoctor(t, []string{"PEAL_COLOUR=hushhush", "PEAL_DRAIN_WINDOW=1s", "PEAL_CONFIG=" + file}, exitError, "--memory-limit", "much")
	for _, want := range []string{`"edge_address"; did you mean edge_addr`, `"ops.addr"`, "PEAL_COLOUR", "drain_window", "redis_prefix", "memory_limit"} {
		f.want(t, "settings", statusError, want)
	}
	f.want(t, "database", statusError, "PEAL_DATABASE_URL")
	f.want(t, "edge door", statusOK)
	runPeal(t, nil, "doctor", "-o", "xml").want(t, "xml", exitUsage, "neither table nor json")
	runPeal(t, nil, "doctor", "--timeout", "0s").want(t, "no time", exitUsage, "--timeout")
}

// TestDoctorKnowsAStranger: a port that is taken by something that is no edge.
func TestDoctorKnowsAStranger(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	defer stranger.Close()
	addr := stranger.Listener.Addr().String()
	for door, check := range map[string]string{"--edge-addr": "edge door", "--control-addr": "control door", "--ops-addr": "ops door"} {
		runDoctor(t, nil, exitError, door, addr).want(t, check, statusError, "something else listens on "+addr, door)
	}
	runPeal(t, nil, "ready", "--ops-addr", addr).want(t, "ready", exitError, "is no ops door")
}

// TestDoctorCountsDescriptors: also few of them are no error.
func TestDoctorCountsDescriptors(t *testing.T) {
	t.Parallel()
	_, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	cmd := command(t, env, append([]string{"doctor"}, freePorts...)...)
	limited := command(t, env)
	limited.Args = append([]string{"prlimit", "--nofile=200:200", cmd.Path}, cmd.Args[1:]...)
	limited.Path = "/usr/bin/prlimit"
	out, err := limited.Output()
	if err != nil || !strings.Contains(string(out), "room for 88 sockets") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDoctorComparesEdges: what only several of them can be wrong in.
func TestDoctorComparesEdges(t *testing.T) {
	t.Parallel()
	now := time.Now()
	edge := func(id string, change func(*nodeReport)) nodeReport {
		n := nodeReport{ID: id, Version: buildVersion(), Seen: now, Clock: now.Add(-time.Second)}
		change(&n)
		return n
	}
	fine := func(*nodeReport) {}
	for name, c := range map[string]struct {
		list []nodeReport
		want string // of the one warning
	}{
		"alike":                {list: []nodeReport{edge("a:1", fine), edge("b:1", fine)}},
		"a clock ahead":        {[]nodeReport{edge("a:1", fine), edge("b:1", func(n *nodeReport) { n.Clock = now.Add(time.Minute) })}, "clock of b:1 differs from that of Redis by 1m0s"},
		"a clock behind":       {[]nodeReport{edge("b:1", func(n *nodeReport) { n.Clock = now.Add(-time.Hour) })}, "by 1h0m0s"},
		"no clock is told":     {list: []nodeReport{edge("b:1", func(n *nodeReport) { n.Clock = time.Time{} })}},
		"silence":              {[]nodeReport{edge("b:1", func(n *nodeReport) { n.Seen, n.Clock = now.Add(-time.Minute), now.Add(-time.Minute) })}, "b:1 has not been seen for 1m0s"},
		"two versions":         {[]nodeReport{edge("a:1", fine), edge("b:1", func(n *nodeReport) { n.Version = "v9" })}, "different versions"},
		"another program":      {[]nodeReport{edge("b:1", func(n *nodeReport) { n.Version, n.Self = "v9", true })}, "runs version v9"},
		"two of the same name": {[]nodeReport{edge("a:1", fine), edge("a:1", fine)}, "two edges are called a:1"},
	} {
		d := &doctor{}
		d.examineNodes(c.list, now)
		warnings := 0
		for _, f := range d.found {
			if f.Status == statusWarning {
				warnings++
			}
		}
		if c.want == "" && warnings > 0 || c.want != "" && warnings != 1 {
			t.Errorf("%s: %s", name, findings(d.found))
		}
		if c.want != "" {
			findings(d.found).want(t, "edges", statusWarning, c.want)
		}
	}
}
