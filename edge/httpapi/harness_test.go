package httpapi_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/httpapi"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

// apps is a fixed set of apps. Some ids, and the keys named for them, cannot be looked up, fail, or make the look-up panic.
type apps map[string]*tenants.App

func (a apps) ByID(_ context.Context, id string) (*tenants.App, error) {
	switch id {
	case "503":
		return nil, fmt.Errorf("app %s: %w", id, tenants.ErrUnavailable)
	case "500":
		return nil, errors.New("a secret about the inside")
	case "666":
		panic("a secret about the inside")
	}
	if app, ok := a[id]; ok {
		return app, nil
	}
	return nil, fmt.Errorf("app %s: %w", id, tenants.ErrNotFound)
}

func (a apps) ByKey(ctx context.Context, key string) (*tenants.App, error) {
	for _, app := range a {
		if _, ok := app.Key(key); ok {
			return app, nil
		}
	}
	return a.ByID(ctx, strings.TrimPrefix(key, "key"))
}

// workedKey is the key of the protocol's worked examples, which are of app 3.
const workedKey = "278d425bdf160c739803"

// newApps returns the apps that an [api] has. Each has two keys that open it, and one that does no longer.
func newApps() apps {
	known := apps{}
	for id, set := range map[string]func(*tenants.App){
		"3": func(*tenants.App) {},
		"4": func(a *tenants.App) { a.Enabled = false },
		"6": func(a *tenants.App) { a.Features.TLSOnly = true },
		"7": func(a *tenants.App) { a.Features.SubscriptionCount = true },
		"8": func(a *tenants.App) { a.Limits.MessagesPerSecond = 2 },
	} {
		known[id] = &tenants.App{
			ID: id, Enabled: true, Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits(),
			Keys: []tenants.Key{
				{Public: "key" + id, AppID: id, Secret: tenants.NewSecret("secret" + id), Scopes: tenants.ScopeAll, State: tenants.KeyActive},
				{Public: "second" + id, AppID: id, Secret: tenants.NewSecret("other" + id), Scopes: tenants.ScopeAll, State: tenants.KeyActive},
				{Public: "revoked" + id, AppID: id, Secret: tenants.NewSecret("old" + id), State: tenants.KeyRevoked},
			},
		}
		set(known[id])
	}
	known["3"].Keys = append(known["3"].Keys, tenants.Key{
		Public: workedKey, AppID: "3", Secret: tenants.NewSecret("7ad3773142a6692b25b8"), Scopes: tenants.ScopeAll, State: tenants.KeyActive,
	})
	for set := range tenants.KeyScopes(8) { // and one key for each set of scopes
		known["3"].Keys = append(known["3"].Keys, tenants.Key{
			Public: "scoped" + strings.ReplaceAll(set.String(), ", ", "-"), AppID: "3", Secret: tenants.NewSecret("scoped"), Scopes: set, State: tenants.KeyActive,
		})
	}
	return known
}

// bus is a real bus that also notes what is published, until it is told to fail.
type bus struct {
	*channels.MemoryBus

	mu       sync.Mutex
	messages []channels.Message // guarded by mu
	err      error              // guarded by mu; what everything returns
	presence error              // guarded by mu; what every question about who is there returns
	after    func()             // guarded by mu; called in a publish
	deaf     bool               // guarded by mu; publishes once, but cannot say so
}

func (b *bus) Publish(ctx context.Context, messages ...channels.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.messages = append(b.messages, messages...)
	if b.after != nil {
		b.after()
	}
	return b.MemoryBus.Publish(ctx, messages...)
}

func (b *bus) PublishOnce(ctx context.Context, app string, parcels ...channels.Parcel) ([]channels.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	receipts, err := b.MemoryBus.PublishOnce(ctx, app, parcels...)
	for i, r := range receipts {
		if !r.Repeated {
			b.messages = append(b.messages, parcels[i].Messages...)
		}
	}
	if b.after != nil {
		b.after()
	}
	if b.deaf {
		return nil, channels.ErrUnavailable
	}
	return receipts, err
}

// frames returns what was published since the last call.
func (b *bus) frames() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var frames []string
	for _, m := range b.messages {
		frame := string(m.Frame)
		if m.Except != "" {
			frame += " except " + m.Except
		}
		if m.Terminate {
			frame = "terminate " + m.Topic.App + " " + m.Topic.Channel
		}
		frames = append(frames, frame)
	}
	b.messages = nil
	return frames
}

func (b *bus) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.presence = err, err
}

func (b *bus) failPresence(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.presence = err
}

func (b *bus) away() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.presence
}

func (b *bus) Channel(ctx context.Context, topic channels.Topic) (channels.Occupancy, error) {
	if err := b.away(); err != nil {
		return channels.Occupancy{}, err
	}
	return b.MemoryBus.Channel(ctx, topic)
}

func (b *bus) Occupancies(ctx context.Context, app string, names []string) ([]channels.Occupancy, error) {
	if err := b.away(); err != nil {
		return nil, err
	}
	return b.MemoryBus.Occupancies(ctx, app, names)
}

func (b *bus) Channels(ctx context.Context, app, prefix string) ([]channels.Occupancy, error) {
	if err := b.away(); err != nil {
		return nil, err
	}
	return b.MemoryBus.Channels(ctx, app, prefix)
}

func (b *bus) Members(ctx context.Context, topic channels.Topic) ([]channels.Member, error) {
	if err := b.away(); err != nil {
		return nil, err
	}
	return b.MemoryBus.Members(ctx, topic)
}

func (b *bus) Kept(ctx context.Context, topic channels.Topic) (channels.Kept, error) {
	if err := b.away(); err != nil {
		return channels.Kept{}, err
	}
	return b.MemoryBus.Kept(ctx, topic)
}

// api is an API whose every answer is held against its description.
type api struct {
	*httpapi.Server
	t      testing.TB
	prefix string
	bus    *bus
	log    *lockedLog
}

// lockedLog is a log that several requests write to.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newAPI(t testing.TB, prefix string) *api {
	t.Helper()
	a := &api{t: t, prefix: prefix, bus: &bus{MemoryBus: channels.NewMemoryBus(channels.MemoryConfig{})}, log: &lockedLog{}}
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan struct{})
	var runs sync.WaitGroup
	runs.Go(func() {
		topic := channels.Topic{App: "ready", Channel: "ready"}
		_ = a.bus.Subscribe(ctx, topic, channels.Log{})
		runs.Go(func() { // until it runs, it takes nothing
			for a.bus.MemoryBus.Publish(ctx, channels.Message{Topic: topic}) != nil && ctx.Err() == nil {
				time.Sleep(time.Microsecond)
			}
			close(running)
		})
		_ = a.bus.Run(ctx, func(channels.Message) {})
	})
	t.Cleanup(func() { cancel(); runs.Wait() })
	<-running
	a.serve(a.bus)
	return a
}

// serve makes the server anew, over another presence.
func (a *api) serve(presence channels.Presence) {
	a.Server = httpapi.NewServer(httpapi.Config{
		Apps:       newApps(),
		Publisher:  publish.New(publish.Config{Bus: a.bus, Limiter: limits.NewLimiter(limits.NewMemoryRates(), nil)}),
		Presence:   presence,
		Logger:     slog.New(slog.NewTextHandler(a.log, nil)),
		PathPrefix: a.prefix,
	})
}

// ServeHTTP answers, and holds the answer against the description of the API.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.t.Helper()
	a.Server.ServeHTTP(w, r)
	if recorded, ok := w.(*httptest.ResponseRecorder); ok {
		checkContract(a.t, a.prefix, r, recorded)
	}
}

// in returns the same API, which reports to another test.
func (a *api) in(t testing.TB) *api {
	same := *a
	same.t = t
	return &same
}

// join puts a socket on a channel of an app, as a member where it is told which.
func (a *api) join(app, channel, socket, member string) {
	a.t.Helper()
	arrival := channels.Arrival{Topic: channels.Topic{App: app, Channel: channel}, Socket: socket, MaxMembers: 100}
	if member != "" {
		arrival.Member = &channels.Member{ID: member, Info: "{}"}
	}
	if _, err := a.bus.Join(context.Background(), arrival); err != nil {
		a.t.Fatal(err)
	}
}

// sign returns the query with what a server library adds to it. The parameters are sent as they are, and signed decoded.
func sign(method, path, params, body, key, secret string, now time.Time) string {
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0", key, now.Unix())
	if body != "" {
		sum := md5.Sum([]byte(body))
		query += "&body_md5=" + hex.EncodeToString(sum[:])
	}
	text := query
	if params != "" { // whose names all come after those above, and are in order
		decoded, err := url.QueryUnescape(params)
		if err != nil {
			decoded = params
		}
		text += "&" + decoded
		query += "&" + params
	}
	return query + "&auth_signature=" + signature(secret, method+"\n"+path+"\n"+text)
}

func signature(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

// signedQuery signs a request without parameters of its own.
func signedQuery(method, path, body, key, secret string, now time.Time) string {
	return sign(method, path, "", body, key, secret, now)
}

func request(method, path, query, body string) *http.Request {
	return httptest.NewRequest(method, path+"?"+query, strings.NewReader(body))
}

// ask sends a request that is signed with the key of the app that its path names, or else of app 3.
func (a *api) ask(method, path, params, body string) *httptest.ResponseRecorder {
	a.t.Helper()
	app := "3"
	if rest, ok := strings.CutPrefix(path, "/apps/"); ok {
		app, _, _ = strings.Cut(rest, "/")
	}
	w := httptest.NewRecorder()
	query := sign(method, path, params, body, "key"+app, "secret"+app, time.Now())
	a.ServeHTTP(w, request(method, a.prefix+path, query, body))
	return w
}

func (a *api) post(path, body string) *httptest.ResponseRecorder {
	a.t.Helper()
	return a.ask("POST", path, "", body)
}

func (a *api) get(path, params string) *httptest.ResponseRecorder {
	a.t.Helper()
	return a.ask("GET", path, params, "")
}

// checkAnswer expects a JSON answer.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, body string) {
	t.Helper()
	if w.Code != 200 || w.Body.String() != body || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %q %v, want %s", w.Code, w.Body, w.Header(), body)
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a browser would be let in: %s", name)
		}
	}
}

// checkRefusal expects one line of plain text that begins as told.
func checkRefusal(t *testing.T, w *httptest.ResponseRecorder, status int, text string) {
	t.Helper()
	body := w.Body.String()
	if w.Code != status || !strings.HasPrefix(body, text) || strings.Index(body, "\n") != len(body)-1 {
		t.Errorf("%d %q, want %d %q", w.Code, body, status, text)
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("no request id")
	}
	if again := w.Header().Get("Retry-After"); (again != "") != (status == 503 || status == 429) {
		t.Errorf("Retry-After: %q", again)
	}
	for _, secret := range []string{"secret3", "other3", "a secret about the inside"} {
		if strings.Contains(body, secret) {
			t.Errorf("the answer holds %q: %s", secret, body)
		}
	}
}
