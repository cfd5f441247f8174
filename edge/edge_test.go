// Package edge_test drives the doors of the edge together: what enters by one leaves by another.
package edge_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	pusherhttp "github.com/pusher/pusher-http-go/v5"
	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/fallback"
	"github.com/pealhq/peal/edge/httpapi"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/rpc"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/edge/socket"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apps is a fixed set of apps.
type apps map[string]*tenants.App

func (a apps) ByID(_ context.Context, id string) (*tenants.App, error) {
	if app, ok := a[id]; ok {
		return app, nil
	}
	return nil, tenants.ErrNotFound
}

func (a apps) ByKey(_ context.Context, public string) (*tenants.App, error) {
	for _, app := range a {
		if _, ok := app.Key(public); ok {
			return app, nil
		}
	}
	return nil, tenants.ErrNotFound
}

// edge is a whole edge on the loopback with two apps.
type edge struct {
	app     *tenants.App
	other   *tenants.App
	sockets *socket.Server
	http    *httptest.Server
	meter   *usage.Meter
	counted *counted
}

func newApp(id string) *tenants.App {
	return &tenants.App{ID: id, Enabled: true, Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits(), Keys: []tenants.Key{tenants.NewKey(id)}}
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	app, other := newApp("1001"), newApp("1002")
	known := apps{app.ID: app, other.ID: other}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	bus := channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})
	hub := channels.NewHub(bus)
	run(t, func(ctx context.Context) error { return bus.Run(ctx, hub.Deliver) })
	// Run has no other way to say that it is ready.
	for bus.Publish(t.Context(), channels.Message{Topic: channels.Topic{App: "0", Channel: "ready"}}) != nil {
		time.Sleep(time.Millisecond)
	}
	counted := &counted{}
	meter := usage.NewMeter(usage.Config{Sink: counted, Logger: log})
	limiter := limits.NewLimiter(limits.NewMemoryRates(), limits.NewDays(limits.DaysConfig{Ledger: new(limits.MemoryLedger), Book: noBook{}}))
	publisher := publish.New(publish.Config{Bus: bus, Usage: meter, Limiter: limiter})
	sessions := session.NewRegistry(session.RegistryConfig{
		Apps: known, Hub: hub, Presence: bus, Publisher: publisher, Logger: log, Usage: meter, Limiter: limiter,
		Counts: session.NewCounts(session.CountsConfig{Bus: bus, Presence: bus, Logger: log}),
	})
	e := &edge{app: app, other: other, meter: meter, counted: counted, sockets: socket.NewServer(socket.Config{Sessions: sessions, Logger: log})}
	run(t, e.sockets.Run)
	api := httpapi.NewServer(httpapi.Config{Apps: known, Logger: log, Publisher: publisher, Presence: bus, Usage: meter})
	calls := rpc.New(rpc.Config{Apps: known, Logger: log, Publisher: publisher, Presence: bus, Usage: meter})
	fallbacks := fallback.NewServer(fallback.Config{Sessions: sessions, Logger: log})
	e.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case socket.IsUpgrade(r):
			e.sockets.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, rpc.Path):
			calls.ServeHTTP(w, r)
		case fallbacks.Serves(r.URL.EscapedPath()):
			fallbacks.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(e.sockets.Shutdown(ctx), fallbacks.Shutdown(ctx)); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		e.http.Close()
	})
	return e
}

// run runs f until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// official is the official Go server library, pointed at the edge.
func (e *edge) official(app *tenants.App) *pusherhttp.Client {
	return &pusherhttp.Client{
		AppID:      app.ID,
		Key:        app.Keys[0].Public,
		Secret:     app.Keys[0].Secret.Reveal(),
		Host:       strings.TrimPrefix(e.http.URL, "http://"),
		HTTPClient: e.http.Client(),
	}
}

// frame is what a client reads.
type frame struct {
	Event   string `json:"event"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// client is a plain WebSocket client that has shaken hands.
type client struct {
	t        *testing.T
	conn     *websocket.Conn
	socketID string
}

func (e *edge) connect(t *testing.T, app *tenants.App) *client {
	t.Helper()
	url := "ws" + strings.TrimPrefix(e.http.URL, "http") + "/app/" + app.Keys[0].Public + "?protocol=7&client=js"
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: e.http.Client()})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	c := &client{t: t, conn: conn}
	hello := c.read()
	if hello.Event != "pusher:connection_established" {
		t.Fatalf("first frame: %+v", hello)
	}
	var data struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(hello.Data), &data); err != nil {
		t.Fatal(err)
	}
	c.socketID = data.SocketID
	return c
}

func (c *client) read() frame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	var f frame
	if err := json.Unmarshal(text, &f); err != nil {
		c.t.Fatalf("frame %s: %v", text, err)
	}
	return f
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) subscribe(channel string) {
	c.t.Helper()
	c.send(`{"event":"pusher:subscribe","data":{"auth":"","channel":"` + channel + `"}}`)
	if f := c.read(); f.Event != "pusher_internal:subscription_succeeded" || f.Channel != channel || f.Data != "{}" {
		c.t.Fatalf("answer to subscribe: %+v", f)
	}
}

// ping returns the frames that came before the answer to a ping.
func (c *client) ping() []frame {
	c.t.Helper()
	c.send(`{"event":"pusher:ping","data":{}}`)
	var before []frame
	for {
		f := c.read()
		if f.Event == "pusher:pong" {
			return before
		}
		before = append(before, f)
	}
}

func TestOfficialLibraryPublishes(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	c := e.connect(t, e.app)
	c.subscribe("my-channel")
	library := e.official(e.app)

	if err := library.Trigger("my-channel", "my-event", map[string]string{"hello": "<wörld> & ☃"}); err != nil {
		t.Fatal(err)
	}
	want := frame{"my-event", "my-channel", `{"hello":"\u003cwörld\u003e \u0026 ☃"}`} // the library escapes it so
	if got := c.read(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	list, err := library.TriggerWithParams("my-channel", "raw", "text & more", pusherhttp.TriggerParams{SocketID: &c.socketID})
	if err != nil || list == nil {
		t.Fatalf("trigger with socket_id: %v, %v", list, err)
	}
	if got := c.ping(); len(got) != 0 {
		t.Errorf("the excluded socket got %+v", got)
	}

	batch, err := library.TriggerBatch([]pusherhttp.Event{
		{Channel: "my-channel", Name: "one", Data: "1"},
		{Channel: "elsewhere", Name: "two", Data: "2"},
		{Channel: "my-channel", Name: "three", Data: ""},
	})
	if err != nil || batch == nil {
		t.Fatalf("batch: %v, %v", batch, err)
	}
	got := c.ping()
	if len(got) != 2 || got[0] != (frame{"one", "my-channel", "1"}) || got[1] != (frame{"three", "my-channel", ""}) {
		t.Errorf("batch delivered %+v", got)
	}

	library.Secret = "wrong"
	if err := library.Trigger("my-channel", "x", "y"); err == nil || !strings.Contains(err.Error(), "Status Code: 401 - Invalid signature: you should have sent HmacSHA256Hex(\"POST\\n/apps/1001/events\\n") {
		t.Errorf("wrong secret: %v", err)
	}
}

// TestInOrderExactlyOnce publishes 1,000 events, one by one and in batches, to 20 sockets on two channels.
func TestInOrderExactlyOnce(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const sockets, events = 20, 1000
	var readers sync.WaitGroup
	for range sockets {
		c := e.connect(t, e.app)
		c.subscribe("a")
		c.subscribe("b")
		readers.Go(func() {
			for i := range events {
				want := frame{"e", []string{"a", "b"}[i%2], strconv.Itoa(i)}
				if got := c.read(); got != want {
					t.Errorf("got %+v, want %+v", got, want)
					return
				}
			}
			if more := c.ping(); len(more) != 0 {
				t.Errorf("and then %+v", more)
			}
		})
	}
	library := e.official(e.app)
	for i := 0; i < events; {
		if i%20 == 0 {
			batch := make([]pusherhttp.Event, 10)
			for j := range batch {
				batch[j] = pusherhttp.Event{Channel: []string{"a", "b"}[i%2], Name: "e", Data: strconv.Itoa(i)}
				i++
			}
			if _, err := library.TriggerBatch(batch); err != nil {
				t.Error(err)
			}
			continue
		}
		if err := library.Trigger([]string{"a", "b"}[i%2], "e", strconv.Itoa(i)); err != nil {
			t.Error(err)
		}
		i++
	}
	readers.Wait()
}

// TestAppsAreApart publishes to one name in two apps.
func TestAppsAreApart(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	ours, theirs := e.connect(t, e.app), e.connect(t, e.other)
	ours.subscribe("news")
	theirs.subscribe("news")
	if err := e.official(e.app).Trigger("news", "e", "ours"); err != nil {
		t.Fatal(err)
	}
	if err := e.official(e.other).Trigger("news", "e", "theirs"); err != nil {
		t.Fatal(err)
	}
	if got := ours.ping(); len(got) != 1 || got[0].Data != "ours" {
		t.Errorf("ours heard %+v", got)
	}
	if got := theirs.ping(); len(got) != 1 || got[0].Data != "theirs" {
		t.Errorf("theirs heard %+v", got)
	}
	// A key opens its own app only, on either door.
	thief := e.official(e.other)
	thief.AppID = e.app.ID
	if err := thief.Trigger("news", "e", "forged"); err == nil || !strings.Contains(err.Error(), "401 - Unknown auth_key") {
		t.Errorf("another app's key: %v", err)
	}
}

// noBook has nothing written down: the ledger of these tests forgets nothing.
type noBook struct{}

func (noBook) Used(context.Context, string, limits.Day) (int, error) { return 0, nil }

func (noBook) Write(context.Context, limits.Day, []limits.Entry) error { return nil }
