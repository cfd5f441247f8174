package session_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func subscribe(channel string) []byte {
	return []byte(`{"event":"pusher:subscribe","data":{"channel":"` + channel + `"}}`)
}

func unsubscribe(channel string) []byte {
	return []byte(`{"event":"pusher:unsubscribe","data":{"channel":"` + channel + `"}}`)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.ActivityTimeout = 30 * time.Second
	_, c := e.connect("js")
	want := `{"event":"pusher:connection_established","data":"{\"socket_id\":\"` + c.id + `\",\"activity_timeout\":30}"}`
	if got := c.take(); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q", got)
	}
}

// TestAnswers sends one frame to a session with a subscription to "there" and compares the whole answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const pong = `{"event":"pusher:pong","data":"{}"}`
	refusedAs := func(event, channel, kind, message string, status int) []string {
		return []string{
			fmt.Sprintf(`{"event":"%s","channel":"%s","data":"{\"type\":\"%s\",\"error\":\"%s\",\"status\":%d}"}`,
				event, channel, kind, message, status),
			plain(message),
		}
	}
	noAuth := func(event, channel string) []string {
		return refusedAs(event, channel, "AuthError", "Auth info required to subscribe to "+channel, 401)
	}
	const badName = "Invalid channel name: a channel name may hold only letters, digits and _ - = @ , . ;: "
	for _, c := range []struct {
		name, client, text string
		want               []string
	}{
		{"ping of pusher-js", "", `{"event":"pusher:ping","data":{}}`, []string{pong}},
		{"ping of Java", "", `{"event": "pusher:ping"}`, []string{pong}},
		{"ping of Ruby", "", `{"event":"pusher:ping","data":null}`, []string{pong}},
		{"ping with a string", "", `{"event":"pusher:ping","data":""}`, []string{pong}},
		{"pong", "", `{"event":"pusher:pong","data":{}}`, nil},
		{"subscribe", "", string(subscribe("my-channel")), []string{`{"event":"pusher_internal:subscription_succeeded","channel":"my-channel","data":"{}"}`}},
		{"subscribe with a string", "", `{"event":"pusher:subscribe","data":"{\"channel\":\"my-channel\",\"auth\":\"\"}"}`, []string{`{"event":"pusher_internal:subscription_succeeded","channel":"my-channel","data":"{}"}`}},
		{"subscribe with what is not needed", "", `{"event":"pusher:subscribe","data":{"auth":"KEY:HEX","channel":"my-channel","channel_data":"{}"}}`, []string{`{"event":"pusher_internal:subscription_succeeded","channel":"my-channel","data":"{}"}`}},
		{"subscribe twice", "", string(subscribe("there")), []string{plain("Existing subscription to channel there")}},
		{"unsubscribe", "", string(unsubscribe("there")), nil},
		{"unsubscribe what is not there", "", string(unsubscribe("other")), []string{plain("No current subscription to channel other, or subscription in progress")}},
		{"subscribe to nothing", "", `{"event":"pusher:subscribe","data":{}}`, []string{plain("Invalid subscription: the data must name a channel, which is a string and not empty")}},
		{"subscribe without data", "", `{"event":"pusher:subscribe"}`, []string{plain("Invalid subscription: the data must name a channel, which is a string and not empty")}},
		{"unsubscribe from a number", "", `{"event":"pusher:unsubscribe","data":{"channel":7}}`, []string{plain("Invalid unsubscription: the data must name a channel, which is a string and not empty")}},
		{"private", "", string(subscribe("private-x")), noAuth("pusher:subscription_error", "private-x")},
		{"presence", "", string(subscribe("presence-x")), noAuth("pusher:subscription_error", "presence-x")},
		{"cache", "", string(subscribe("cache-x")), []string{
			`{"event":"pusher_internal:subscription_succeeded","channel":"cache-x","data":"{}"}`,
			`{"event":"pusher:cache_miss","channel":"cache-x","data":"{}"}`,
		}},
		{"private for .NET", "pusher-dotnet-client", string(subscribe("private-x")), noAuth("pusher_internal:subscription_error", "private-x")},
		{"private for Java", "java-client", string(subscribe("private-x")), noAuth("pusher:subscription_error", "private-x")},
		{"encrypted for Java", "java-client", string(subscribe("private-encrypted-x")), noAuth("", "private-encrypted-x")[1:]},
		{"user's channel", "", string(subscribe("#server-to-user-7")), refusedAs("pusher:subscription_error", "#server-to-user-7", "AuthError", "Only the signed-in user itself may subscribe to #server-to-user-7", 401)},
		{"colon", "", string(subscribe("a:b")), refusedAs("pusher:subscription_error", "a:b", "InvalidChannel", badName+"a:b", 400)},
		{"client event on a public channel", "", `{"event":"client-typing","channel":"there","data":{}}`, []string{plain("Client event rejected - only supported on private and presence channels")}},
		{"forged member", "", `{"event":"pusher_internal:member_added","channel":"there","data":{}}`, []string{plain("Unsupported event received on socket: 'pusher_internal:member_added'")}},
		{"sign-in without user data", "", `{"event":"pusher:signin","data":{}}`, []string{plain("Invalid sign-in: the data must hold user_data, which is JSON in a string")}},
		{"long event", "", `{"event":"` + strings.Repeat("é", 300) + `"}`, []string{plain("Unsupported event received on socket: '" + strings.Repeat("é", 200) + "…'")}},
		{"nothing", "", "", []string{plain("Invalid message: invalid JSON at byte 0: unexpected end")}},
		{"an array", "", "[]", []string{plain("Invalid message: a message must be a JSON object")}},
		{"no event", "", "{}", []string{plain("Invalid message: a message must have an event, which is a string and not empty")}},
		{"duplicate key", "", `{"event":"a","event":"b"}`, []string{plain("Invalid message: invalid JSON at byte 13: duplicate key")}},
		{"invalid UTF-8", "", "{\"event\":\"\xff\"}", []string{plain("Invalid message: invalid JSON at byte 10: invalid UTF-8")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, socket := newEdge(t).open(c.client)
			s.Handle(t.Context(), subscribe("there"))
			socket.take()
			s.Handle(t.Context(), []byte(c.text))
			if got := socket.take(); !slices.Equal(got, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			s.Handle(t.Context(), []byte(`{"event":"pusher:ping"}`))
			if got := socket.take(); !slices.Equal(got, []string{pong}) {
				t.Errorf("afterwards the session answers a ping with %q", got)
			}
		})
	}
}

func TestSubscriptionsDeliver(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	hub := e.hub
	s, socket := e.open("js")
	topic := channels.Topic{App: "1", Channel: "a"}
	say := func(text string) { hub.Deliver(channels.Message{Topic: topic, Frame: []byte(text)}) }
	say("before")
	s.Handle(t.Context(), subscribe("a"))
	s.Handle(t.Context(), subscribe("a"))
	say("once")
	s.Handle(t.Context(), unsubscribe("a"))
	say("after")
	s.Handle(t.Context(), subscribe("a"))
	say("again")
	got := socket.take()
	want := []string{string(pusher.SubscriptionSucceeded("a")), string(pusher.Error(0, "Existing subscription to channel a")), "once", string(pusher.SubscriptionSucceeded("a")), "again"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	s.Close(t.Context())
	say("closed")
	if got := socket.take(); len(got) != 0 || hub.Subscriptions() != 0 {
		t.Errorf("after the end: %q, %d subscriptions", got, hub.Subscriptions())
	}
}

func TestChannelsPerSocket(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	hub := e.hub
	s, socket := e.open("js")
	for i := range 3 {
		s.Handle(t.Context(), subscribe(fmt.Sprintf("c%d", i)))
	}
	socket.take()
	s.Handle(t.Context(), subscribe("c3"))
	got := socket.take()
	if len(got) != 2 || !strings.Contains(got[0], `\"type\":\"LimitReached\"`) || !strings.Contains(got[0], `\"status\":429`) || hub.Subscriptions() != 3 {
		t.Errorf("the fourth: %q", got)
	}
	s.Handle(t.Context(), unsubscribe("c0"))
	s.Handle(t.Context(), subscribe("c3"))
	if got := socket.take(); !slices.Equal(got, []string{string(pusher.SubscriptionSucceeded("c3"))}) {
		t.Errorf("after one left: %q", got)
	}
	// The app's settings may change while the socket is open.
	app := *e.app
	app.Limits = tenants.DefaultLimits()
	e.apps.set(&app)
	e.registry.Recheck(t.Context(), app.ID)
	s.Handle(t.Context(), subscribe("c4"))
	if got := socket.take(); !slices.Equal(got, []string{string(pusher.SubscriptionSucceeded("c4"))}) {
		t.Errorf("after the limit was raised: %q", got)
	}
}

func TestSubscribeWhileTheBusIsAway(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, socket := e.open("js")
	e.bus.broken.Store(true)
	s.Handle(t.Context(), subscribe("a"))
	got := socket.take()
	if len(got) != 2 || !strings.Contains(got[0], `\"type\":\"Unavailable\"`) || !strings.Contains(got[0], `\"status\":503`) {
		t.Errorf("got %q", got)
	}
}

func TestNewSocketID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	long := 0
	for range 10_000 {
		id := session.NewSocketID()
		if !pusher.ValidSocketID(id) || seen[id] {
			t.Fatalf("%q", id)
		}
		seen[id] = true
		first, second, _ := strings.Cut(id, ".")
		if len(first) > 10 || len(second) > 10 {
			t.Fatalf("%q has more than ten digits in a part", id)
		}
		if len(first) == 10 && len(second) == 10 {
			long++
		}
	}
	// Nine numbers of ten have all ten digits, so that the room is used.
	if long < 7800 || long > 8400 {
		t.Errorf("%d of 10,000 ids are as long as they may be", long)
	}
}

func FuzzHandle(f *testing.F) {
	for _, seed := range [][]byte{
		subscribe("a"), unsubscribe("a"), []byte(`{"event":"pusher:ping"}`), []byte(`[`), []byte("\xff"),
		[]byte(`{"event":"pusher:subscribe","data":"{\"channel\":\"private-x\"}"}`),
		{},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, socket := newEdge(t).open("js")
		s.Handle(t.Context(), text)
		s.Handle(t.Context(), text)
		for _, frame := range socket.take() {
			if _, err := pusher.ParseClientFrame([]byte(frame)); err != nil {
				t.Errorf("%q was answered with %s: %v", text, frame, err)
			}
		}
	})
}

// TestWhatCouldNotBeCheckedIsCheckedAgain: a key is revoked while the database does not answer, and an older answer stands in.
func TestWhatCouldNotBeCheckedIsCheckedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		var away atomic.Bool
		e.current = func(string) bool { return !away.Load() }
		e.registry = e.registryWith(nil)
		e.run(e.registry.Run)
		_, c := e.open("js")
		away.Store(true)
		e.registry.Recheck(t.Context(), e.app.ID)
		time.Sleep(10 * time.Second)
		if end := c.ended(); end != nil {
			t.Fatalf("while nobody knows: %v", end)
		}
		revoked := *e.app
		revoked.Keys = nil
		e.apps.set(&revoked)
		away.Store(false)
		time.Sleep(3 * time.Second)
		if end := c.ended(); end == nil || end.Code != pusher.CloseUnknownApp {
			t.Errorf("when it is known: %v", end)
		}
	})
}
