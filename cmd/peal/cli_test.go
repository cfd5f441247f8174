package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
)

// shop is a platform with an operator who has an API token, for the commands that work from anywhere.
type shop struct {
	*process
	env           []string // what the commands need to work there
	token, tenant string
	names         *strings.Replacer // what differs from run to run, by what stands for it
}

const operatorEmail, operatorPassword = "ops@example.com", "tidal-otter-lamp-nine"

func openShop(t *testing.T) *shop {
	t.Helper()
	_, env := database(t)
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	runPealWith(t, env, operatorPassword+"\n", "operators", "create", operatorEmail, "--password-stdin").want(t, "operator", exitOK)
	s := &shop{process: startServe(t, env)}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser, at := &http.Client{Jar: jar}, s.info.DashboardURL+"/api"
	in, err := adminv1connect.NewAuthServiceClient(browser, at).LogIn(t.Context(), &adminv1.LogInRequest{Email: operatorEmail, Password: operatorPassword})
	if err != nil {
		t.Fatal(err)
	}
	tokens := adminv1connect.NewTokenServiceClient(browser, at)
	list, err := tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "laptop", Scopes: list.GetGrantable()})
	if err != nil {
		t.Fatal(err)
	}
	s.token, s.tenant = made.GetText(), in.GetAccount().GetTenantId()
	s.env = []string{"PEAL_URL=" + s.info.DashboardURL, "PEAL_TOKEN=" + s.token, "PEAL_CONTEXTS=" + filepath.Join(t.TempDir(), "contexts.yaml")}
	s.names = strings.NewReplacer(
		s.info.DashboardURL, "URL", in.GetAccount().GetTenantId(), "TENANT", in.GetAccount().GetUserId(), "USER",
		made.GetToken().GetId(), "TOKEN", made.GetToken().GetHint(), "HINT",
	)
	return s
}

// wild is what no two runs have in common, and what stands for it.
var wild = []struct{ pattern, name string }{
	{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "TIME"},
	{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
	{`127\.0\.0\.1:\d+`, "ADDRESS"},
	{`/invitation#[\w-]+`, "/invitation#SECRET"},
}

func (s *shop) golden(t *testing.T, name string, known map[string]string, out output) {
	t.Helper()
	text := fmt.Sprintf("exit code %d\n--- stdout\n%s--- stderr\n%s", out.code, out.stdout, out.stderr)
	text = s.names.Replace(text)
	for value, stands := range known {
		text = strings.ReplaceAll(text, value, stands)
	}
	for _, w := range wild {
		text = regexp.MustCompile(w.pattern).ReplaceAllString(text, w.name)
	}
	path := filepath.Join("testdata", "cli", name+".golden")
	if *updateDocs {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with `go test ./cmd/peal -run TestCommands -update`", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// command runs a command in this process, which is faster for many: its variables are this process's then.
func (s *shop) command(t *testing.T, stdin string, args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return output{code, stdout.String(), stderr.String()}
}

// TestCommands runs the commands that work from anywhere against a platform, and compares all that they print.
func TestCommands(t *testing.T) { //nolint:paralleltest // It sets variables.
	s := openShop(t)
	for _, kv := range s.env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	known := map[string]string{s.token: "SECRET-TOKEN"}
	created := s.command(t, "", "apps", "create", "Chat", "-o", "json")
	app := regexp.MustCompile(`"id": "(\d+)"`).FindStringSubmatch(created.stdout)
	key := regexp.MustCompile(`"key": "([^"]{8,})"`).FindStringSubmatch(created.stdout)
	if created.code != 0 || app == nil || key == nil {
		t.Fatalf("%+v", created)
	}
	known[app[1]], known[key[1]] = "APP", "KEY"
	s.golden(t, "apps-create-json", known, created)
	for _, c := range []struct {
		name  string
		stdin string
		args  string
	}{
		{"whoami", "", "whoami"},
		{"apps-list", "", "apps list"},
		{"apps-list-json", "", "apps list -o json"},
		{"apps-list-yaml", "", "apps list -o yaml"},
		{"apps-show-by-name", "", "apps show chat"},
		{"apps-show-missing", "", "apps show nothing"},
		{"apps-create-taken", "", "apps create Chat"},
		{"apps-rename-empty", "", "apps rename chat "},
		{"apps-disable-unasked", "", "apps disable chat"},
		{"apps-disable", "", "apps disable chat --yes"},
		{"publish-disabled", "", "publish chat news tick {}"},
		{"apps-enable", "", "apps enable chat"},
		{"output-unknown", "", "apps list -o xml"},
		{"apps-unknown", "", "apps lst"},
		{"keys-list", "", "keys list chat"},
		{"keys-create-bad-scope", "", "keys create chat --scope write"},
		{"keys-rotate-missing", "", "keys rotate chat nothing"},
		{"keys-keep-active", "", "keys keep chat KEY"},
		{"keys-reveal-missing", "", "keys reveal chat nothing"},
		{"limits-show", "", "limits show chat"},
		{"limits-set", "", "limits set chat payload_bytes=20000 connections=100"},
		{"limits-set-json", "", "limits set chat payload_bytes=default -o json"},
		{"limits-set-range", "", "limits set chat payload_bytes=0"},
		{"limits-set-unknown", "", "limits set chat payload=1"},
		{"limits-set-words", "", "limits set chat payload_bytes=many"},
		{"origins-none", "", "origins list chat"},
		{"origins-add", "", "origins add chat https://example.com https://*.example.com"},
		{"origins-add-bad", "", "origins add chat example"},
		{"origins-check", "", "origins check chat https://www.example.com"},
		{"origins-check-evil", "", "origins check chat https://evil-example.com"},
		{"origins-remove", "", "origins remove chat https://example.com"},
		{"origins-remove-missing", "", "origins remove chat https://example.com"},
		{"plans-create", "", "plans create pro --name Pro connections=5000 payload_bytes=5000"},
		{"plans-create-taken", "", "plans create pro"},
		{"plans-create-bad", "", "plans create Pro"},
		{"plans-update", "", "plans update pro payload_bytes=default --default"},
		{"plans-update-nothing", "", "plans update pro"},
		{"plans-list", "", "plans list"},
		{"plans-list-json", "", "plans list -o json"},
		{"tenants-list", "", "tenants list"},
		{"tenants-set-plan", "", "tenants set-plan TENANT pro"},
		{"tenants-set-plan-missing", "", "tenants set-plan TENANT none-such"},
		{"plans-delete-used", "", "plans delete pro --yes"},
		{"limits-over-plan", "", "limits set chat connections=5001"},
		{"tenants-suspend-silent", "", "tenants suspend TENANT --yes"},
		{"tenants-suspend", "", "tenants suspend TENANT --reason abuse --yes"},
		{"apps-create-suspended", "", "apps create More"},
		{"tenants-resume", "", "tenants resume TENANT"},
		{"members-list", "", "members list"},
		{"members-invite", "", "members invite ann@example.com --role viewer -o json"},
		{"members-invite-bad", "", "members invite ann"},
		{"members-set-role-missing", "", "members set-role bo@example.com admin"},
		{"members-set-role-last-owner", "", "members set-role ops@example.com admin"},
		{"tokens-list", "", "tokens list"},
		{"usage-bad", "", "usage --since yesterday"},
		{"audit", "", "audit --action tenant --limit 2"},
		{"audit-app", "", "audit --action app.settings_changed --limit 2 -o yaml"},
		{"publish", "", "publish chat news tick {}"},
		{"publish-stdin", "hello", "publish chat news tick"},
		{"publish-bad-channel", "", "publish chat new!s tick {}"},
		{"context-list-empty", "", "context list"},
		{"login", s.token + "\n", "login " + s.info.DashboardURL + " --token-stdin --name here"},
		{"login-bad-token", "nothing\n", "login " + s.info.DashboardURL + " --token-stdin"},
		{"login-bad-address", "", "login here"},
		{"context-list", "", "context list -o json"},
		{"context-use-missing", "", "context use there"},
		{"logout", "", "logout here"},
		{"apps-delete", "", "apps delete chat --yes"},
	} {
		args := strings.Split(c.args, " ")
		for i := range args {
			switch args[i] {
			case "TENANT":
				args[i] = s.tenant
			case "KEY":
				args[i] = key[1]
			}
		}
		s.golden(t, c.name, known, s.command(t, c.stdin, args...))
	}
	if code := s.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestKeysAreMadeAndRotated compares no texts, because each run has other keys.
func TestKeysAreMadeAndRotated(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	runPeal(t, s.env, "apps", "create", "Chat").want(t, "create", exitOK)
	made := runPeal(t, s.env, "keys", "create", "chat", "--scope", "publish,query", "--label", "worker")
	made.want(t, "a key with scopes", exitOK, "worker", "publish query", "active")
	key := regexp.MustCompile(`(?m)^(\S{8,}) +worker`).FindStringSubmatch(made.stdout)
	if key == nil {
		t.Fatal(made.stdout)
	}
	runPeal(t, s.env, "keys", "rotate", "chat", key[1], "--overlap", "1h").want(t, "rotate", exitOK, "retiring", "publish query")
	runPeal(t, s.env, "keys", "keep", "chat", key[1]).want(t, "keep", exitOK, "active")
	runPeal(t, s.env, "keys", "revoke", "chat", key[1], "--yes").want(t, "revoke", exitOK, "revoked")
	runPeal(t, s.env, "keys", "reveal", "chat", key[1]).want(t, "reveal what is revoked", exitConflict)
	s.stop(t, syscall.SIGTERM)
}

// TestTheTokenIsReadByNobodyElse: a file that others can read is refused, and the token is in no argument.
func TestTheTokenIsReadByNobodyElse(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	file := filepath.Join(t.TempDir(), "peal", "contexts.yaml")
	env := []string{"PEAL_CONTEXTS=" + file}
	runPealWith(t, env, "", "apps", "list").want(t, "not signed in", exitAuth, "peal login")
	runPealWith(t, env, s.token, "login", s.info.DashboardURL, "--token-stdin").want(t, "login", exitOK, "signed in as "+operatorEmail)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	runPeal(t, env, "apps", "list").want(t, "with the context", exitOK, "ID")
	runPeal(t, env, "apps", "list", "--context", "there").want(t, "no such context", exitUsage, "context list")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	runPeal(t, env, "apps", "list").want(t, "for all to read", exitUsage, "chmod 600")
	for _, bad := range []string{"PEAL_URL=ftp://x", "PEAL_URL=", "PEAL_URL=https://user:x@host"} {
		runPeal(t, []string{bad, "PEAL_TOKEN=x"}, "apps", "list").want(t, bad, exitUsage, "PEAL_URL")
	}
	runPeal(t, []string{"PEAL_URL=http://127.0.0.1:1", "PEAL_TOKEN=x"}, "apps", "list").want(t, "away", exitUnavailable, "cannot be reached")
	s.stop(t, syscall.SIGTERM)
}

// TestSubscribeHearsWhatIsPublished on a plain and on a private channel, and ends when it has heard enough, or in vain.
func TestSubscribeHearsWhatIsPublished(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	runPeal(t, s.env, "apps", "create", "Chat").want(t, "create", exitOK)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	heard := make(chan output, 1)
	go func() {
		heard <- runPeal(t, s.env, "subscribe", "chat", "news", "private-room", "--count", "2", "-o", "json")
	}()
	for {
		runPeal(t, s.env, "publish", "chat", "news", "tick", `{"n":1}`).want(t, "publish", exitOK)
		runPeal(t, s.env, "publish", "chat", "private-room", "tick", "x").want(t, "publish", exitOK)
		select {
		case out := <-heard:
			out.want(t, "subscribe", exitOK, `"channel":"news","event":"tick","data":"{\"n\":1}"`, `"channel":"private-room","event":"tick","data":"x"`,
				"subscribed to private-room")
			runPeal(t, s.env, "subscribe", "chat", "news", "--count", "1", "--timeout", "1s").want(t, "in vain", exitTimeout, "the time is up")
			runPeal(t, s.env, "subscribe", "chat", "n!ws").want(t, "a bad channel", exitError, "refused the channel")
			s.stop(t, syscall.SIGTERM)
			return
		case <-ctx.Done():
			t.Fatal("nothing was heard")
		case <-time.After(100 * time.Millisecond):
		}
	}
}
