package edge_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/pusher/pusher-http-go/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// counted is a sink that adds up what it is handed, by app.
type counted struct {
	mu   sync.Mutex
	apps map[string]usage.Counts // guarded by mu
}

func (c *counted) Write(_ context.Context, intervals []usage.Interval) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apps == nil {
		c.apps = make(map[string]usage.Counts)
	}
	for _, i := range intervals {
		for _, a := range i.Apps {
			sum := c.apps[a.App]
			sum.AddSums(&a.Counts)
			sum.PeakConnections = max(sum.PeakConnections, a.PeakConnections)
			c.apps[a.App] = sum
		}
	}
	return nil
}

// used ends the counting and returns what an app has used, without how long its connections took, which only a clock in
// a test's hands could tell.
func (e *edge) used(t *testing.T, app *tenants.App) usage.Counts {
	t.Helper()
	ended, end := context.WithCancel(t.Context())
	end()
	if err := e.meter.Run(ended); err != nil {
		t.Fatal(err)
	}
	e.counted.mu.Lock()
	defer e.counted.mu.Unlock()
	sum := e.counted.apps[app.ID]
	if sum.PeakConnections > 0 && sum.ConnectionTime <= 0 {
		t.Error("connections took no time")
	}
	sum.ConnectionTime = 0
	return sum
}

// call publishes by the RPC and returns the status.
func (e *edge) call(t *testing.T, app *tenants.App, secret, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.http.URL+"/peal.publish.v1.PublishService/Publish", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(app.Keys[0].Public, secret)
	resp, err := e.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// eventFrame is what subscribers get of an event whose data is "hi".
func eventFrame(channel string) string {
	return `{"event":"my-event","channel":"` + channel + `","data":"hi"}`
}

// TestWhatIsCountedIsWhatHappened publishes by three ways to sockets on two channels, and counts every message, byte and
// call.
func TestWhatIsCountedIsWhatHappened(t *testing.T) {
	e := newEdge(t)
	secret := e.app.Keys[0].Secret.Reveal()
	const sockets, byHTTP, byRPC = 7, 20, 5
	var clients []*client
	in, welcome := 0, 0
	for range sockets {
		c := e.connect(t, e.app)
		c.subscribe("room")
		in += len(`{"event":"pusher:subscribe","data":{"auth":"","channel":"room"}}`)
		welcome += len(`{"event":"pusher_internal:subscription_succeeded","channel":"room","data":"{}"}`)
		clients = append(clients, c)
	}
	library := e.official(e.app)
	for range byHTTP {
		if err := library.Trigger("room", "my-event", "hi"); err != nil {
			t.Fatal(err)
		}
	}
	rpcBody := `{"event":{"channels":["room","empty"],"name":"my-event","data":"hi"}}`
	for range byRPC {
		if status := e.call(t, e.app, secret, rpcBody); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	// A socket that published hears nothing of it.
	if err := pusherExcept(library, clients[0].socketID); err != nil {
		t.Fatal(err)
	}
	for i, c := range clients {
		got := len(c.ping())
		in += len(`{"event":"pusher:ping","data":{}}`)
		want := byHTTP + byRPC
		if i > 0 {
			want++
		}
		if got != want {
			t.Errorf("socket %d got %d events, want %d", i, got, want)
		}
	}
	got := e.used(t, e.app)
	body := len(`{"name":"my-event","channels":["room"],"data":"hi"}`)
	exceptBody := len(fmt.Sprintf(`{"name":"my-event","channels":["room"],"data":"hi","socket_id":%q}`, clients[0].socketID))
	events := sockets*(byHTTP+byRPC) + sockets - 1
	want := usage.Counts{
		PeakConnections: sockets,
		MessagesIn:      byHTTP + 2*byRPC + 1,
		MessagesOut:     int64(sockets + events),
		BytesIn:         int64(in + byHTTP*body + byRPC*len(rpcBody) + exceptBody),
		BytesOut:        int64(welcome + events*len(eventFrame("room"))),
		APICalls:        byHTTP + byRPC + 1,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if other := e.used(t, e.other); other != (usage.Counts{}) {
		t.Errorf("the other app: %+v", other)
	}
}

func pusherExcept(library *pusher.Client, socket string) error {
	_, err := library.TriggerWithParams("room", "my-event", "hi", pusher.TriggerParams{SocketID: &socket})
	return err
}

// TestClientEventsAndFallbacksAreCounted has a client over HTTP hear what one over a WebSocket says.
func TestClientEventsAndFallbacksAreCounted(t *testing.T) {
	e := newEdge(t)
	library := e.official(e.app)
	var clients []*client
	for range 2 {
		c := e.connect(t, e.app)
		auth, err := library.AuthorizePrivateChannel([]byte("socket_id=" + c.socketID + "&channel_name=private-room"))
		if err != nil {
			t.Fatal(err)
		}
		c.sendSigned("pusher:subscribe", map[string]any{"channel": "private-room"}, auth)
		if f := c.read(); f.Event != "pusher_internal:subscription_succeeded" {
			t.Fatalf("%+v", f)
		}
		clients = append(clients, c)
	}
	for range 3 {
		clients[0].send(`{"event":"client-hello","channel":"private-room","data":"{}"}`)
	}
	clients[0].send(`{"event":"client-hello","channel":"elsewhere","data":"{}"}`)
	clients[0].settle()
	if got := clients[1].settle(); got != 3 {
		t.Errorf("%d client events came", got)
	}
	poll := func(path, body string) string {
		resp, err := e.http.Client().Post(e.http.URL+"/pusher/app/"+e.app.Keys[0].Public+"/123/abc"+path, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	if got := poll("/xhr?protocol=7&client=js", ""); !strings.HasPrefix(got, "o") {
		t.Fatalf("open: %s", got)
	}
	poll("/xhr_send", `["{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"room\"}}"]`)
	poll("/xhr_send", `[nonsense`)
	if got := poll("/xhr", ""); !strings.Contains(got, "subscription_succeeded") {
		t.Fatalf("poll: %s", got)
	}
	got := e.used(t, e.app)
	if got.MessagesIn != 3 || got.MessagesOut != 2+3+1 || got.PeakConnections != 3 {
		t.Errorf("%+v", got)
	}
	want := usage.Rejections{usage.NotAllowed: 1, usage.Invalid: 1}
	if d := cmp.Diff(want, got.Rejections); d != "" {
		t.Error(d)
	}
}

// TestRefusalsAreCountedOnceAndByTheirReason has everything refused that can be, by each door.
func TestRefusalsAreCountedOnceAndByTheirReason(t *testing.T) {
	e := newEdge(t)
	library := e.official(e.app)
	e.app.Limits.MessagesPerSecond = 1
	e.app.Limits.ChannelsPerSocket = 1
	e.app.Limits.Connections = 1

	c := e.connect(t, e.app) // the only one that there is room for
	if full := e.refusedSocket(t, e.app); !strings.Contains(full, "4004") {
		t.Errorf("a second socket: %s", full)
	}
	c.subscribe("room")
	c.send(`{"event":"pusher:subscribe","data":{"channel":"other"}}`)                      // channel limit
	c.send(`{"event":"pusher:subscribe","data":{"channel":"private-x","auth":"k:1"}}`)     // also the limit, before the signature
	c.send(`{"event":"pusher:signin","data":{"auth":"a:b","user_data":"{\"id\":\"1\"}"}}`) // unauthorized
	c.send(`{"event":"pusher:nonsense","data":{}}`)                                        // invalid
	c.settle()
	_ = library.Trigger("no such channel", "my-event", "hi")                          // refused by the library itself
	if status := e.call(t, e.app, "wrong", `{}`); status != http.StatusUnauthorized { // unauthorized
		t.Errorf("wrong secret: %d", status)
	}
	secret := e.app.Keys[0].Secret.Reveal()
	e.call(t, e.app, secret, `{}`)                                                                              // invalid: by the door
	e.call(t, e.app, secret, `{"event":{"channels":["a b"],"name":"n","data":""}}`)                             // invalid: by the publisher
	e.call(t, e.app, secret, `{"event":{"channels":["a"],"name":"n","data":"`+strings.Repeat("x", 10241)+`"}}`) // too large
	bad := *library
	bad.Secret = "wrong"
	_ = bad.Trigger("room", "my-event", "hi") // unauthorized
	for range 5 {
		_ = library.Trigger("room", "my-event", "hi") // one of these is let through, four are too many
	}
	batch := []pusher.Event{{Channel: "room", Name: "pusher:reserved", Data: "x"}}
	_, _ = library.TriggerBatch(batch) // invalid
	e.app.Features.TLSOnly = true
	_ = library.Trigger("room", "my-event", "hi")
	if tls := e.refusedSocket(t, e.app); !strings.Contains(tls, "4000") {
		t.Errorf("without TLS: %s", tls)
	}
	e.app.Enabled = false
	_ = library.Trigger("room", "my-event", "hi")

	got := e.used(t, e.app)
	want := usage.Rejections{
		usage.ConnectionLimit: 1, usage.SubscriptionLimit: 2, usage.Unauthorized: 3, usage.Invalid: 4, usage.TooLarge: 1,
		usage.MessageRate: 4, usage.TLSRequired: 2, usage.AppDisabled: 1,
	}
	if d := cmp.Diff(want, got.Rejections); d != "" {
		t.Error(d)
	}
	if got.MessagesIn != 1 || got.PeakConnections != 1 {
		t.Errorf("%+v", got)
	}
}

// refusedSocket returns what somebody is told who is not let in.
func (e *edge) refusedSocket(t *testing.T, app *tenants.App) string {
	t.Helper()
	url := "ws" + strings.TrimPrefix(e.http.URL, "http") + "/app/" + app.Keys[0].Public + "?protocol=7"
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: e.http.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	_, text, err := conn.Read(t.Context())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// settle returns how many frames came before the answer to a ping, errors among them.
func (c *client) settle() int {
	c.t.Helper()
	c.send(`{"event":"pusher:ping","data":{}}`)
	for n := 0; ; n++ {
		_, text, err := c.conn.Read(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.Contains(string(text), "pusher:pong") {
			return n
		}
	}
}

// TestWhoComesTooSoonIsCountedAsThat has one connection a second and no more.
func TestWhoComesTooSoonIsCountedAsThat(t *testing.T) {
	e := newEdge(t)
	e.app.Limits.ConnectionsPerSecond = 1
	e.connect(t, e.app)
	if soon := e.refusedSocket(t, e.app); !strings.Contains(soon, "4100") {
		t.Errorf("a second socket in the same second: %s", soon)
	}
	if got := e.used(t, e.app); got.Rejections != (usage.Rejections{usage.ConnectionRate: 1}) {
		t.Errorf("%v", got.Rejections)
	}
}

// TestWhatAKeyIsNotForIsCountedOnce asks every door for what a key has no scope for.
func TestWhatAKeyIsNotForIsCountedOnce(t *testing.T) {
	e := newEdge(t)
	e.app.Keys[0].Scopes = 0
	library := e.official(e.app)
	if err := library.Trigger("room", "my-event", "hi"); err == nil || !strings.Contains(err.Error(), "needs publish") {
		t.Errorf("publish: %v", err)
	}
	if _, err := library.Channels(pusher.ChannelsParams{}); err == nil || !strings.Contains(err.Error(), "needs query") {
		t.Errorf("query: %v", err)
	}
	if status := e.call(t, e.app, e.app.Keys[0].Secret.Reveal(), `{"event":{"channels":["room"],"name":"n"}}`); status != http.StatusForbidden {
		t.Errorf("call: %d", status)
	}
	if socket := e.refusedSocket(t, e.app); !strings.Contains(socket, "4009") || !strings.Contains(socket, "scope subscribe") {
		t.Errorf("socket: %s", socket)
	}
	if got := e.used(t, e.app); got.Rejections != (usage.Rejections{usage.NotAllowed: 4}) || got.MessagesIn != 0 {
		t.Errorf("%+v", got)
	}
}
