package edge_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	pusherhttp "github.com/pusher/pusher-http-go/v5"

	"github.com/pealhq/peal/tenants"
)

// enterRoom subscribes to presence-room with what the official library signs.
func (c *client) enterRoom(library *pusherhttp.Client, user string) {
	c.t.Helper()
	const channel = "presence-room"
	signed, err := library.AuthorizePresenceChannel([]byte("socket_id="+c.socketID+"&channel_name="+channel), pusherhttp.MemberData{UserID: user})
	if err != nil {
		c.t.Fatal(err)
	}
	c.sendSigned("pusher:subscribe", map[string]any{"channel": channel}, signed)
	if f := c.read(); f.Event != "pusher_internal:subscription_succeeded" || f.Channel != channel {
		c.t.Fatalf("answer to subscribe: %+v", f)
	}
}

// signIn signs in with what the official library signs, and then listens to what servers tell the user, as pusher-js does.
func (c *client) signIn(library *pusherhttp.Client, user string) {
	c.t.Helper()
	signed, err := library.AuthenticateUser([]byte("socket_id="+c.socketID), map[string]any{"id": user})
	if err != nil {
		c.t.Fatal(err)
	}
	c.sendSigned("pusher:signin", map[string]any{}, signed)
	if f := c.read(); f.Event != "pusher:signin_success" {
		c.t.Fatalf("answer to signin: %+v", f)
	}
	c.subscribe("#server-to-user-" + user)
}

// sendSigned sends an event with these data and those that a library has signed.
func (c *client) sendSigned(event string, data map[string]any, signed []byte) {
	c.t.Helper()
	if err := json.Unmarshal(signed, &data); err != nil {
		c.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"event": event, "data": data})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(text))
}

func pointer[T any](v T) *T { return &v }

// TestOfficialLibraryAsks asks with the official library for everything that it can ask for.
func TestOfficialLibraryAsks(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Features.SubscriptionCount = true
	library := e.official(e.app)
	one, two, three := e.connect(t, e.app), e.connect(t, e.app), e.connect(t, e.app)
	one.enterRoom(library, "ann")
	one.subscribe("news")
	two.enterRoom(library, "ann")
	three.enterRoom(library, "bob@example.com")
	e.connect(t, e.other).subscribe("elsewhere")

	list, err := library.Channels(pusherhttp.ChannelsParams{})
	want := &pusherhttp.ChannelsList{Channels: map[string]pusherhttp.ChannelListItem{"news": {}, "presence-room": {}}}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("channels: %v (-want +got):\n%s", err, diff)
	}
	list, err = library.Channels(pusherhttp.ChannelsParams{FilterByPrefix: pointer("presence-"), Info: pointer("user_count")})
	want = &pusherhttp.ChannelsList{Channels: map[string]pusherhttp.ChannelListItem{"presence-room": {UserCount: 2}}}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("presence channels: %v (-want +got):\n%s", err, diff)
	}
	if _, err = library.Channels(pusherhttp.ChannelsParams{Info: pointer("user_count")}); err == nil || !strings.Contains(err.Error(), "400 - user_count may only be requested for presence channels") {
		t.Errorf("user_count of all: %v", err)
	}

	for name, c := range map[string]struct {
		info string
		want pusherhttp.Channel
	}{
		"news":          {"subscription_count", pusherhttp.Channel{Name: "news", Occupied: true, SubscriptionCount: 1}},
		"presence-room": {"user_count", pusherhttp.Channel{Name: "presence-room", Occupied: true, UserCount: 2}},
		"nobody":        {"", pusherhttp.Channel{Name: "nobody"}},
	} {
		params := pusherhttp.ChannelParams{}
		if c.info != "" {
			params.Info = &c.info
		}
		got, err := library.Channel(name, params)
		if diff := cmp.Diff(&c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}

	users, err := library.GetChannelUsers("presence-room")
	if diff := cmp.Diff(&pusherhttp.Users{List: []pusherhttp.User{{ID: "ann"}, {ID: "bob@example.com"}}}, users); err != nil || diff != "" {
		t.Errorf("users: %v (-want +got):\n%s", err, diff)
	}
	if users, err = library.GetChannelUsers("presence-empty"); err != nil || users.List == nil || len(users.List) != 0 {
		t.Errorf("nobody: %+v, %v", users, err)
	}

	// A tab of ann's is closed, then the other one.
	for _, c := range []*client{one, two} {
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	}
	eventually(t, func() bool {
		users, err := library.GetChannelUsers("presence-room")
		return err == nil && len(users.List) == 1 && users.List[0].ID == "bob@example.com"
	})
	eventually(t, func() bool {
		list, err := library.Channels(pusherhttp.ChannelsParams{})
		return err == nil && len(list.Channels) == 1
	})
}

// TestOfficialLibraryAsksWhatItPublishesTo asks for info with a publish.
func TestOfficialLibraryAsksWhatItPublishesTo(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Features.SubscriptionCount = true
	library := e.official(e.app)
	c := e.connect(t, e.app)
	c.enterRoom(library, "ann")
	c.subscribe("news")

	params := pusherhttp.TriggerParams{Info: pointer("user_count,subscription_count")}
	got, err := library.TriggerMultiWithParams([]string{"news", "presence-room", "nobody"}, "e", "x", params)
	want := &pusherhttp.TriggerChannelsList{Channels: map[string]pusherhttp.TriggerChannelListItem{
		"news": {SubscriptionCount: pointer(1)}, "presence-room": {UserCount: pointer(1)}, "nobody": {SubscriptionCount: pointer(0)},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("event: %v (-want +got):\n%s", err, diff)
	}
	batch, err := library.TriggerBatch([]pusherhttp.Event{
		{Channel: "presence-room", Name: "e", Data: "x", Info: pointer("user_count")}, {Channel: "news", Name: "e", Data: "x"},
	})
	wantBatch := &pusherhttp.TriggerBatchChannelsList{Batch: []pusherhttp.TriggerBatchChannelListItem{{UserCount: pointer(1)}, {}}}
	if diff := cmp.Diff(wantBatch, batch); err != nil || diff != "" {
		t.Errorf("batch: %v (-want +got):\n%s", err, diff)
	}

	if _, err := library.TriggerMultiWithParams([]string{"news", "presence-room"}, "not for it", "x", pusherhttp.TriggerParams{SocketID: &c.socketID}); err != nil {
		t.Error(err)
	}
	for _, f := range c.ping() {
		if f.Event == "not for it" {
			t.Errorf("the excluded socket got %+v", f)
		}
	}
}

// TestTerminateReachesTheSockets speaks to a signed-in user and then ends its connections, by both paths.
func TestTerminateReachesTheSockets(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	library := e.official(e.app)
	for user, path := range map[string]string{
		"ann@example.com": "/apps/" + e.app.ID + "/users/ann@example.com/terminate_connections",
		"bob":             "/users/bob/terminate_connections", // as Python's library has it
	} {
		first, second, stranger := e.connect(t, e.app), e.connect(t, e.app), e.connect(t, e.app)
		first.signIn(library, user)
		second.signIn(library, user)
		stranger.enterRoom(library, user)
		if err := library.SendToUser(user, "greeting", "hello"); err != nil {
			t.Fatal(err)
		}
		channel := "#server-to-user-" + user
		for _, c := range []*client{first, second} {
			if got := c.read(); got != (frame{"greeting", channel, "hello"}) {
				t.Errorf("got %+v", got)
			}
		}
		var count struct{ Connections int }
		got := e.ask(t, e.app, "GET", "/apps/"+e.app.ID+"/connections", "")
		if err := json.Unmarshal([]byte(got), &count); err != nil || count.Connections < 3 {
			t.Errorf("connections: %s", got)
		}
		if got := e.ask(t, e.app, "POST", path, "{}"); got != "{}" {
			t.Errorf("terminate: %s", got)
		}
		for _, c := range []*client{first, second} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			var err error
			for err == nil { // an error frame may come before
				_, _, err = c.conn.Read(ctx)
			}
			cancel()
			if websocket.CloseStatus(err) != 4009 {
				t.Errorf("ended with %v", err)
			}
		}
		stranger.ping()
	}
}

// ask sends a signed request for which the library has no method.
func (e *edge) ask(t *testing.T, app *tenants.App, method, path, body string) string {
	t.Helper()
	query := fmt.Sprintf("auth_key=%s&auth_timestamp=%d&auth_version=1.0", app.Keys[0].Public, time.Now().Unix())
	if body != "" {
		sum := md5.Sum([]byte(body))
		query += "&body_md5=" + hex.EncodeToString(sum[:])
	}
	mac := hmac.New(sha256.New, []byte(app.Keys[0].Secret.Reveal()))
	_, _ = io.WriteString(mac, method+"\n"+path+"\n"+query)
	r, err := http.NewRequestWithContext(t.Context(), method, e.http.URL+path+"?"+query+"&auth_signature="+hex.EncodeToString(mac.Sum(nil)), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := e.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %q, %v", method, path, answer.StatusCode, text, err)
	}
	return string(text)
}

// eventually waits for what must happen.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
