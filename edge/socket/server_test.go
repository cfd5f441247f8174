package socket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/edge/socket"
)

const unknownKey = "App key %s not in this cluster. Did you forget to specify the cluster?"

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	bystander := e.join("there")
	for path, c := range map[string]struct {
		code int
		text string
	}{
		"/app/nokey?protocol=7":             {4001, fmt.Sprintf(unknownKey, "nokey")},
		"/app/KEY":                          {4001, fmt.Sprintf(unknownKey, "KEY")},
		"/app/..%2fapp%2fkey":               {4001, fmt.Sprintf(unknownKey, "../app/key")},
		"/app/" + strings.Repeat("k", 500):  {4001, fmt.Sprintf(unknownKey, strings.Repeat("k", 40)+"…")},
		"/app/%ff":                          {4001, fmt.Sprintf(unknownKey, "�")},
		"/app/disabled?protocol=7":          {4003, "Application disabled"},
		"/":                                 {4005, "Path not found"},
		"/app":                              {4005, "Path not found"},
		"/app/":                             {4005, "Path not found"},
		"/app/key/":                         {4005, "Path not found"},
		"/app/key/more":                     {4005, "Path not found"},
		"/app//key":                         {4005, "Path not found"},
		"//app/key":                         {4005, "Path not found"},
		"/x/app/key":                        {4005, "Path not found"},
		"/app/../app/key":                   {4005, "Path not found"},
		"/apps/1/events":                    {4005, "Path not found"},
		"/app/key?protocol=seven":           {4006, "Invalid version string format"},
		"/app/key?protocol=7.0":             {4006, "Invalid version string format"},
		"/app/key?protocol=3":               {4007, "Unsupported protocol version"},
		"/app/key?protocol=8":               {4007, "Unsupported protocol version"},
		"/app/key?protocol=-7":              {4007, "Unsupported protocol version"},
		"/app/key?protocol=":                {4008, "No protocol version supplied"},
		"/app/nokey?protocol=3":             {4007, "Unsupported protocol version"},
		"/app/disabled?protocol=5&client=x": {4003, "Application disabled"},
	} {
		e.connect(path).wantEnd(c.code, c.text)
	}
	bystander.ping()
	e.wantMetric("peal_connections", 1)
	e.wantMetric("peal_connections_accepted_total", 1)

	e.apps.setAway(true)
	e.connect("/app/key?protocol=7").wantEnd(4100, "Over capacity, try again in a moment")
	bystander.ping()
	e.apps.setAway(false)
	e.connect("/app/key?protocol=7").hello()
}

func TestAdmitted(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) { cfg.PathPrefix = "/edge/v1" })
	for _, path := range []string{
		"/edge/v1/app/key", "/edge/v1/app/key?protocol=4", "/edge/v1/app/key?protocol=5&client=java-client&version=x",
		"/edge/v1/app/key?protocol=6", "/edge/v1/app/key?protocol=7&client=js&version=8.6.0&flash=false&other=1", "/edge/v1/app/%6bey",
	} {
		c := e.connect(path)
		c.hello()
		c.ping()
	}
	e.connect("/app/key").wantEnd(4005, "Path not found")
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	for _, c := range []struct {
		asked []string
		want  string
	}{
		{nil, ""},
		{[]string{"pusher-channels-protocol-7"}, "pusher-channels-protocol-7"},
		{[]string{"other", "pusher-channels-protocol-5"}, "pusher-channels-protocol-5"},
		{[]string{"other"}, ""},
	} {
		socket := e.connect("/app/key?protocol=7", c.asked...)
		if got := socket.conn.Subprotocol(); got != c.want {
			t.Errorf("asked for %q, got %q", c.asked, got)
		}
		socket.hello()
	}
}

func TestPlainRequests(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	with := func(name, value string) http.Header {
		h := upgrade.Clone()
		h.Set(name, value)
		return h
	}
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		want         int
	}{
		"GET":                     {"GET", "/app/key", nil, 426},
		"GET of an unknown key":   {"GET", "/app/nokey", nil, 426},
		"GET of another path":     {"GET", "/other", nil, 404},
		"POST":                    {"POST", "/app/key", nil, 426},
		"WebSocket 12":            {"GET", "/app/key", with("Sec-WebSocket-Version", "12"), 400},
		"no Connection":           {"GET", "/app/key", with("Connection", "close"), 426},
		"no WebSocket key":        {"GET", "/app/key", with("Sec-WebSocket-Key", ""), 400},
		"POST that would upgrade": {"POST", "/app/key", upgrade, 405},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		for k, v := range c.header {
			r.Header[k] = v
		}
		w := httptest.NewRecorder()
		e.server.ServeHTTP(w, r)
		if w.Code != c.want || w.Body.Len() == 0 {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
		if c.want == 426 && !strings.EqualFold(w.Header().Get("Upgrade"), "websocket") {
			t.Errorf("%s: Upgrade: %q", name, w.Header().Get("Upgrade"))
		}
	}
	e.wantMetric("peal_connections_accepted_total", 0)
}

func TestIsUpgrade(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"": false, "websocket": true, "WebSocket": true, "h2c, websocket": true, "h2c": false, "websockets": false} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Upgrade", value)
		if got := socket.IsUpgrade(r); got != want {
			t.Errorf("Upgrade: %q is %v", value, got)
		}
	}
}

// TestHelloComesFirst sends frames with the handshake, before the server has said anything.
func TestHelloComesFirst(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	conn, err := e.dial(t.Context(), "tcp", strings.TrimPrefix(e.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw := &rawClient{conn: conn, r: bufio.NewReader(conn)}
	if err := raw.shakeHands("/app/key", maskedText(`{"event":"pusher:ping"}`)+maskedText(`{"event":"pusher:subscribe","data":{"channel":"c"}}`)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"event":"pusher:connection_established","data":"{\"socket_id\":\"`, `{"event":"pusher:pong"`, `{"event":"pusher_internal:subscription_succeeded","channel":"c"`} {
		op, payload, err := raw.frame()
		if err != nil || op != opText || !strings.HasPrefix(string(payload), want) {
			t.Fatalf("got %d %s %v, want %s", op, payload, err, want)
		}
	}
}

func TestSocketGoesOn(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	c := e.join("there")
	if err := c.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"event":"pusher:ping"}`)); err != nil {
		t.Fatal(err)
	}
	c.want(`{"event":"pusher:error","data":{"code":null,"message":"Invalid message: binary frames are not part of the protocol"}}`)
	c.send("")
	c.want(`{"event":"pusher:error","data":{"code":null,"message":"Invalid message: invalid JSON at byte 0: unexpected end"}}`)
	c.send("\xff\xfe")
	c.want(`{"event":"pusher:error","data":{"code":null,"message":"Invalid message: invalid JSON at byte 0: invalid UTF-8"}}`)
	c.send(`{"event":"e","data":"` + strings.Repeat("x", 64<<10-23) + `"}`)
	c.want(`{"event":"pusher:error","data":{"code":null,"message":"Unsupported event received on socket: 'e'"}}`)
	e.deliver("still delivered")
	c.want("still delivered")
	c.ping()
}

func TestTooBig(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	bystander := e.join("there")
	for _, size := range []int{64<<10 + 1, 1 << 20} {
		c := e.join("there")
		text := strings.Repeat("x", size)
		_ = c.conn.Write(t.Context(), websocket.MessageText, []byte(text)) // the end may come while it is written
		var end websocket.CloseError
		if _, err := c.next(); !errors.As(err, &end) || end.Code != websocket.StatusMessageTooBig {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	bystander.ping()
	e.wantClosed("1009", 2)
}

func TestPanicClosesOnlyItsSocket(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	bystander, victim := e.join("there"), e.join("there")
	victim.send(`{"event":"pusher:subscribe","data":{"channel":"bomb"}}`)
	victim.wantEnd(1011, "Internal error")
	bystander.ping()
	e.deliver("still delivered")
	bystander.want("still delivered")
	e.wantMetric("peal_socket_panics_total", 1)
	e.wantClosed("1011", 1)
	// The topic at which it happened is not left locked.
	again := e.join("there")
	again.send(`{"event":"pusher:subscribe","data":{"channel":"bomb"}}`)
	again.wantEnd(1011, "Internal error")
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	first := e.join("there")
	second := e.connect("/app/second?protocol=7")
	second.hello()
	other := e.connect("/app/other?protocol=7")
	other.hello()

	e.registry.Recheck(t.Context(), "1")
	e.registry.RecheckAll(t.Context())
	first.ping()
	second.ping()

	// What cannot be known is no reason to close.
	e.apps.setAway(true)
	e.registry.RecheckAll(t.Context())
	first.ping()
	other.ping()
	e.apps.setAway(false)

	// New settings hold for sockets that are open.
	changed := newApp("1", true)
	changed.Limits.ChannelsPerSocket = 1
	e.apps.set("key", changed)
	e.registry.Recheck(t.Context(), "1")
	first.send(`{"event":"pusher:subscribe","data":{"channel":"one too many"}}`)
	if got := first.read(); !strings.Contains(got, "InvalidChannel") {
		t.Errorf("got %s", got)
	}
	first.read()
	first.send(`{"event":"pusher:subscribe","data":{"channel":"one-too-many"}}`)
	if got := first.read(); !strings.Contains(got, "LimitReached") {
		t.Errorf("got %s", got)
	}
	first.read()

	// A revoked key closes the sockets that came in with it, no others.
	e.apps.remove("second")
	e.registry.Recheck(t.Context(), "2")
	second.ping()
	e.registry.Recheck(t.Context(), "1")
	second.wantEnd(4001, fmt.Sprintf(unknownKey, "second"))
	first.ping()

	// So does an app that was disabled.
	e.apps.set("key", newApp("1", false))
	e.registry.RecheckAll(t.Context())
	first.wantEnd(4003, "Application disabled")
	other.ping()
}

// TestChangeDuringTheHandshake revokes the key after it was looked up and before the socket is registered: the
// recheck finds nobody, and the socket must go all the same.
func TestChangeDuringTheHandshake(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	looked := make(chan struct{}, 10)
	e.apps.onLookUp(func(key string) {
		if looked <- struct{}{}; len(looked) == 2 {
			e.apps.remove(key)
		}
	})
	e.connect("/app/key?protocol=7").wantEnd(4001, fmt.Sprintf(unknownKey, "key"))
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	var clients []*client
	for range 20 {
		clients = append(clients, e.join("there"))
	}
	e.deliver("the last words")
	var readers sync.WaitGroup
	for _, c := range clients {
		readers.Go(func() {
			c.want("the last words")
			c.wantEnd(4200, "Server is shutting down, please reconnect")
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	readers.Wait()
	e.wantMetric("peal_connections", 0)
	e.wantClosed("4200", 20)
	if n := e.hub.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	_, resp, err := websocket.Dial(t.Context(), e.url+"/app/key", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a socket after the shutdown: %v", err)
	}
}

// TestShutdownDoesNotWaitForEver has a client that never reads.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) { cfg.CloseTimeout = time.Hour })
	e.join("there")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
}

// TestInOrderExactlyOnce delivers 1,000 events from one publisher to 20 sockets.
func TestInOrderExactlyOnce(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	const sockets, events = 20, 1000
	var readers sync.WaitGroup
	for range sockets {
		c := e.join("there")
		readers.Go(func() {
			for i := range events {
				if got, err := c.next(); err != nil || got != fmt.Sprint("event ", i) {
					t.Errorf("event %d: %q, %v", i, got, err)
					return
				}
			}
			c.ping() // nothing comes after the last
		})
	}
	for i := range events {
		e.deliver(fmt.Sprint("event ", i))
	}
	readers.Wait()
	e.wantMetric("peal_slow_disconnects_total", 0)
	e.wantMetric("peal_messages_sent_total", sockets*(2+events+1))
	e.wantMetric("peal_messages_received_total", sockets*2)
}

// TestSlowReaderCostsItselfOnly delivers until a client that does not read is closed. Another one hears all.
func TestSlowReaderCostsItselfOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*socket.Config){
		"by bytes":  func(cfg *socket.Config) { cfg.QueueBytes = 256 << 10 },
		"by frames": func(cfg *socket.Config) { cfg.QueueFrames = 64 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, change)
			fast, slow := e.join("there"), e.join("there")
			payload := strings.Repeat("x", 16<<10)
			n := 0
			for ; e.metric("peal_slow_disconnects_total") == 0; n++ {
				frame := fmt.Sprintf("%d %s", n, payload)
				e.deliver(frame)
				fast.want(frame) // in step, so that the fast one is never behind
			}
			e.wantMetric("peal_slow_disconnects_total", 1)
			e.wantClosed("4100", 1)
			fast.ping()
			e.deliver("still delivered")
			fast.want("still delivered")

			// What the slow one reads now is the beginning of what it was sent, without a gap, and then why.
			i := 0
			for {
				text, err := slow.next()
				if err != nil {
					t.Fatalf("after %d frames: %v", i, err)
				}
				if !strings.HasPrefix(text, fmt.Sprint(i, " ")) {
					if text != `{"event":"pusher:error","data":{"code":4100,"message":"The connection does not keep up with what is sent to it"}}` {
						t.Fatalf("frame %d is %.200s", i, text)
					}
					break
				}
				i++
			}
			slow.wantClose(4100, "The connection does not keep up with what is sent to it")
			if i == 0 || i > n {
				t.Errorf("it read %d of %d", i, n)
			}
		})
	}
}

// TestDeadReaderIsDropped has a client that stops reading for good.
func TestDeadReaderIsDropped(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) {
		cfg.QueueFrames, cfg.WriteTimeout, cfg.CloseTimeout = 16, 50*time.Millisecond, 50*time.Millisecond
	})
	e.join("there")
	payload := strings.Repeat("x", 64<<10)
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections") > 0 {
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
		e.deliver(payload)
		time.Sleep(time.Millisecond)
	}
	if n := e.hub.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// TestAbruptEnd breaks connections without a word; nothing of them may stay.
func TestAbruptEnd(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	for range 20 {
		c := e.join("there", "elsewhere")
		_ = c.conn.CloseNow()
	}
	polite := e.join("there")
	if err := polite.conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("close: %v", err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections") > 0 || e.hub.Subscriptions() > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%v sockets and %d subscriptions are left", e.metric("peal_connections"), e.hub.Subscriptions())
		}
		time.Sleep(time.Millisecond)
	}
	e.wantMetric("peal_connections_closed_total", 0)
}

// TestFullEdge refuses who comes when there is no room, and lets in again when there is.
func TestFullEdge(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) { cfg.MaxSockets = 2 })
	first, second := e.join("there"), e.join("there")
	e.connect("/app/key").wantEnd(4100, "Over capacity, try again in a moment")
	// Who may not come in at all is told that, not that there is no room.
	e.connect("/app/nobody").wantEnd(4001, "App key nobody not in this cluster. Did you forget to specify the cluster?")
	e.deliver("for both")
	first.want("for both")
	second.want("for both")
	if err := second.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections") > 1 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	e.join("there")
}

// TestFloodOfRefusals turns away without the upgrade who comes while many are being told that there is no room.
func TestFloodOfRefusals(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) { cfg.MaxSockets, cfg.MaxRefused = 1, 2 })
	first := e.join("there")
	for range 2 {
		e.connect("/app/key") // It reads nothing, so its refusal goes on for a while.
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections_closed_total") < 2 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // The handshake is answered before the refusal begins.
	}
	_, resp, err := websocket.Dial(t.Context(), e.url+"/app/key", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %v, %v", resp, err)
	}
	first.ping()
}
