//go:build conformance

package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRefusals takes every way in which a connection is refused or ended by the server: with which code, in which words, and that
// everybody else goes on. Those of subscriptions, client events and sign-ins are with their traps.
func TestRefusals(t *testing.T) {
	t.Parallel()
	path := func(t *testing.T, name string) string { return "/app/" + prepared(t, name).key }
	type row struct {
		name string
		code int
		text string
		// open begins a connection that is refused or will be ended.
		open func(t *testing.T) *client
	}
	at := func(path func(t *testing.T) string) func(t *testing.T) *client {
		return func(t *testing.T) *client { return visit(t, js, path(t)) }
	}
	query := func(query string) func(t *testing.T) *client {
		return at(func(t *testing.T) string { return path(t, "plain") + "?" + query })
	}
	from := func(origin string) func(t *testing.T) *client {
		return func(t *testing.T) *client {
			lib := js
			lib.header = http.Header{"Origin": {origin}}
			return visit(t, lib, path(t, "origins")+"?"+js.query)
		}
	}
	greeted := func(t *testing.T, name string) *client {
		c := connect(t, prepared(t, name), js)
		return c
	}
	for _, r := range []row{
		{"not over TLS", 4000, "", at(func(t *testing.T) string { return path(t, "tls") + "?" + js.query })},
		{"an unknown key", 4001, "App key nobody not in this cluster", at(func(*testing.T) string { return "/app/nobody?" + js.query })},
		{"an escaped slash", 4001, "", at(func(t *testing.T) string { return "/app/..%2fapp%2f" + plain(t).key + "?" + js.query })},
		{"a disabled app", 4003, "", at(func(t *testing.T) string { return path(t, "disabled") + "?" + js.query })},
		{"another path", 4005, "", at(func(*testing.T) string { return "/elsewhere?" + js.query })},
		{"below the path", 4005, "", at(func(t *testing.T) string { return path(t, "plain") + "/x?" + js.query })},
		{"no number as version", 4006, "", query("protocol=seven")},
		{"version 3", 4007, "", query("protocol=3")},
		{"version 8", 4007, "", query("protocol=8")},
		{"an empty version", 4008, "", query("protocol=")},
		{"another origin", 4009, "https://evil.example", from("https://evil.example")},
		{"a part of the origin", 4009, "", from("https://allowed.example.evil.example")},
		{"the origin without TLS", 4009, "", from("http://allowed.example")},
		{"not authorized in time", 4009, "", func(t *testing.T) *client { return greeted(t, "strict") }},
		{"a public channel authorizes nobody", 4009, "", func(t *testing.T) *client {
			c := greeted(t, "strict")
			c.subscribe(unique(""))
			return c
		}},
		{"no answer to a ping", 4201, "", func(t *testing.T) *client {
			c := greeted(t, "brief")
			c.mute.Store(true)
			return c
		}},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			bystander := connect(t, plain(t), js)
			channel := unique("")
			bystander.subscribe(channel)
			c := r.open(t)
			c.wantError(r.code, r.text)
			if code := c.ended(); code != r.code || c.reason == "" || !strings.Contains(c.reason, r.text) {
				t.Errorf("closed with %d %q, want %d with %q", code, c.reason, r.code, r.text)
			}
			bystander.marker(channel)
		})
	}
}

// TestWelcomes is the other side: what must not be refused.
func TestWelcomes(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"", "protocol=4", "protocol=5", "protocol=6", "protocol=7", "protocol=7&version=strange&client=%00&flash=maybe&more=1", "client=x&version=",
	} {
		c := visit(t, js, "/app/"+plain(t).key+"?"+query)
		c.want(evEstablished, "")
		c.quiet()
	}
	lib := js
	lib.header = http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate; client_max_window_bits"}}
	connect(t, plain(t), lib).quiet() // compression is not forced on anybody
	for _, origin := range []string{"https://allowed.example", ""} {
		t.Run("from "+origin, func(t *testing.T) {
			t.Parallel()
			lib := js
			if origin != "" {
				lib.header = http.Header{"Origin": {origin}}
			}
			connect(t, prepared(t, "origins"), lib).quiet()
		})
	}
	authorized := map[string]func(c *client){
		"signed in": func(c *client) { c.signedIn(`{"id":"ann"}`) },
		"private":   func(c *client) { c.subscribe(unique("private-")) },
		"presence":  func(c *client) { c.join(unique("presence-"), `{"user_id":"1"}`) },
	}
	for name, authorize := range authorized {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, prepared(t, "strict"), js)
			authorize(c)
			if f, came := c.try(3 * time.Second); came {
				t.Errorf("received %s", f.raw)
			}
			c.quiet()
		})
	}
}

// TestRefusalsBeforeTheUpgrade: who cannot be told on a socket is told by HTTP.
func TestRefusalsBeforeTheUpgrade(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"no upgrade":       {},
		"another version":  {"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"8"}, "Sec-WebSocket-Key": {"MDEyMzQ1Njc4OWFiY2RlZg=="}},
		"no key to answer": {"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.addr+"/app/"+plain(t).key+"?"+js.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = header
			if r := send(t, req); r.status != http.StatusUpgradeRequired && r.status != http.StatusBadRequest {
				t.Errorf("answered %d %q", r.status, r.body)
			}
		})
	}
}

// TestLimitsOfASocket: what is over a limit is refused by itself.
func TestLimitsOfASocket(t *testing.T) {
	t.Parallel()
	t.Run("channels", func(t *testing.T) {
		t.Parallel()
		c := connect(t, prepared(t, "small"), js) // three channels
		channels := []string{unique(""), unique(""), unique("")}
		for _, channel := range channels {
			c.subscribe(channel)
		}
		over := unique("")
		c.ask(over, "", "")
		if f := c.want(evSubError, over); !sameJSONField(f.data, "type", "LimitReached") {
			t.Errorf("told %s", f.raw)
		}
		c.want(evError, "")
		c.unsubscribe(channels[0])
		c.subscribe(over)
		c.marker(over)
	})
	t.Run("what a member tells of itself", func(t *testing.T) {
		t.Parallel()
		c := connect(t, plain(t), js)
		channel := unique("presence-")
		for _, data := range []string{
			`{"user_id":"1","user_info":"` + strings.Repeat("x", 1100) + `"}`, `{"user_id":"` + strings.Repeat("x", 129) + `"}`,
		} {
			c.ask(channel, c.app.sign(c.id+":"+channel+":"+data), data)
			if f := c.want(evSubError, channel); !sameJSONField(f.data, "status", 4301.0) {
				t.Errorf("told %s", f.raw)
			}
			c.want(evError, "")
		}
		for _, data := range []string{`{}`, `{"user_id":""}`, `{"user_id":null}`, `{"user_id":{}}`, `[]`, `x`} {
			c.ask(channel, c.app.sign(c.id+":"+channel+":"+data), data)
			c.failed(channel)
		}
		c.join(channel, `{"user_id":"1","user_info":"`+strings.Repeat("x", 1000)+`"}`)
	})
	t.Run("one frame", func(t *testing.T) {
		t.Parallel()
		// Absurdly large: the one thing that ends a socket, and only this one.
		bystander, c := connect(t, plain(t), js), connect(t, plain(t), js)
		_ = c.write(opText, []byte(`{"event":"client-x","channel":"private-x","data":"`+strings.Repeat("x", 1<<20)+`"}`))
		if code := c.ended(); code != 1009 && c.err == nil {
			t.Errorf("closed with %d", code)
		}
		bystander.quiet()
	})
}
