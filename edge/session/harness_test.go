package session_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

// The key of the protocol's test vectors.
const (
	demoKey    = "278d425bdf160c739803"
	demoSecret = "7ad3773142a6692b25b8"
)

// carrier is a socket that keeps what it is sent.
type carrier struct {
	id     string
	mu     sync.Mutex
	frames []string        // guarded by mu
	end    *session.Ending // guarded by mu; the first that came
}

func (c *carrier) ID() string { return c.id }

func (c *carrier) Send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames = append(c.frames, string(frame))
}

func (c *carrier) Tell(frame []byte) { c.Send(frame) }

func (c *carrier) End(end *session.Ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == nil {
		c.end = end
	}
}

func (c *carrier) Terminate() { c.End(session.Terminated()) }

// ended returns why the conversation was ended, or nil.
func (c *carrier) ended() *session.Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// take returns what was sent since the last call.
func (c *carrier) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.frames
	c.frames = nil
	return frames
}

// fragileBus is a memory bus that promises nothing when it is broken.
type fragileBus struct {
	*channels.MemoryBus
	broken atomic.Bool
	logs   sync.Map // the last channels.Log that it was told, by what it was told with and the channel
}

func (b *fragileBus) Subscribe(ctx context.Context, topic channels.Topic, log channels.Log) error {
	if b.broken.Load() {
		return channels.ErrUnavailable
	}
	b.logs.Store("subscribe "+topic.Channel, log)
	return b.MemoryBus.Subscribe(ctx, topic, log)
}

func (b *fragileBus) Join(ctx context.Context, a channels.Arrival) (channels.Welcome, error) {
	if b.broken.Load() {
		return channels.Welcome{}, channels.ErrUnavailable
	}
	b.logs.Store("join "+a.Topic.Channel, a.Log)
	return b.MemoryBus.Join(ctx, a)
}

func (b *fragileBus) Publish(ctx context.Context, messages ...channels.Message) error {
	if b.broken.Load() {
		return channels.ErrUnavailable
	}
	for _, m := range messages {
		b.logs.Store("publish "+m.Topic.Channel, m.Log)
	}
	return b.MemoryBus.Publish(ctx, messages...)
}

// apps is what there is of apps, by key.
type apps struct {
	mu    sync.Mutex
	byKey map[string]*tenants.App // guarded by mu
}

func (a *apps) set(app *tenants.App) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, old := range a.byKey {
		if old.ID == app.ID {
			delete(a.byKey, key)
		}
	}
	for _, k := range app.Keys {
		a.byKey[k.Public] = app
	}
}

func (a *apps) ByKey(_ context.Context, public string) (*tenants.App, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if app := a.byKey[public]; app != nil {
		return app, nil
	}
	return nil, tenants.ErrNotFound
}

// edge is a registry with all that it stands on. Its app allows three channels to a socket.
type edge struct {
	t         testing.TB
	app       *tenants.App
	apps      *apps
	bus       *fragileBus
	hub       *channels.Hub
	publisher *publish.Publisher
	counts    *session.Counts
	registry  *session.Registry
	share     func(int) int     // for registryWith
	current   func(string) bool // for registryWith
}

func newEdge(t testing.TB) *edge {
	t.Helper()
	e := &edge{
		t:    t,
		apps: &apps{byKey: map[string]*tenants.App{}},
		bus:  &fragileBus{MemoryBus: channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})},
		app: &tenants.App{
			ID: "1", Enabled: true, Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits(),
			Keys: []tenants.Key{{Public: demoKey, Secret: tenants.NewSecret(demoSecret), Scopes: tenants.ScopeAll, State: tenants.KeyActive}},
		},
	}
	e.app.Limits.ChannelsPerSocket = 3
	e.apps.set(e.app)
	e.hub = channels.NewHub(e.bus)
	log := slog.New(slog.DiscardHandler)
	e.publisher = publish.New(publish.Config{Bus: e.bus, Limiter: limits.NewLimiter(limits.NewMemoryRates(), nil)})
	e.counts = session.NewCounts(session.CountsConfig{Bus: e.bus, Presence: e.bus, Logger: log})
	e.registry = e.registryWith(nil)
	e.run(func(ctx context.Context) error { return e.bus.Run(ctx, e.hub.Deliver) })
	e.run(e.counts.Run)
	// Run has no other way to say that it is ready.
	ready := channels.Message{Topic: channels.Topic{App: "0", Channel: "ready"}}
	for e.bus.Publish(context.Background(), ready) != nil {
		time.Sleep(time.Millisecond)
	}
	return e
}

// registryWith returns a registry of its own on the same edge, with this bound on arrivals.
func (e *edge) registryWith(a *session.Arrivals) *session.Registry {
	return session.NewRegistry(session.RegistryConfig{
		Apps: e.apps, Hub: e.hub, Presence: e.bus, Publisher: e.publisher, Counts: e.counts, Arrivals: a,
		Limiter: limits.NewLimiter(limits.NewMemoryRates(), nil), Share: e.share, Current: e.current,
		Logger: slog.New(slog.DiscardHandler),
	})
}

// run runs f until the test ends.
func (e *edge) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f(ctx); err != nil {
			e.t.Errorf("run: %v", err)
		}
	})
	e.t.Cleanup(func() { cancel(); wg.Wait() })
}

// connect opens a conversation with a client of this name, and leaves what it was greeted with for take.
func (e *edge) connect(client string) (*session.Session, *carrier) {
	e.t.Helper()
	c := &carrier{id: session.NewSocketID()}
	g, end := e.registry.Admit(context.Background(), session.Visitor{Key: demoKey, Query: url.Values{"client": {client}}})
	if end != nil {
		e.t.Fatalf("not admitted: %v", end)
	}
	s := e.registry.New(g, c)
	if end := s.Open(context.Background()); end != nil {
		e.t.Fatalf("not opened: %v", end)
	}
	e.t.Cleanup(func() { s.Close(context.Background()) })
	return s, c
}

// open is connect for who does not care how it is greeted.
func (e *edge) open(client string) (*session.Session, *carrier) {
	e.t.Helper()
	s, c := e.connect(client)
	c.take()
	return s, c
}

// signed returns the auth of a text by the demo key: "socket:channel", with channel data where there is some.
func signed(text ...string) string {
	m := hmac.New(sha256.New, []byte(demoSecret))
	m.Write([]byte(strings.Join(text, ":")))
	return demoKey + ":" + hex.EncodeToString(m.Sum(nil))
}

// frameOf returns a client's frame with this data.
func frameOf(event string, data map[string]string) []byte {
	text, err := json.Marshal(map[string]any{"event": event, "data": data})
	if err != nil {
		panic(err)
	}
	return text
}

// join subscribes to a channel that needs the customer's signature, with channel data where it is not empty.
func (c *carrier) join(t testing.TB, s *session.Session, channel, channelData string) {
	t.Helper()
	data := map[string]string{"channel": channel, "auth": signed(c.id, channel)}
	if channelData != "" {
		data["channel_data"], data["auth"] = channelData, signed(c.id, channel, channelData)
	}
	s.Handle(t.Context(), frameOf("pusher:subscribe", data))
}

// member is the channel data of a user without info.
func member(id string) string { return `{"user_id":"` + id + `"}` }

// signIn signs in with this user data.
func (c *carrier) signIn(t testing.TB, s *session.Session, userData string) {
	t.Helper()
	s.Handle(t.Context(), frameOf("pusher:signin", map[string]string{
		"user_data": userData, "auth": signed(c.id, ":user:", userData),
	}))
}

// expect compares what a socket was sent since the last call.
func (c *carrier) expect(t testing.TB, what string, want ...string) {
	t.Helper()
	if got := c.take(); !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// publish publishes as the app's server.
func (e *edge) publish(channel, name, data string) {
	e.t.Helper()
	err := e.publisher.Publish(context.Background(), e.app, publish.Event{Channels: []string{channel}, Name: name, Data: data})
	if err != nil {
		e.t.Errorf("publish: %v", err)
	}
}

// plain is a pusher:error frame without a code.
func plain(message string) string { return string(pusher.Error(0, message)) }

// refused is how a subscription is refused for most clients.
func refused(channel, kind, message string, status int) []string {
	return []string{
		string(pusher.SubscriptionError(pusher.EventSubscriptionError, channel, kind, message, status)), plain(message),
	}
}
