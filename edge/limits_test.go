package edge_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	pusherhttp "github.com/pusher/pusher-http-go/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

// outcome is what somebody sees who hits a limit.
type outcome struct {
	carrier        limits.Carrier
	code           int
	headers, stays bool
}

// recorder keeps the last answer.
type recorder struct {
	http.RoundTripper
	last *http.Response
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	r.last = resp
	return resp, err
}

func outcomeOf(resp *http.Response) outcome {
	h := resp.Header
	all := h.Get("Retry-After") != "" && h.Get("RateLimit") != "" && h.Get("RateLimit-Policy") != ""
	return outcome{carrier: limits.CarrierStatus, code: resp.StatusCode, headers: all, stays: true}
}

// library has the official library ask something, and returns what was answered last.
func (e *edge) library(ask func(*pusherhttp.Client) error) outcome {
	library, r := e.official(e.app), &recorder{RoundTripper: e.http.Client().Transport}
	library.HTTPClient = &http.Client{Transport: r}
	_ = ask(library) // The answer tells.
	return outcomeOf(r.last)
}

// rpc calls a method of the publish RPC.
func (e *edge) rpc(t *testing.T, method, body string) outcome {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.http.URL+"/peal.publish.v1.PublishService/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(e.app.Keys[0].Public, e.app.Keys[0].Secret.Reveal())
	resp, err := e.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return outcomeOf(resp)
}

// refusal reads on until somebody is refused, and then asks whether the socket stays.
func (c *client) refusal() outcome {
	c.t.Helper()
	var found outcome
	asked := false
	for {
		ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
		_, text, err := c.conn.Read(ctx)
		cancel()
		if code := int(websocket.CloseStatus(err)); code > 0 {
			return outcome{carrier: limits.CarrierClose, code: code}
		} else if err != nil {
			c.t.Fatalf("read: %v", err)
		}
		var f struct {
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(text, &f); err != nil {
			c.t.Fatal(err)
		}
		var why struct{ Code, Status int }
		switch f.Event {
		case "pusher:pong":
			found.stays = true
			return found
		case string(limits.CarrierFrame), string(limits.CarrierSubscription):
			if asked {
				continue
			}
			var quoted string
			if json.Unmarshal(f.Data, &quoted) == nil {
				f.Data = json.RawMessage(quoted)
			}
			if err := json.Unmarshal(f.Data, &why); err != nil {
				c.t.Fatalf("%s: %v", text, err)
			}
			found.carrier, found.code = limits.Carrier(f.Event), max(why.Code, why.Status)
			asked = true
			c.send(`{"event":"pusher:ping","data":{}}`)
		}
	}
}

// next dials once more, whatever comes of it.
func (e *edge) next(t *testing.T) *client {
	t.Helper()
	url := "ws" + strings.TrimPrefix(e.http.URL, "http") + "/app/" + e.app.Keys[0].Public + "?protocol=7&client=js"
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: e.http.Client()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: t, conn: conn}
}

// speaker is a client on a private channel.
func (e *edge) speaker(t *testing.T) *client {
	t.Helper()
	c := e.connect(t, e.app)
	auth, err := e.official(e.app).AuthorizePrivateChannel([]byte("socket_id=" + c.socketID + "&channel_name=private-room"))
	if err != nil {
		t.Fatal(err)
	}
	c.sendSigned("pusher:subscribe", map[string]any{"channel": "private-room"}, auth)
	c.read()
	return c
}

func (e *edge) enter(t *testing.T, user, info string) *client {
	t.Helper()
	c := e.connect(t, e.app)
	auth, err := e.official(e.app).AuthorizePresenceChannel([]byte("socket_id="+c.socketID+"&channel_name=presence-room"),
		pusherhttp.MemberData{UserID: user, UserInfo: map[string]string{"name": info}})
	if err != nil {
		t.Fatal(err)
	}
	c.sendSigned("pusher:subscribe", map[string]any{"channel": "presence-room"}, auth)
	return c
}

// hit has each limit hit by each way. Two are not here: what a cache channel forgets is told by tests of the bus, and that
// who is silent is closed by those of the package socket, with a clock in their hands.
func hit(t *testing.T, e *edge) map[limits.Way]map[string]func() outcome {
	t.Helper()
	trigger := func(channel, name, data string) func() outcome {
		return func() outcome {
			return e.library(func(l *pusherhttp.Client) error { return l.Trigger(channel, name, data) })
		}
	}
	publish := func(channels, name, data string) func() outcome {
		return func() outcome {
			return e.rpc(t, "Publish", `{"event":{"channels":[`+channels+`],"name":"`+name+`","data":"`+data+`"}}`)
		}
	}
	twice := func(f func() outcome) func() outcome { return func() outcome { f(); return f() } }
	say := func(times int, name, data string) func() outcome {
		return func() outcome {
			c := e.speaker(t)
			for range times {
				c.send(`{"event":"` + name + `","channel":"private-room","data":"` + data + `"}`)
			}
			return c.refusal()
		}
	}
	const one = `{"channels":["a"],"name":"e","data":"x"}`
	return map[limits.Way]map[string]func() outcome{
		limits.WayHTTP: {
			"messages_per_second": twice(trigger("a", "e", "x")),
			"messages_per_day":    twice(trigger("a", "e", "x")),
			"payload_bytes":       trigger("a", "e", "12345"),
			"channel_name_length": trigger("a-channel-of-the-app", "e", "x"),
			"event_name_length":   trigger("a", "an-event-of-the-app", "x"),
			"channels_per_publish": func() outcome {
				return e.library(func(l *pusherhttp.Client) error { return l.TriggerMulti([]string{"a", "b"}, "e", "x") })
			},
			"events_per_batch": func() outcome {
				return e.library(func(l *pusherhttp.Client) error {
					_, err := l.TriggerBatch([]pusherhttp.Event{{Channel: "a", Name: "e", Data: "x"}, {Channel: "a", Name: "e", Data: "x"}})
					return err
				})
			},
		},
		limits.WayRPC: {
			"messages_per_second":  twice(publish(`"a"`, "e", "x")),
			"messages_per_day":     twice(publish(`"a"`, "e", "x")),
			"payload_bytes":        publish(`"a"`, "e", "12345"),
			"channel_name_length":  publish(`"a-channel-of-the-app"`, "e", "x"),
			"event_name_length":    publish(`"a"`, "an-event-of-the-app", "x"),
			"channels_per_publish": publish(`"a","b"`, "e", "x"),
			"events_per_batch":     func() outcome { return e.rpc(t, "PublishBatch", `{"events":[`+one+`,`+one+`]}`) },
		},
		limits.WaySocket: {
			"connections":              func() outcome { e.connect(t, e.app); return e.next(t).refusal() },
			"connections_per_second":   func() outcome { e.connect(t, e.app); return e.next(t).refusal() },
			"messages_per_second":      say(2, "client-e", "x"),
			"messages_per_day":         say(2, "client-e", "x"),
			"client_events_per_second": say(2, "client-e", "x"),
			"payload_bytes":            say(1, "client-e", "12345"),
			"channel_name_length": func() outcome {
				c := e.connect(t, e.app)
				c.send(`{"event":"pusher:subscribe","data":{"channel":"a-channel-of-the-app"}}`)
				return c.refusal()
			},
			"event_name_length": say(1, "client-event-of-the-app", "x"),
			"channels_per_socket": func() outcome {
				c := e.connect(t, e.app)
				c.subscribe("a")
				c.send(`{"event":"pusher:subscribe","data":{"channel":"b"}}`)
				return c.refusal()
			},
			"presence_members":  func() outcome { e.enter(t, "ann", "").read(); return e.enter(t, "bob", "").refusal() },
			"member_info_bytes": func() outcome { return e.enter(t, "ann", strings.Repeat("x", 50)).refusal() },
			"watchlist_users": func() outcome {
				c := e.connect(t, e.app)
				auth, err := e.official(e.app).AuthenticateUser([]byte("socket_id="+c.socketID), map[string]any{"id": "ann", "watchlist": []string{"a", "b"}})
				if err != nil {
					t.Fatal(err)
				}
				c.sendSigned("pusher:signin", map[string]any{}, auth)
				return c.refusal()
			},
			"authorization_timeout_seconds": func() outcome { return e.connect(t, e.app).refusal() },
		},
	}
}

// tight are values that the tests above go over; a limit that is not here is tight at 1.
var tight = map[string]int{"payload_bytes": 4, "channel_name_length": 12, "event_name_length": 12, "member_info_bytes": 40} //nolint:gochecknoglobals // a table

// TestWhatEachLimitDoes hits each limit on an edge of its own, and compares what is seen with the table that docs/limits.md is
// made of.
func TestWhatEachLimitDoes(t *testing.T) {
	t.Parallel()
	driven := 0
	for _, c := range limits.Consequences() {
		e := newEdge(t)
		f := hit(t, e)[c.Way][c.Limit]
		if f == nil {
			if c.Limit != "cache_ttl_seconds" && c.Limit != "activity_timeout_seconds" {
				t.Errorf("nothing hits %s by way of the %s", c.Limit, c.Way)
			}
			continue
		}
		value, there := tight[c.Limit]
		if !there {
			value = 1
		}
		for _, field := range tenants.LimitFields() {
			if field.Name == c.Limit {
				field.Set(&e.app.Limits, value)
			}
		}
		e.app.Features.Watchlist = true
		e.app.Features.AuthorizedConnections = c.Limit == "authorization_timeout_seconds"
		want := outcome{c.Carrier, c.Code, c.Headers, c.Stays}
		if got := f(); got != want {
			t.Errorf("%s by way of the %s: %+v, want %+v", c.Limit, c.Way, got, want)
		}
		driven++
	}
	t.Logf("%d rows were driven", driven)
}
