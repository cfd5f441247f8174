package rpc_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/rpc"
	publishv1 "github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1"
	"github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1/publishv1connect"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type apps map[string]*tenants.App

func (a apps) ByKey(_ context.Context, public string) (*tenants.App, error) {
	if public == "away" {
		return nil, tenants.ErrUnavailable
	}
	if app, ok := a[public]; ok {
		return app, nil
	}
	return nil, tenants.ErrNotFound
}

// listener is a socket that keeps what it hears.
type listener struct {
	mu    sync.Mutex
	heard []string // guarded by mu
}

func (*listener) ID() string { return "1.2" }

func (l *listener) Send(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, string(frame))
}

func (l *listener) Terminate() { l.Send([]byte("terminated")) }

func (l *listener) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// edge is a publish RPC with all that it stands on. The app 1 has the key "key" and the secret "secret", and may
// publish five messages a second where limited is set.
type edge struct {
	t    *testing.T
	app  *tenants.App
	bus  *channels.MemoryBus
	hub  *channels.Hub
	http *httptest.Server
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	return newEdgeOn(t, channels.MemoryConfig{})
}

func newEdgeOn(t *testing.T, cfg channels.MemoryConfig) *edge {
	t.Helper()
	newApp := func(id, key string, enabled bool) *tenants.App {
		return &tenants.App{
			ID: id, Enabled: enabled, Limits: tenants.DefaultLimits(),
			Keys: []tenants.Key{{Public: key, Secret: tenants.NewSecret("secret"), Scopes: tenants.ScopeAll, State: tenants.KeyActive}},
		}
	}
	e := &edge{t: t, app: newApp("1", "key", true), bus: channels.NewMemoryBus(cfg)}
	e.hub = channels.NewHub(e.bus)
	known := apps{"key": e.app, "disabled": newApp("2", "disabled", false), "other": newApp("3", "other", true)}
	for set := range tenants.KeyScopes(8) { // and one key for each set of scopes
		k := tenants.Key{
			Public: "scoped" + strings.ReplaceAll(set.String(), ", ", "-"), Secret: tenants.NewSecret("secret"), Scopes: set, State: tenants.KeyActive,
		}
		e.app.Keys = append(e.app.Keys, k)
		known[k.Public] = e.app
	}
	server := rpc.New(rpc.Config{
		Apps:      known,
		Publisher: publish.New(publish.Config{Bus: e.bus, Limiter: limits.NewLimiter(limits.NewMemoryRates(), nil)}),
		Presence:  e.bus, Logger: slog.New(slog.DiscardHandler),
	})
	e.http = httptest.NewUnstartedServer(server)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	e.http.Config.Protocols = &protocols
	e.http.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = e.bus.Run(ctx, e.hub.Deliver) })
	t.Cleanup(func() { e.http.Close(); cancel(); running.Wait() })
	// Run has no other way to say that it is ready.
	for e.bus.Publish(ctx, channels.Message{Topic: channels.Topic{App: "0", Channel: "ready"}}) != nil {
		time.Sleep(time.Millisecond)
	}
	return e
}

// as returns an option that sends these credentials with every call.
func as(key, secret string) connect.Option {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if key != "" {
				req.Header().Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(key+":"+secret)))
			}
			return next(ctx, req)
		}
	}))
}

func (e *edge) client(opts ...connect.ClientOption) publishv1connect.PublishServiceClient {
	return publishv1connect.NewPublishServiceClient(e.http.Client(), e.http.URL, opts...)
}

// listen subscribes to a topic of the app until the test ends.
func (e *edge) listen(topic channels.Topic, member *channels.Member) *listener {
	e.t.Helper()
	l := &listener{}
	_, err := e.hub.Subscribe(e.t.Context(), topic, channels.Log{}, l, func() (channels.Greeting, error) {
		w, err := e.bus.Join(e.t.Context(), channels.Arrival{Topic: topic, Socket: l.ID(), Member: member, MaxMembers: 100})
		return channels.Greeting{Offset: w.Offset}, err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return l
}

// TestGeneratedClient does everything with the generated Go client, in every protocol and codec that it has.
func TestGeneratedClient(t *testing.T) {
	t.Parallel()
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h2.CloseIdleConnections)
	for name, c := range map[string]struct {
		opts      []connect.ClientOption
		transport http.RoundTripper
	}{
		"protobuf":       {},
		"JSON":           {opts: []connect.ClientOption{connect.WithProtoJSON()}},
		"HTTP/2":         {transport: h2},
		"gRPC":           {opts: []connect.ClientOption{connect.WithGRPC()}, transport: h2},
		"gRPC-Web":       {opts: []connect.ClientOption{connect.WithGRPCWeb()}},
		"GET where safe": {opts: []connect.ClientOption{connect.WithHTTPGet()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			client := e.http.Client()
			if c.transport != nil {
				client = &http.Client{Transport: c.transport}
			}
			e.useAll(publishv1connect.NewPublishServiceClient(client, e.http.URL, append(c.opts, as("key", "secret"))...))
		})
	}
}

func (e *edge) useAll(c publishv1connect.PublishServiceClient) {
	t, ctx := e.t, e.t.Context()
	t.Helper()
	plain := e.listen(channels.Topic{App: "1", Channel: "a"}, nil)
	e.listen(channels.Topic{App: "1", Channel: "presence-p"}, &channels.Member{ID: "7", Info: `{"name":"Ann"}`})
	signedIn := e.listen(channels.UserTopic("1", "u+1"), nil)
	elsewhere := e.listen(channels.Topic{App: "3", Channel: "a"}, nil)

	must(t, try(c.Publish(ctx, &publishv1.PublishRequest{Event: &publishv1.Event{Channels: []string{"a", "cache-c"}, Name: "e", Data: "1"}})))
	must(t, try(c.PublishBatch(ctx, &publishv1.PublishBatchRequest{Events: []*publishv1.Event{
		{Channels: []string{"a"}, Name: "e", Data: "2"}, {Channels: []string{"a"}, Name: "e", Data: "3", SocketId: "1.2"},
	}})))
	want := []string{`{"event":"e","channel":"a","data":"1"}`, `{"event":"e","channel":"a","data":"2"}`}
	if got := plain.take(); !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
	if got := elsewhere.take(); got != nil {
		t.Errorf("another app heard %q", got)
	}

	list, err := c.ListChannels(ctx, &publishv1.ListChannelsRequest{})
	must(t, err)
	if len(list.GetChannels()) != 2 || list.GetChannels()[0].GetName() != "a" || list.GetChannels()[1].GetMemberCount() != 1 {
		t.Errorf("channels: %v", list)
	}
	one, err := c.GetChannel(ctx, &publishv1.GetChannelRequest{Channel: "cache-c"})
	must(t, err)
	if one.GetChannel().GetOccupied() || one.GetCached().GetName() != "e" || one.GetCached().GetData() != "1" || one.GetCached().GetTtl().AsDuration() < time.Minute {
		t.Errorf("cache-c: %v", one)
	}
	members, err := c.ListMembers(ctx, &publishv1.ListMembersRequest{Channel: "presence-p"})
	must(t, err)
	if m := members.GetMembers(); len(m) != 1 || m[0].GetId() != "7" || m[0].GetInfoJson() != `{"name":"Ann"}` {
		t.Errorf("members: %v", members)
	}
	must(t, try(c.TerminateUser(ctx, &publishv1.TerminateUserRequest{UserId: "u+1"})))
	if got := signedIn.take(); !slices.Equal(got, []string{"terminated"}) {
		t.Errorf("the user heard %q", got)
	}
}

func try[T any](_ T, err error) error { return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestRefusals tries what must not work, and after each that what must work does.
func TestRefusals(t *testing.T) {
	t.Parallel()
	good := func() *publishv1.Event { return &publishv1.Event{Channels: []string{"a"}, Name: "e", Data: "x"} }
	with := func(change func(*publishv1.Event)) *publishv1.Event {
		e := good()
		change(e)
		return e
	}
	for name, c := range map[string]struct {
		key, secret string
		event       *publishv1.Event
		code        connect.Code
		text        string
	}{
		"no credentials":   {"", "", good(), connect.CodeUnauthenticated, "send an app's key and secret"},
		"unknown key":      {"nokey", "secret", good(), connect.CodeUnauthenticated, "there is no such key"},
		"wrong secret":     {"key", "secreT", good(), connect.CodeUnauthenticated, "there is no such key"},
		"empty secret":     {"key", "", good(), connect.CodeUnauthenticated, "send an app's key and secret"},
		"disabled app":     {"disabled", "secret", good(), connect.CodePermissionDenied, "disabled"},
		"database away":    {"away", "secret", good(), connect.CodeUnavailable, "try again"},
		"no event":         {"key", "secret", nil, connect.CodeInvalidArgument, "event: "},
		"no name":          {"key", "secret", with(func(e *publishv1.Event) { e.Name = "" }), connect.CodeInvalidArgument, "event.name: "},
		"no channel":       {"key", "secret", with(func(e *publishv1.Event) { e.Channels = nil }), connect.CodeInvalidArgument, "event.channels: "},
		"bad channel":      {"key", "secret", with(func(e *publishv1.Event) { e.Channels = []string{"a:b"} }), connect.CodeInvalidArgument, "event.channels: "},
		"reserved name":    {"key", "secret", with(func(e *publishv1.Event) { e.Name = "pusher:x" }), connect.CodeInvalidArgument, "event.name: "},
		"bad socket id":    {"key", "secret", with(func(e *publishv1.Event) { e.SocketId = "x" }), connect.CodeInvalidArgument, "event.socket_id: "},
		"too much data":    {"key", "secret", with(func(e *publishv1.Event) { e.Data = strings.Repeat("x", 10241) }), connect.CodeInvalidArgument, "event.data: "},
		"too many at once": {"key", "secret", with(func(e *publishv1.Event) { e.Channels = []string{"a", "b", "c", "d", "e", "f"} }), connect.CodeInvalidArgument, "event.channels: this makes 6 messages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			e.app.Limits.MessagesPerSecond = 5
			_, err := e.client(as(c.key, c.secret)).Publish(t.Context(), &publishv1.PublishRequest{Event: c.event})
			if connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v %q", err, c.code, c.text)
			}
			if _, err := e.client(as("key", "secret")).Publish(t.Context(), &publishv1.PublishRequest{Event: good()}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestMoreRefusals(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.MessagesPerSecond = 5
	c, ctx := e.client(as("key", "secret")), t.Context()
	for name, err := range map[string]error{
		"events[1].channels: ": try(c.PublishBatch(ctx, &publishv1.PublishBatchRequest{Events: []*publishv1.Event{
			{Channels: []string{"a"}, Name: "e"}, {Channels: []string{"#"}, Name: "e"},
		}})),
		"events: ":                                try(c.PublishBatch(ctx, &publishv1.PublishBatchRequest{})),
		"channel: only presence":                  try(c.ListMembers(ctx, &publishv1.ListMembersRequest{Channel: "a"})),
		"channel: a channel name may hold":        try(c.GetChannel(ctx, &publishv1.GetChannelRequest{Channel: "#user-1"})),
		"channel: a channel name must not":        try(c.ListMembers(ctx, &publishv1.ListMembersRequest{})),
		"user_id: a user id must not be empty":    try(c.TerminateUser(ctx, &publishv1.TerminateUserRequest{})),
		"user_id: a user id may have at most 200": try(c.TerminateUser(ctx, &publishv1.TerminateUserRequest{UserId: strings.Repeat("é", 201)})),
	} {
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
	for range 5 {
		must(t, try(c.Publish(ctx, &publishv1.PublishRequest{Event: &publishv1.Event{Channels: []string{"a"}, Name: "e"}})))
	}
	_, err := c.Publish(ctx, &publishv1.PublishRequest{Event: &publishv1.Event{Channels: []string{"a"}, Name: "e"}})
	var limited *connect.Error
	if !errors.As(err, &limited) || limited.Code() != connect.CodeResourceExhausted || limited.Meta().Get("Retry-After") != "1" {
		t.Errorf("the sixth: %v", err)
	}
}

// TestJSON sends requests by hand, as with curl.
func TestJSON(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for body, want := range map[string]string{
		`{"event":{"channels":["a"],"name":"e","data":"x"}}`:       `{}`,
		`{"event":{"channels":["a"],"name":"e","socketId":"1.2"}}`: `{}`,
		`{"event":{"channels":["a"],"name":"e","daata":"x"}}`:      `unknown field \"daata\"`,
		`{"event":{"channels":["a"],"name":"e","data":{"a":1}}}`:   `invalid value for string field data`,
		`{"channels":["a"],"name":"e","data":"x"}`:                 `unknown field \"channels\"`,
		`{}`:                                     `the request reads {\"event\"`,
		``:                                       `the body is empty`,
		`[]`:                                     `unexpected token [`,
		`{"event":` + strings.Repeat(" ", 9<<20): `the request is larger than the 8388608 bytes`,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.http.URL+rpc.Path+"Publish", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("key", "secret")
		resp, err := e.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if ok := want == "{}"; err != nil || !strings.Contains(string(text), want) || (resp.StatusCode == 200) != ok || (resp.StatusCode == 400) == ok ||
			strings.Contains(string(text), "publishv1") {
			t.Errorf("%.60s: %d %s, %v", body, resp.StatusCode, text, err)
		}
	}
}

// TestSecretsTravelEncrypted checks from where credentials are taken at all.
func TestSecretsTravelEncrypted(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for _, c := range []struct {
		peer, proto string
		status      int
	}{
		{"127.0.0.1:4000", "", 200},
		{"[::1]:4000", "", 200},
		{"127.0.0.1:4000", "http", 403}, // a proxy on this machine says that the client came in the open
		{"127.0.0.1:4000", "https", 200},
		{"192.0.2.1:4000", "", 403},
		{"192.0.2.1:4000", "https", 200}, // what is not trusted was taken away before
	} {
		body := `{"event":{"channels":["a"],"name":"e","data":"x"}}`
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, rpc.Path+"Publish", bytes.NewBufferString(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("key", "secret")
		r.RemoteAddr = c.peer
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		w := httptest.NewRecorder()
		e.http.Config.Handler.ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Body)
		if w.Code != c.status || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("from %s by %q: %d %s", c.peer, c.proto, w.Code, text)
		}
	}
}
