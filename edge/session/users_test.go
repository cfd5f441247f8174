package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// TestSignin tries what a sign-in may hold, on a socket that is signed in as nobody.
func TestSignin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, userData, want string }{
		{"id alone", `{"id":"12345"}`, ""},
		{"all of it", `{"id":"u:1 é/+","user_info":{"name":"Ann"},"watchlist":["a","b"],"more":[1]}`, ""},
		{"as PHP writes it", `{"user_info":{"url":"a\/b"},"id":"7"}`, ""},
		{"longest id", `{"id":"` + strings.Repeat("é", 200) + `"}`, ""},
		{"id that is a number", `{"id":7}`, "Invalid sign-in: user_data must have an id, which is a string and not empty"},
		{"empty id", `{"id":""}`, "Invalid sign-in: user_data must have an id, which is a string and not empty"},
		{"no id", `{}`, "Invalid sign-in: user_data must have an id, which is a string and not empty"},
		{"null id", `{"id":null}`, "Invalid sign-in: user_data must have an id, which is a string and not empty"},
		{"long id", `{"id":"` + strings.Repeat("é", 201) + `"}`, "Invalid sign-in: a user id may have at most 200 characters"},
		{"no JSON", `{"id"`, "Invalid sign-in: user_data must be a JSON object in a string"},
		{"an array", `["7"]`, "Invalid sign-in: user_data must be a JSON object in a string"},
		{"watchlist of numbers", `{"id":"7","watchlist":[1]}`, "Invalid sign-in: the watchlist of user_data must be an array of strings"},
		{"watchlist that is a string", `{"id":"7","watchlist":"a"}`, "Invalid sign-in: the watchlist of user_data must be an array of strings"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, socket := newEdge(t).open("js")
			socket.signIn(t, s, c.userData)
			want := string(pusher.SigninSuccess(c.userData))
			if c.want != "" {
				want = plain(c.want)
			}
			socket.expect(t, "answer", want)
			if socket.ended() != nil {
				t.Errorf("the socket was ended: %v", socket.ended())
			}
		})
	}
}

func TestSigninAuth(t *testing.T) {
	t.Parallel()
	s, socket := newEdge(t).open("js")
	const data = `{"id":"7"}`
	try := func(what, auth, userData, want string) {
		t.Helper()
		s.Handle(t.Context(), frameOf("pusher:signin", map[string]string{"auth": auth, "user_data": userData}))
		socket.expect(t, what, want)
	}
	try("no auth", "", data, plain("Auth info required to sign in"))
	try("unknown key", "nokey:00", data, plain("Invalid key in sign-in auth data: 'nokey:00'"))
	try("a channel's signature", signed(socket.id, data), data, plain("Invalid signature: Expected HMAC SHA256 hex digest of "+socket.id+"::user::"+data+", but got "+signed(socket.id, data)[len(demoKey)+1:]))
	auth := signed(socket.id, ":user:", data)
	try("other data", auth, `{"id": "7"}`, plain("Invalid signature: Expected HMAC SHA256 hex digest of "+socket.id+`::user::{"id": "7"}, but got `+auth[len(demoKey)+1:]))
	try("another socket's", signed("1.2", ":user:", data), data, plain("Invalid signature: Expected HMAC SHA256 hex digest of "+socket.id+"::user::"+data+", but got "+signed("1.2", ":user:", data)[len(demoKey)+1:]))
	try("right", auth, data, string(pusher.SigninSuccess(data)))
	try("again", auth, data, string(pusher.SigninSuccess(data)))
	try("as somebody else", signed(socket.id, ":user:", `{"id":"8"}`), `{"id":"8"}`, plain("The connection is already signed in as another user"))
	// The data may come as a string, and then has three levels.
	s.Handle(t.Context(), []byte(`{"event":"pusher:signin","data":"{\"auth\":\"`+auth+`\",\"user_data\":\"{\\\"id\\\":\\\"7\\\"}\"}"}`))
	socket.expect(t, "as a string", string(pusher.SigninSuccess(data)))
}

// TestServerToUser has a server speak to one user, on all of its sockets and on nobody else's.
func TestServerToUser(t *testing.T) {
	t.Parallel()
	const channel = "#server-to-user-u+7@x"
	e := newEdge(t)
	one, a := e.open("js")
	a.signIn(t, one, `{"id":"u+7@x"}`)
	a.take()
	one.Handle(t.Context(), subscribe(channel))
	a.expect(t, "the user itself", string(pusher.SubscriptionSucceeded(channel)))
	other, b := e.open("js")
	b.signIn(t, other, `{"id":"u+8@x"}`)
	b.take()
	other.Handle(t.Context(), subscribe(channel))
	b.expect(t, "another user", refused(channel, "AuthError", "Only the signed-in user itself may subscribe to "+channel, 401)...)
	e.publish(channel, "hello", "you")
	a.expect(t, "the user hears", string(pusher.EventFrame("hello", channel, "you")))
	b.expect(t, "the other hears")
	if list, err := e.bus.Channels(t.Context(), e.app.ID, ""); err != nil || len(list) != 0 {
		t.Errorf("the users' channels are in the list: %v, %v", list, err)
	}
	one.Handle(t.Context(), []byte(`{"event":"client-x","channel":"`+channel+`","data":"1"}`))
	a.expect(t, "client event", plain("Client event rejected - only supported on private and presence channels"))
}

// TestPresenceOfTheSignedIn joins presence channels without channel data.
func TestPresenceOfTheSignedIn(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, socket := e.open("js")
	socket.signIn(t, s, `{"id":"ann","user_info":{"name":"Ann"}}`)
	socket.take()
	socket.join(t, s, "presence-a", "")
	socket.list(t, "as who has signed in", "presence-a", `{\"count\":1,\"ids\":[\"ann\"],\"hash\":{\"ann\":{\"name\":\"Ann\"}}}`)
	socket.join(t, s, "presence-b", member("bo"))
	socket.list(t, "as who the data says", "presence-b", `{\"count\":1,\"ids\":[\"bo\"],\"hash\":{\"bo\":{}}}`)
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var sockets []*carrier
	for _, id := range []string{"7", "7", "8", ""} {
		s, c := e.open("js")
		if id == "" {
			c.join(t, s, "presence-a", member("7")) // is on a channel as 7, and has not signed in
		} else {
			c.signIn(t, s, `{"id":"`+id+`"}`)
		}
		sockets = append(sockets, c)
	}
	if err := e.publisher.Terminate(t.Context(), &tenants.App{ID: "2"}, "7"); err != nil {
		t.Fatal(err)
	}
	for i, c := range sockets {
		if c.ended() != nil {
			t.Errorf("another app's user ended socket %d", i)
		}
	}
	if err := e.publisher.Terminate(t.Context(), e.app, "7"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, true, false, false} {
		end := sockets[i].ended()
		if (end != nil) != want || (want && end.Code != pusher.CloseUnauthorized) {
			t.Errorf("socket %d: %v", i, end)
		}
	}
	if err := e.publisher.Terminate(t.Context(), e.app, "nobody"); err != nil {
		t.Errorf("nobody: %v", err)
	}
}

// TestWatchlist follows a user who watches three others through their coming and going.
func TestWatchlist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.app.Features.Watchlist = true
		online := func(id string) string { return string(pusher.WatchlistEvents([]string{id}, nil)) }
		offline := func(id string) string { return string(pusher.WatchlistEvents(nil, []string{id})) }
		come := func(id string) func() {
			s, c := e.open("js")
			c.signIn(t, s, `{"id":"`+id+`"}`)
			return func() { s.Close(context.Background()) }
		}
		bo := come("bo")
		s, socket := e.open("js")
		const data = `{"id":"ann","watchlist":["bo","cy","dee","bo"]}`
		socket.signIn(t, s, data)
		socket.expect(t, "at first", string(pusher.SigninSuccess(data)), string(pusher.WatchlistEvents([]string{"bo"}, []string{"cy", "dee"})))
		if got := string(pusher.WatchlistEvents([]string{"bo"}, []string{"cy", "dee"})); got != `{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"bo\"]},{\"name\":\"offline\",\"user_ids\":[\"cy\",\"dee\"]}]}"}` {
			t.Errorf("the frame is %s", got)
		}

		cy, cy2 := come("cy"), come("cy")
		socket.expect(t, "one comes, on two sockets", online("cy"))
		cy()
		time.Sleep(10 * time.Second)
		socket.expect(t, "one of the two goes")
		cy2()
		time.Sleep(2 * time.Second)
		socket.expect(t, "the other goes, a moment ago")
		cy = come("cy") // from one page to the next
		time.Sleep(10 * time.Second)
		socket.expect(t, "it was only the next page")
		cy()
		time.Sleep(time.Second)
		bo()
		time.Sleep(4 * time.Second)
		socket.expect(t, "both have gone", offline("cy"), offline("bo"))

		// Signing in again replaces the list.
		const shorter = `{"id":"ann","watchlist":["dee"]}`
		socket.signIn(t, s, shorter)
		socket.expect(t, "another list", string(pusher.SigninSuccess(shorter)), offline("dee"))
		bo = come("bo")
		come("dee")
		socket.expect(t, "only who is on it", online("dee"))
		bo()
		s.Close(context.Background())
		time.Sleep(10 * time.Second)
		socket.expect(t, "after the end")
	})
}

func TestWatchlistLimits(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, socket := e.open("js")
	const data = `{"id":"ann","watchlist":["bo"]}`
	socket.signIn(t, s, data)
	socket.expect(t, "switched off", string(pusher.SigninSuccess(data)))

	on := *e.app
	on.Features.Watchlist = true
	e.apps.set(&on)
	e.registry.Recheck(t.Context(), "1")
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf("u%d", i)
	}
	long := `{"id":"ann","watchlist":["` + strings.Join(ids, `","`) + `"]}`
	socket.signIn(t, s, long)
	socket.expect(t, "one too many", string(pusher.SigninSuccess(long)),
		string(pusher.Error(pusher.ErrorWatchlist, "The watchlist is over its limit; the first 100 users are watched")),
		string(pusher.WatchlistEvents(nil, ids[:100])))
	if n := e.hub.Subscriptions(); n != 101 {
		t.Errorf("%d subscriptions", n)
	}
	s.Close(context.Background())
	if n := e.hub.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}
