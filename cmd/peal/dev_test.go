package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	pusher "github.com/pusher/pusher-http-go/v5"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
)

// frame is one message of the Pusher protocol.
type frame struct {
	Event   string `json:"event"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// client is one socket.
type client struct {
	*websocket.Conn
	id string
}

// connect opens a socket and waits for its greeting.
func connect(t *testing.T, edge, key string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(edge, "http", "ws", 1)+"/app/"+key+"?protocol=7&client=test", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	c := &client{Conn: conn}
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if f := c.next(t); f.Event != "pusher:connection_established" || json.Unmarshal([]byte(f.Data), &hello) != nil {
		t.Fatalf("greeted with %+v", f)
	}
	c.id = hello.SocketID
	return c
}

// next returns the next frame.
func (c *client) next(t *testing.T) frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, text, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	var f frame
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func (c *client) subscribe(t *testing.T, channel string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"event":"pusher:subscribe","data":{"auth":"","channel":"`+channel+`"}}`)); err != nil {
		t.Fatal(err)
	}
	if f := c.next(t); f.Event != "pusher_internal:subscription_succeeded" || f.Channel != channel {
		t.Fatalf("subscribed with %+v", f)
	}
}

// closedWith reads until the socket is closed and returns the code.
func (c *client) closedWith(t *testing.T) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := c.Read(ctx); err != nil {
			var ce websocket.CloseError
			if !errors.As(err, &ce) {
				t.Fatalf("read: %v", err)
			}
			return ce.Code
		}
	}
}

func library(info devInfo) *pusher.Client {
	u, _ := url.Parse(info.EdgeURL)
	return &pusher.Client{AppID: info.AppID, Key: info.Key, Secret: info.Secret, Host: u.Host}
}

// operator is somebody signed in to the dashboard.
type operator struct {
	auth adminv1connect.AuthServiceClient
	apps adminv1connect.AppServiceClient
	keys adminv1connect.KeyServiceClient
}

func signIn(t *testing.T, dashboard string) *operator {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Client{Jar: jar}
	o := &operator{
		auth: adminv1connect.NewAuthServiceClient(h, dashboard+"/api"),
		apps: adminv1connect.NewAppServiceClient(h, dashboard+"/api"),
		keys: adminv1connect.NewKeyServiceClient(h, dashboard+"/api"),
	}
	if _, err := o.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: demoEmail, Password: demoPassword}); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDevFromPublishToReceipt(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := startDev(t, data)
	if p.info.AppID != "1" || p.info.Key != "peal-dev-key" || p.info.Secret != "peal-dev-secret" {
		t.Fatalf("demo %+v", p.info)
	}
	c := connect(t, p.info.EdgeURL, p.info.Key)
	c.subscribe(t, "my-channel")
	if err := library(p.info).Trigger("my-channel", "my-event", map[string]string{"hello": "world"}); err != nil {
		t.Fatal(err)
	}
	if f := c.next(t); f != (frame{"my-event", "my-channel", `{"hello":"world"}`}) {
		t.Errorf("received %+v", f)
	}
	signIn(t, p.info.DashboardURL)

	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
	if code := c.closedWith(t); code != 4200 {
		t.Errorf("closed with %d, want 4200", code)
	}

	// What was there is there after a restart.
	p = startDev(t, data)
	signIn(t, p.info.DashboardURL)
	c = connect(t, p.info.EdgeURL, p.info.Key)
	c.subscribe(t, "my-channel")
	events := []pusher.Event{{Channel: "my-channel", Name: "a", Data: "1"}, {Channel: "my-channel", Name: "b", Data: "2"}}
	if _, err := library(p.info).TriggerBatch(events); err != nil {
		t.Fatal(err)
	}
	for _, want := range []frame{{"a", "my-channel", "1"}, {"b", "my-channel", "2"}} {
		if f := c.next(t); f != want {
			t.Errorf("received %+v, want %+v", f, want)
		}
	}
}

func TestDevTwoSideBySide(t *testing.T) {
	t.Parallel()
	one, two := startDev(t, t.TempDir()), startDev(t, t.TempDir())
	a, b := connect(t, one.info.EdgeURL, demoKey), connect(t, two.info.EdgeURL, demoKey)
	a.subscribe(t, "x")
	b.subscribe(t, "x")
	for name, p := range map[string]*process{"one": one, "two": two} {
		if err := library(p.info).Trigger("x", name, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if f := a.next(t); f.Event != "one" {
		t.Errorf("the first heard %+v", f)
	}
	if f := b.next(t); f.Event != "two" {
		t.Errorf("the second heard %+v", f)
	}
}

func TestDevOnAFolderInUse(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := startDev(t, data)
	runPeal(t, nil, append([]string{"dev", "--data", data}, freePorts...)...).
		want(t, "a second on the same folder", exitError, fmt.Sprint(p.Process.Pid))
	connect(t, p.info.EdgeURL, demoKey)
}

func TestDevAfterACrash(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := startDev(t, data)
	if code := p.stop(t, syscall.SIGKILL); code != -int(syscall.SIGKILL) {
		t.Fatalf("exit code %d", code)
	}
	p = startDev(t, data)
	c := connect(t, p.info.EdgeURL, p.info.Key)
	c.subscribe(t, "my-channel")
}

// halfAPublish begins a signed publish whose body is not complete, and returns the rest of it.
func halfAPublish(t *testing.T, p *process) (conn net.Conn, rest string) {
	t.Helper()
	u, _ := url.Parse(p.info.EdgeURL)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	const body = `{"name":"e","channel":"x","data":"{}"}`
	path := "/apps/1/events"
	md5 := md5.Sum([]byte(body))
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0&body_md5=%x", demoKey, time.Now().Unix(), md5)
	mac := hmac.New(sha256.New, []byte(demoSecret))
	fmt.Fprintf(mac, "POST\n%s\n%s", path, query)
	fmt.Fprintf(conn, "POST %s?%s&auth_signature=%x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s",
		path, query, mac.Sum(nil), len(body), body[:10])
	waitFor(t, "the request to arrive", func() bool {
		return strings.Contains(get(t, p.info.OpsURL+"/debug/pprof/goroutine?debug=2"), "httpapi")
	})
	return conn, body[10:]
}

func TestDevASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	// A request whose body does not come keeps the first signal's stop waiting.
	halfAPublish(t, p)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the stop to begin", func() bool { return strings.Contains(p.stderr.String(), "stopping") })
	if code := p.stop(t, syscall.SIGTERM); code != -int(syscall.SIGTERM) {
		t.Errorf("exit code %d, want the end by a signal", code)
	}
}

// TestDevAStopFinishesRequests: while it stops it is not ready, and what had begun is answered.
func TestDevAStopFinishesRequests(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	conn, rest := halfAPublish(t, p)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "not ready", func() bool {
		resp, err := http.Get(p.info.OpsURL + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	if _, err := io.WriteString(conn, rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the request that had begun: %v, %v", resp, err)
	}
	conn.Close()
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
}

// TestDevASlowClientIsNoFailure: when the time to stop is over, what is left is cut off, and that is a good end.
func TestDevASlowClientIsNoFailure(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir(), "--shutdown-timeout", "300ms")
	halfAPublish(t, p)
	if code := p.stop(t, syscall.SIGTERM); code != 0 || !strings.Contains(p.stderr.String(), "cut off") {
		t.Errorf("exit code %d\n%s", code, p.stderr)
	}
}

func TestDevChangesReachOpenSockets(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	o := signIn(t, p.info.DashboardURL)
	ctx := t.Context()
	created, err := o.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{AppId: "1"})
	if err != nil {
		t.Fatal(err)
	}
	key := created.GetKey().GetKey()
	secret, err := o.keys.RevealKey(ctx, &adminv1.RevealKeyRequest{AppId: "1", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	staying, leaving := connect(t, p.info.EdgeURL, demoKey), connect(t, p.info.EdgeURL, key)
	staying.subscribe(t, "x")
	leaving.subscribe(t, "x")
	info := p.info
	info.Key, info.Secret = key, secret.GetSecret()
	if err := library(info).Trigger("x", "before", "{}"); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if _, err := o.keys.RevokeKey(ctx, &adminv1.RevokeKeyRequest{AppId: "1", Key: key}); err != nil {
		t.Fatal(err)
	}
	if code := leaving.closedWith(t); code != 4001 {
		t.Errorf("closed with %d, want 4001", code)
	}
	t.Logf("a revoked key's socket was closed after %v", time.Since(started))
	if err := library(info).Trigger("x", "after", "{}"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("publish with a revoked key: %v", err)
	}
	if f := staying.next(t); f.Event != "before" {
		t.Errorf("the other socket heard %+v", f)
	}
	if err := library(p.info).Trigger("x", "still", "{}"); err != nil {
		t.Fatal(err)
	}
	if f := staying.next(t); f.Event != "still" {
		t.Errorf("the other socket heard %+v", f)
	}
	if _, err := o.apps.DeleteApp(ctx, &adminv1.DeleteAppRequest{AppId: "1"}); err != nil {
		t.Fatal(err)
	}
	if code := staying.closedWith(t); code != 4001 {
		t.Errorf("closed with %d, want 4001", code)
	}
}

func TestDevTellsWhenTheDemoIsGone(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := startDev(t, data)
	if _, err := signIn(t, p.info.DashboardURL).apps.DeleteApp(t.Context(), &adminv1.DeleteAppRequest{AppId: "1"}); err != nil {
		t.Fatal(err)
	}
	p.stop(t, syscall.SIGTERM)
	if p = startDev(t, data); p.info.AppID != "" || p.info.EdgeURL == "" {
		t.Errorf("printed %+v", p.info)
	}
}

func TestDevCurlLine(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	c := connect(t, p.info.EdgeURL, demoKey)
	c.subscribe(t, "my-channel")
	out, err := exec.Command("sh", "-c", curlLine(p.info.EdgeURL)).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "{}" {
		t.Fatalf("curl: %v, %s", err, out)
	}
	if f := c.next(t); f != (frame{"my-event", "my-channel", `{"hello":"world"}`}) {
		t.Errorf("received %+v", f)
	}
}

// TestReadmesCall runs the line by which the README calls the publish RPC, at the address of this edge.
func TestReadmesCall(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, begun := strings.Cut(string(readme), "curl -u ")
	line, _, ended := strings.Cut(line, "```")
	if !begun || !ended || !strings.Contains(line, "http://localhost:6001/peal.publish.v1.") {
		t.Fatalf("the README has no such line: %q", line)
	}
	p := startDev(t, t.TempDir())
	c := connect(t, p.info.EdgeURL, demoKey)
	c.subscribe(t, "my-channel")
	line = "curl -sS -u " + strings.Replace(line, "http://localhost:6001", p.info.EdgeURL, 1)
	if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "{}" {
		t.Fatalf("curl: %v, %s", err, out)
	}
	if f := c.next(t); f != (frame{"my-event", "my-channel", `{"hello":"world"}`}) {
		t.Errorf("received %+v", f)
	}
}

func TestDevSeed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	seed := write(t, "seed.yaml", "tenants:\n  - name: Acme\n    apps:\n      - {id: '7', name: chat, keys: [{key: abc, secret: def}]}\n      - {id: '8', name: off, enabled: false, keys: [{key: off, secret: def}]}\n")
	p := startDev(t, data, "--seed", seed)
	connect(t, p.info.EdgeURL, "abc").subscribe(t, "x")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(p.info.EdgeURL, "http", "ws", 1)+"/app/off?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	if code := (&client{Conn: conn}).closedWith(t); code != 4003 {
		t.Errorf("a disabled app closed with %d, want 4003", code)
	}
	bad := write(t, "bad.yaml", "tenants:\n  - {name: Acme, apps: [{name: chat, colour: red}]}\n")
	runPeal(t, nil, append([]string{"dev", "--data", t.TempDir(), "--seed", bad}, freePorts...)...).
		want(t, "a field that does not exist", exitUsage, "colour")
}

func TestDevWelcome(t *testing.T) {
	var b bytes.Buffer
	u := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	a := addresses{edge: u("http://localhost:6001"), dashboard: u("http://localhost:6002"), ops: u("http://127.0.0.1:6003")}
	printWelcome(&b, a, demoState{usable: true})
	for _, want := range []string{"http://localhost:6002", demoEmail, demoPassword, demoKey, demoSecret, "curl -sS"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the welcome lacks %q:\n%s", want, &b)
		}
	}
	b.Reset()
	printWelcome(&b, a, demoState{})
	if strings.Contains(b.String(), demoSecret) || !strings.Contains(b.String(), "was deleted") {
		t.Errorf("without the demo:\n%s", &b)
	}
}

func TestOpsDoor(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir())
	c := connect(t, p.info.EdgeURL, demoKey)
	c.subscribe(t, "x")
	if err := library(p.info).Trigger("x", "e", "{}"); err != nil {
		t.Fatal(err)
	}
	c.next(t)
	if got := get(t, p.info.OpsURL+"/livez"); !strings.Contains(got, `"ok"`) {
		t.Errorf("livez: %s", got)
	}
	// It is degraded until it hears of changes, which may take a moment.
	waitFor(t, "ok", func() bool { return strings.Contains(get(t, p.info.OpsURL+"/readyz"), `"status":"ok"`) })
	metrics := get(t, p.info.OpsURL+"/metrics")
	for _, want := range []string{
		"peal_connections 1", "peal_messages_received_total", "peal_messages_sent_total", `peal_publish_total{result="ok"} 1`, "peal_build_info{", "go_goroutines",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	// The other doors show none of it.
	for _, door := range []string{p.info.EdgeURL, p.info.DashboardURL} {
		for _, path := range []string{"/metrics", "/debug/pprof/", "/readyz"} {
			if got := get(t, door+path); strings.Contains(got, "go_goroutines") || strings.Contains(got, "goroutine") || strings.Contains(got, "change_notices") {
				t.Errorf("%s%s shows the inside", door, path)
			}
		}
	}
}

func get(t *testing.T, target string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
