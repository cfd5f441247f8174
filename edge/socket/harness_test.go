package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/edge/socket"
	"github.com/pealhq/peal/internal/pipenet"
	"github.com/pealhq/peal/tenants"
)

// portableOnly makes every edge of a run carry its sockets the portable way.
var portableOnly bool

// TestMain runs all tests twice: over the wire, and the portable way. What a client sees must be the same.
func TestMain(m *testing.M) {
	code := m.Run()
	if code != 0 {
		os.Exit(code) // A second run would report the same tests again, and hide which failed.
	}
	portableOnly = true
	code = m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// apps are the apps that there are, which a test may change at any time.
type apps struct {
	mu    sync.Mutex
	byKey map[string]*tenants.App // guarded by mu
	away  bool                    // guarded by mu; nothing can be known
	// looked is called with every look-up before it is answered, when it is set. Guarded by mu.
	looked func(key string)
}

func (a *apps) ByKey(_ context.Context, key string) (*tenants.App, error) {
	a.mu.Lock()
	looked := a.looked
	a.mu.Unlock()
	if looked != nil {
		looked(key)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return nil, tenants.ErrUnavailable
	}
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

func (a *apps) remove(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byKey, key)
}

func (a *apps) setAway(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

func (a *apps) onLookUp(f func(key string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looked = f
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

// edge is a socket server with a hub. The app 1 has the keys "key" and "second", 2 has "other", and "disabled" is
// that of one that is disabled.
type edge struct {
	t        testing.TB
	apps     *apps
	hub      *channels.Hub
	presence channels.Presence
	registry *session.Registry
	server   *socket.Server
	url      string // of the server, with ws as scheme
	dial     func(context.Context, string, string) (net.Conn, error)
	metrics  *prometheus.Registry
}

func newEdge(t testing.TB, change func(*socket.Config)) *edge {
	t.Helper()
	e := &edge{t: t, apps: &apps{byKey: map[string]*tenants.App{}}}
	app := newApp("1", true)
	e.apps.set("key", app)
	e.apps.set("second", app)
	e.apps.set("other", newApp("2", true))
	e.apps.set("disabled", newApp("3", false))
	log := slog.New(slog.DiscardHandler)
	bus := bomb{channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})}
	e.hub, e.presence = channels.NewHub(bus), bus
	e.registry = session.NewRegistry(session.RegistryConfig{
		Apps: e.apps, Hub: e.hub, Presence: bus, Logger: log, Publisher: publish.New(publish.Config{Bus: bus}),
		Counts: session.NewCounts(session.CountsConfig{Bus: bus, Presence: bus, Logger: log}),
	})
	cfg := socket.Config{Sessions: e.registry, Logger: log, Portable: portableOnly}
	if change != nil {
		change(&cfg)
	}
	e.server = socket.NewServer(cfg)
	e.metrics = prometheus.NewPedanticRegistry()
	e.metrics.MustRegister(e.server.Collectors()...)
	return e
}

// onLoopback serves the edge on a TCP address until the test ends.
func onLoopback(t testing.TB, change func(*socket.Config)) *edge {
	t.Helper()
	e := newEdge(t, change)
	stop := e.run()
	server := httptest.NewServer(e.server)
	e.url = "ws" + strings.TrimPrefix(server.URL, "http")
	e.dial = new(net.Dialer).DialContext
	t.Cleanup(func() {
		e.shutdown()
		server.Close()
		stop()
	})
	return e
}

// inMemory serves the edge over pipes, so that it can run under a clock of the test's own.
func inMemory(t testing.TB, change func(*socket.Config)) *edge {
	t.Helper()
	e := newEdge(t, func(cfg *socket.Config) {
		cfg.Portable = true // A pipe has no descriptor.
		if change != nil {
			change(cfg)
		}
	})
	listener := pipenet.Listen()
	server := &http.Server{Handler: e.server, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	e.url = "ws://edge.test"
	e.dial = listener.Dial
	t.Cleanup(func() {
		e.shutdown()
		_ = server.Close()
		serving.Wait()
	})
	return e
}

// run runs the server until the returned function is called.
func (e *edge) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := e.server.Run(ctx); err != nil {
			e.t.Errorf("run: %v", err)
		}
	})
	return func() { cancel(); running.Wait() }
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
	for _, app := range []string{"1", "2", "4"} {
		if list, err := e.presence.Channels(ctx, app, ""); err != nil || len(list) != 0 {
			e.t.Errorf("channels of app %s are still occupied: %v, %v", app, list, err)
		}
		if n := e.registry.Total(); n != 0 {
			e.t.Errorf("%d connections of app %s are still counted", n, app)
		}
	}
	e.wantMetric("peal_connections", 0)
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

func (e *edge) wantClosed(code string, want float64) {
	e.t.Helper()
	text := fmt.Sprintf("# HELP peal_connections_closed_total Sockets that this edge refused or closed, by close code.\n"+
		"# TYPE peal_connections_closed_total counter\npeal_connections_closed_total{code=%q} %v\n", code, want)
	if err := testutil.GatherAndCompare(e.metrics, strings.NewReader(text), "peal_connections_closed_total"); err != nil {
		e.t.Error(err)
	}
}

// deliver hands a frame to the subscribers of app 1's channel "there", as the bus does.
func (e *edge) deliver(frame string) { e.deliverTo("there", frame) }

func (e *edge) deliverTo(channel, frame string) {
	e.hub.Deliver(channels.Message{Topic: channels.Topic{App: "1", Channel: channel}, Frame: []byte(frame)})
}

// until waits until something has come true.
func (e *edge) until(what string, is func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("not in time: %s", what)
		}
	}
}

// client is a WebSocket client.
type client struct {
	t    testing.TB
	conn *websocket.Conn
	id   string
}

// connect opens a socket and returns when it was let in or refused; it does not read.
func (e *edge) connect(path string, subprotocols ...string) *client {
	e.t.Helper()
	transport := &http.Transport{DialContext: e.dial}
	conn, resp, err := websocket.Dial(context.Background(), e.url+path, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: transport},
		HTTPHeader:   http.Header{"Origin": {"https://any.example"}},
		Subprotocols: subprotocols,
	})
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		e.t.Fatalf("dial %s: %v", path, err)
	}
	conn.SetReadLimit(1 << 20)
	e.t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: e.t, conn: conn}
}

// join opens a socket of app 1, reads its id and subscribes to channels.
func (e *edge) join(names ...string) *client {
	e.t.Helper()
	c := e.connect("/app/key?protocol=7")
	c.hello()
	for _, name := range names {
		c.send(`{"event":"pusher:subscribe","data":{"channel":"` + name + `"}}`)
		c.want(`{"event":"pusher_internal:subscription_succeeded","channel":"` + name + `","data":"{}"}`)
	}
	return c
}

func (c *client) hello() {
	c.t.Helper()
	var frame struct{ Event, Data string }
	var data struct {
		SocketID string `json:"socket_id"`
	}
	text := c.read()
	if err := errors.Join(json.Unmarshal([]byte(text), &frame), json.Unmarshal([]byte(frame.Data), &data)); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	if c.id = data.SocketID; frame.Event != "pusher:connection_established" || c.id == "" {
		c.t.Fatalf("the first frame is %s", text)
	}
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// next returns the next frame or the error that ended the connection.
func (c *client) next() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour) // the test's own timeout comes first
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	return string(text), err
}

func (c *client) read() string {
	c.t.Helper()
	text, err := c.next()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return text
}

func (c *client) want(frame string) {
	c.t.Helper()
	if got := c.read(); got != frame {
		c.t.Fatalf("got %s, want %s", got, frame)
	}
}

// ping expects that the socket lives and that nothing else is on its way.
func (c *client) ping() {
	c.t.Helper()
	c.send(`{"event":"pusher:ping"}`)
	c.want(`{"event":"pusher:pong","data":"{}"}`)
}

// wantEnd expects an error frame and then a close frame, both with this code and text.
func (c *client) wantEnd(code int, text string) {
	c.t.Helper()
	c.want(fmt.Sprintf(`{"event":"pusher:error","data":{"code":%d,"message":%q}}`, code, text))
	c.wantClose(code, text)
}

func (c *client) wantClose(code int, text string) {
	c.t.Helper()
	got, err := c.next()
	var end websocket.CloseError
	if !errors.As(err, &end) || int(end.Code) != code || end.Reason != text {
		c.t.Fatalf("got %q, %v, want the close code %d %q", got, err, code, text)
	}
}
