package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants"
)

// database returns variables for a platform on a database without a schema.
func database(t *testing.T) (url string, env []string) {
	t.Helper()
	url = testenv.Postgres(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	return url, []string{"PEAL_DATABASE_URL=" + url, "PEAL_KEY_ENCRYPTION_KEY=" + tenants.NewKeyEncryptionKey().Encode()}
}

func TestServeMigrateApply(t *testing.T) {
	t.Parallel()
	_, env := database(t)
	runPeal(t, env, append([]string{"serve"}, freePorts...)...).want(t, "serve without a schema", exitError, "peal migrate up")
	runPeal(t, env, "migrate", "status").want(t, "status before", exitOK, "pending", "0001_create_tenants_and_users.sql")
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK, "applied 0001_create_tenants_and_users.sql")
	runPeal(t, env, "migrate", "up").want(t, "up again", exitOK, "nothing to apply")
	if out := runPeal(t, env, "migrate", "status"); strings.Contains(out.stdout, "pending") {
		t.Errorf("status after:\n%s", out.stdout)
	}

	p := startServe(t, env)
	file := write(t, "apps.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n")
	runPeal(t, env, "apply", "-f", file).want(t, "without --yes", exitUsage, "would: app.created  Acme/chat (7)", "--yes")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK, "app.created  Acme/chat (7)", "key.created  Acme/chat abc")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply twice", exitOK, "nothing to change")
	runPeal(t, env, "apply", "-f", file).want(t, "nothing to ask for", exitOK, "nothing to change")
	c := connect(t, p.info.EdgeURL, "abc")
	c.subscribe(t, "x")
	if err := library(devInfo{EdgeURL: p.info.EdgeURL, AppID: "7", Key: "abc", Secret: "def"}).Trigger("x", "e", "{}"); err != nil {
		t.Fatal(err)
	}
	if f := c.next(t); f.Event != "e" {
		t.Errorf("received %+v", f)
	}

	// A change on the host reaches the running platform.
	small := write(t, "small.yaml", "tenants:\n  - {name: Acme, apps: [{id: '7', name: chat, limits: {payload_bytes: 3}}]}\n")
	runPeal(t, env, "apply", "-f", small).want(t, "a limit, dry", exitUsage, "would: app.settings_changed  Acme/chat (7) limits.payload_bytes default to 3")
	runPeal(t, env, "apply", "-f", small, "--yes").want(t, "a limit", exitOK, "limits.payload_bytes default to 3")
	limited := time.Now()
	for library(devInfo{EdgeURL: p.info.EdgeURL, AppID: "7", Key: "abc", Secret: "def"}).Trigger("x", "e", "four") == nil {
		if time.Since(limited) > patience {
			t.Fatal("the new limit does not hold")
		}
	}
	t.Logf("the new limit held %v after the command", time.Since(limited))

	off := write(t, "off.yaml", "tenants:\n  - {name: Acme, apps: [{id: '7', name: chat, enabled: false}]}\n")
	started := time.Now()
	runPeal(t, env, "apply", "-f", off, "--yes").want(t, "disable", exitOK, "app.disabled  Acme/chat (7)")
	if code := c.closedWith(t); code != 4003 {
		t.Errorf("closed with %d, want 4003", code)
	}
	t.Logf("disabled and closed after %v, the start of the command included", time.Since(started))
	if code := p.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}

	env[1] = "PEAL_KEY_ENCRYPTION_KEY=" + tenants.NewKeyEncryptionKey().Encode()
	runPeal(t, env, append([]string{"serve"}, freePorts...)...).want(t, "another key-encryption key", exitError, "wrong key-encryption key")
}

// TestServeWhileTheDatabaseIsAway: known apps go on, and it comes back by itself.
func TestServeWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	url, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	file := write(t, "apps.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK)
	p := startServe(t, env)
	c := connect(t, p.info.EdgeURL, "abc")
	c.subscribe(t, "x")

	back := lockOut(t, url)
	waitFor(t, "degraded", func() bool { return strings.Contains(get(t, p.info.OpsURL+"/readyz"), "degraded") })
	if resp, err := http.Get(p.info.OpsURL + "/readyz"); err != nil || resp.StatusCode != 200 {
		t.Errorf("without a database the edge is not ready: %v, %v", resp, err)
	}
	connect(t, p.info.EdgeURL, "abc")
	if err := library(devInfo{EdgeURL: p.info.EdgeURL, AppID: "7", Key: "abc", Secret: "def"}).Trigger("x", "e", "{}"); err != nil {
		t.Errorf("publish without a database: %v", err)
	}
	if f := c.next(t); f.Event != "e" {
		t.Errorf("received %+v", f)
	}
	back()
	waitFor(t, "ok", func() bool { return strings.Contains(get(t, p.info.OpsURL+"/readyz"), `"status":"ok"`) })
}

// lockOut ends all connections to a database and lets nobody in until the returned function is called.
func lockOut(t *testing.T, url string) (back func()) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	name := cfg.Database
	exec := func(sql string, args ...any) {
		t.Helper()
		admin := cfg.Copy()
		admin.Database, admin.User = "postgres", "postgres"
		conn, err := pgx.ConnectConfig(context.Background(), admin)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`ALTER DATABASE ` + pgx.Identifier{name}.Sanitize() + ` ALLOW_CONNECTIONS false`)
	exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name)
	return func() {
		t.Helper()
		exec(`ALTER DATABASE ` + pgx.Identifier{name}.Sanitize() + ` ALLOW_CONNECTIONS true`)
	}
}

// startServe starts `peal serve`, under another command where one is given, and waits until it says where it is.
func startServe(t *testing.T, env []string, under ...string) *process {
	t.Helper()
	cmd := command(t, env, append([]string{"serve", "--log-format", "json"}, freePorts...)...)
	if len(under) > 0 {
		path, err := exec.LookPath(under[0])
		if err != nil {
			t.Fatal(err)
		}
		cmd.Args = append(append(under, cmd.Path), cmd.Args[1:]...)
		cmd.Path = path
	}
	return startEdge(t, cmd)
}

// startEdge starts a command of `peal serve` with logs in JSON, and waits until it is up.
func startEdge(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan devInfo, 1)
	go func() {
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			p.stderr.Write(append(lines.Bytes(), '\n'))
			var entry struct{ Msg, Edge, Dashboard, Ops string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Edge != "" {
				up <- devInfo{EdgeURL: entry.Edge, DashboardURL: entry.Dashboard, OpsURL: entry.Ops}
			}
		}
		p.exited <- cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.exited
	})
	select {
	case p.info = <-up:
	case err := <-p.exited:
		p.exited <- err
		t.Fatalf("peal serve ended: %v\n%s", err, p.stderr)
	case <-time.After(patience):
		t.Fatalf("peal serve did not come up\n%s", p.stderr)
	}
	return p
}

// TestServeWithFewDescriptors: when they are used up new sockets are refused, and the other doors answer.
func TestServeWithFewDescriptors(t *testing.T) {
	t.Parallel()
	_, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	file := write(t, "apps.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n")
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK)
	p := startServe(t, env, "prlimit", "--nofile=200:200")
	var inside []*client
	refused := 0
	for range 300 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		conn, _, err := websocket.Dial(ctx, strings.Replace(p.info.EdgeURL, "http", "ws", 1)+"/app/abc?protocol=7", nil)
		cancel()
		if err != nil {
			t.Fatalf("after %d sockets: %v", len(inside), err)
		}
		t.Cleanup(func() { conn.CloseNow() })
		c := &client{Conn: conn}
		_, text, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "pusher:connection_established") {
			inside = append(inside, c)
			continue
		}
		if code := c.closedWith(t); code != 4100 {
			t.Errorf("refused with %d, want 4100", code)
		}
		refused++
	}
	// Half is kept for everything else, and an eighth of the rest for the HTTP fallbacks.
	if len(inside) != 88 || refused != 212 {
		t.Errorf("%d sockets inside and %d refused, want 88 and 212", len(inside), refused)
	}
	get(t, p.info.OpsURL+"/readyz")
	get(t, p.info.DashboardURL+"/")
	inside[0].subscribe(t, "x")
	if err := library(devInfo{EdgeURL: p.info.EdgeURL, AppID: "7", Key: "abc", Secret: "def"}).Trigger("x", "e", "{}"); err != nil {
		t.Fatal(err)
	}
	if f := inside[0].next(t); f.Event != "e" {
		t.Errorf("received %+v", f)
	}
}
