package fallback_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/fallback"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/internal/pipenet"
	"github.com/pealhq/peal/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apps are the apps that there are, which a test may change at any time.
type apps struct {
	mu    sync.Mutex
	byKey map[string]*tenants.App // guarded by mu
}

func (a *apps) ByKey(_ context.Context, key string) (*tenants.App, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if app, ok := a.byKey[key]; ok {
		return app, nil
	}
	return nil, fmt.Errorf("key %s: %w", key, tenants.ErrNotFound)
}

// set makes a key open an app, for everything.
func (a *apps) set(key string, app *tenants.App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	with := *app
	with.Keys = append(slices.Clone(app.Keys), tenants.Key{Public: key, AppID: app.ID, Scopes: tenants.ScopeAll, State: tenants.KeyActive})
	a.byKey[key] = &with
}

func newApp(id string, enabled bool) *tenants.App {
	return &tenants.App{ID: id, Enabled: enabled, Limits: tenants.DefaultLimits()}
}

// bomb is a bus that panics when somebody subscribes to the channel "bomb".
type bomb struct{ *channels.MemoryBus }

func (b bomb) Subscribe(ctx context.Context, topic channels.Topic, log channels.Log) error {
	if topic.Channel == "bomb" {
		panic("boom")
	}
	return b.MemoryBus.Subscribe(ctx, topic, log)
}

// edge is the fallbacks with a hub. The app 1 has the key "key", 2 has "other" and a list of origins, "disabled" is that
// of one that is disabled.
type edge struct {
	t        testing.TB
	apps     *apps
	hub      *channels.Hub
	registry *session.Registry
	server   *fallback.Server
	url      string
	client   *http.Client
	metrics  *prometheus.Registry
}

const site = "https://site.example"

func newEdge(t testing.TB, change func(*fallback.Config)) *edge {
	t.Helper()
	e := &edge{t: t, apps: &apps{byKey: map[string]*tenants.App{}}}
	e.apps.set("key", newApp("1", true))
	fenced := newApp("2", true)
	fenced.Origins = tenants.Origins{site}
	e.apps.set("other", fenced)
	e.apps.set("disabled", newApp("3", false))
	log := slog.New(slog.DiscardHandler)
	bus := bomb{channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})}
	e.hub = channels.NewHub(bus)
	e.registry = session.NewRegistry(session.RegistryConfig{
		Apps: e.apps, Hub: e.hub, Presence: bus, Logger: log, Publisher: publish.New(publish.Config{Bus: bus}),
		Counts: session.NewCounts(session.CountsConfig{Bus: bus, Presence: bus, Logger: log}),
	})
	cfg := fallback.Config{Sessions: e.registry, Logger: log}
	if change != nil {
		change(&cfg)
	}
	e.server = fallback.NewServer(cfg)
	e.metrics = prometheus.NewPedanticRegistry()
	e.metrics.MustRegister(e.server.Collectors()...)
	return e
}

// onLoopback serves the edge on a TCP address until the test ends.
func onLoopback(t testing.TB, change func(*fallback.Config)) *edge {
	t.Helper()
	e := newEdge(t, change)
	server := httptest.NewServer(e.server)
	e.url = server.URL
	e.client = &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		e.shutdown()
		e.client.CloseIdleConnections()
		server.Close()
	})
	return e
}

// inMemory serves the edge over pipes, so that it can run under a clock of the test's own, and with the limits on time
// that the door has.
func inMemory(t testing.TB, change func(*fallback.Config)) *edge {
	t.Helper()
	e := newEdge(t, change)
	listener := pipenet.Listen()
	server := &http.Server{Handler: e.server, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	e.url = "http://edge.test"
	e.client = &http.Client{Transport: &http.Transport{DialContext: listener.Dial, IdleConnTimeout: time.Minute}}
	t.Cleanup(func() {
		e.shutdown()
		e.client.CloseIdleConnections()
		_ = server.Close()
		serving.Wait()
	})
	return e
}

func (e *edge) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		e.t.Errorf("shutdown: %v", err)
	}
	if n := e.hub.Subscriptions(); n != 0 {
		e.t.Errorf("%d subscriptions are left", n)
	}
	if n := e.registry.Total(); n != 0 {
		e.t.Errorf("%d connections are left", n)
	}
	e.wantMetric("peal_fallback_sessions", 0)
}

// metric returns the value of a counter or gauge, of all its labels together.
func (e *edge) metric(name string) float64 {
	e.t.Helper()
	families, err := e.metrics.Gather()
	if err != nil {
		e.t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func (e *edge) wantMetric(name string, want float64) {
	e.t.Helper()
	if got := e.metric(name); got != want {
		e.t.Errorf("%s is %v, want %v", name, got, want)
	}
}

// deliver hands a frame to the subscribers of app 1's channel "there", as the bus does.
func (e *edge) deliver(frame string) {
	e.hub.Deliver(channels.Message{Topic: channels.Topic{App: "1", Channel: "there"}, Frame: []byte(frame)})
}

// query is what pusher-js asks with when it receives.
const query = "?protocol=7&client=js&version=8.6.0&t=1795375363009&n=1"

// reply is an answer that has ended.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request with headers given as name and value in turn, and reads the whole answer.
func (e *edge) do(method, path, body string, headers ...string) reply {
	e.t.Helper()
	r, err := e.try(method, path, body, headers...)
	if err != nil {
		e.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (e *edge) try(method, path, body string, headers ...string) (reply, error) {
	resp, err := e.open(context.Background(), method, path, body, headers...)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

func (e *edge) open(ctx context.Context, method, path, body string, headers ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return e.client.Do(req)
}

// poll receives once and returns what came.
func (e *edge) poll(at string) string {
	e.t.Helper()
	r := e.do("POST", at+"/xhr"+query, "")
	if r.status != 200 {
		e.t.Fatalf("poll: %d %s", r.status, r.body)
	}
	return r.body
}

// say sends frames as pusher-js does, each a request of its own.
func (e *edge) say(at string, frames ...string) {
	e.t.Helper()
	for _, frame := range frames {
		body, _ := json.Marshal([]string{frame})
		if r := e.do("POST", at+"/xhr_send?t=1&n=2", string(body)); r.status != 204 || r.body != "" {
			e.t.Fatalf("send %s: %d %s", frame, r.status, r.body)
		}
	}
}

func subscribe(channel string) string {
	return `{"event":"pusher:subscribe","data":{"auth":"","channel":"` + channel + `"}}`
}

func succeeded(channel string) string {
	return messages(`{"event":"pusher_internal:subscription_succeeded","channel":"` + channel + `","data":"{}"}`)
}

// messages is the line with these frames.
func messages(frames ...string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(frames)
	return "a" + b.String()
}

// stream is a client's stream.
type stream struct {
	t      testing.TB
	header http.Header
	lines  *bufio.Reader
	drop   func()
}

// stream opens a stream of a conversation and reads the prelude.
func (e *edge) stream(at string, headers ...string) *stream {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e.t.Cleanup(cancel)
	resp, err := e.open(ctx, "POST", at+"/xhr_streaming"+query, "", headers...)
	if err != nil {
		e.t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		e.t.Fatalf("stream: %s", resp.Status)
	}
	e.t.Cleanup(func() { resp.Body.Close() })
	s := &stream{t: e.t, header: resp.Header, lines: bufio.NewReader(resp.Body), drop: cancel}
	s.want(strings.Repeat("h", 2048) + "\n")
	return s
}

// join opens a conversation of app 1 by streaming and subscribes to channels.
func (e *edge) join(at string, names ...string) *stream {
	e.t.Helper()
	s := e.stream(at)
	s.want("o\n")
	s.hello()
	for _, name := range names {
		e.say(at, subscribe(name))
		s.want(succeeded(name))
	}
	return s
}

func (s *stream) line() string {
	s.t.Helper()
	line, err := s.lines.ReadString('\n')
	if err != nil {
		s.t.Fatalf("read: %q, %v", line, err)
	}
	return line
}

func (s *stream) want(line string) {
	s.t.Helper()
	if got := s.line(); got != line {
		s.t.Fatalf("got %q, want %q", got, line)
	}
}

func (s *stream) hello() {
	s.t.Helper()
	want := messages(`{"event":"pusher:connection_established","data":"{\"socket_id\":\"ID\",\"activity_timeout\":120}"}`)
	if got := withoutIDs(s.line()); got != want {
		s.t.Fatalf("got %q, want %q", got, want)
	}
}

// wantEnd expects the close line and the end of the answer after it.
func (s *stream) wantEnd(line string) {
	s.t.Helper()
	s.want(line)
	s.wantEOF()
}

func (s *stream) wantEOF() {
	s.t.Helper()
	if more, err := io.ReadAll(s.lines); err != nil || len(more) > 0 {
		s.t.Fatalf("got %q, %v, want the end", more, err)
	}
}

// withoutIDs puts ID for each socket id.
func withoutIDs(text string) string {
	return regexp.MustCompile(`\d+\.\d+(\\)`).ReplaceAllString(text, "ID$1")
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
