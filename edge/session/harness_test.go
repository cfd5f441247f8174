package session_test

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/tenants"
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
}

func (b *fragileBus) Subscribe(ctx context.Context, topic channels.Topic) error {
	if b.broken.Load() {
		return channels.ErrUnavailable
	}
	return b.MemoryBus.Subscribe(ctx, topic)
}

func (b *fragileBus) Publish(ctx context.Context, messages ...channels.Message) error {
	if b.broken.Load() {
		return channels.ErrUnavailable
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
	registry  *session.Registry
}

func newEdge(t testing.TB) *edge {
	t.Helper()
	e := &edge{
		t:    t,
		apps: &apps{byKey: map[string]*tenants.App{}},
		bus:  &fragileBus{MemoryBus: channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})},
		app: &tenants.App{
			ID: "1", Enabled: true, Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits(),
			Keys: []tenants.Key{{Public: demoKey, Secret: tenants.NewSecret(demoSecret), State: tenants.KeyActive}},
		},
	}
	e.app.Limits.ChannelsPerSocket = 3
	e.apps.set(e.app)
	e.hub = channels.NewHub(e.bus)
	log := slog.New(slog.DiscardHandler)
	e.publisher = publish.New(publish.Config{Bus: e.bus, Limiter: tenants.NewLimiter()})
	counts := session.NewCounts(session.CountsConfig{Bus: e.bus, Presence: e.bus, Logger: log})
	e.registry = session.NewRegistry(session.RegistryConfig{
		Apps: e.apps, Hub: e.hub, Presence: e.bus, Publisher: e.publisher, Counts: counts, Logger: log,
	})
	e.run(func(ctx context.Context) error { return e.bus.Run(ctx, e.hub.Deliver) })
	e.run(counts.Run)
	return e
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
