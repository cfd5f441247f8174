//go:build conformance

package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestTrap47_ASignInComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, lib := range []library{js, java, dotnet} {
		for _, user := range []string{
			`{"id":"12345"}`, `{"id":"12345","user_info":{"name":"Ann"},"watchlist":["u2","u3"]}`,
			`{ "watchlist":[] , "x":"\/\u00e9<>&", "id":"a@b=c" }`,
		} {
			for name, wrap := range map[string]func(string) string{"object": strings.TrimSpace, "text": quote} {
				c := connect(t, plain(t), lib)
				data := `{"auth":` + quote(c.app.sign(c.id+"::user::"+user)) + `,"user_data":` + quote(user) + `}`
				c.emit("pusher:signin", "", wrap(data))
				f := c.want(evSignedIn, "")
				if !sameJSON(f.data, `{"user_data":`+quote(user)+`}`) {
					t.Errorf("%s, as %s: %s came back as %s", lib.name, name, user, f.data)
				}
			}
		}
	}
	// What pusher-js would drop for its id must not look like a success.
	for _, user := range []string{`{"id":7}`, `{"id":""}`, `{"id":null}`, `{}`, `[]`, `x`} {
		c := connect(t, plain(t), js)
		c.signin(user)
		c.wantError(0, "")
		c.signedIn(`{"id":"7"}`)
	}
}

func TestTrap48_SignInIsAlwaysThere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "quiet", "strict"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, prepared(t, name), js)
			c.signin("wrong") // each is answered
			c.wantError(0, "")
			c.signedIn(`{"id":"ann"}`)
			c.signedIn(`{"id":"ann","more":1}`)
			c.signin(`{"id":"bo"}`)
			c.wantError(0, "already signed in")
			c.subscribe(unique("presence-"))
		})
	}
}

func TestTrap49_AUsersChannelIsTheirs(t *testing.T) {
	t.Parallel()
	id := unique("user-")
	mine := "#server-to-user-" + id
	c, stranger, nobody := connect(t, plain(t), js), connect(t, plain(t), js), connect(t, plain(t), js)
	stranger.signedIn(`{"id":"stranger"}`)
	c.signedIn(`{"id":` + quote(id) + `}`)
	c.ask(mine, "", "")
	c.wantData(evSucceeded, mine, "{}")
	for _, other := range []*client{stranger, nobody} {
		other.ask(mine, "", "")
		other.failed(mine)
		other.ask(mine, other.app.sign(other.id+":"+mine), "")
		other.failed(mine)
	}
	if err := c.app.library().SendToUser(id, "e", "hello"); err != nil {
		t.Error(err)
	}
	c.wantData("e", mine, "hello")
	stranger.quiet()
	nobody.quiet()
	for _, channel := range []string{"#foo", "#server-to-user-", "#", "#server-to-user"} {
		c.ask(channel, "", "")
		c.failed(channel)
		c.app.post(t, "/events", `{"name":"e","channels":[`+quote(channel)+`],"data":"x"}`).refused(t, http.StatusBadRequest, "")
	}
	c.emit("client-e", mine, `"x"`)
	c.wantError(0, "")
	if body := c.app.get(t, "/channels").body; strings.Contains(body, "#") {
		t.Errorf("listed: %s", body)
	}
}

func TestTrap50_AWatchlistComesInItsEnvelope(t *testing.T) {
	t.Parallel()
	watch := prepared(t, "watch")
	for _, lib := range []library{js, dotnet} {
		one, two := unique("u"), unique("u")
		there := connect(t, watch, lib)
		there.signedIn(`{"id":` + quote(one) + `}`)
		watcher := connect(t, watch, lib)
		watcher.signedIn(`{"id":` + quote(unique("w")) + `,"watchlist":[` + quote(one) + `,` + quote(two) + `]}`)
		f := watcher.want(evWatchlist, "")
		if !sameJSON(f.data, `{"events":[{"name":"online","user_ids":[`+quote(one)+`]},{"name":"offline","user_ids":[`+quote(two)+`]}]}`) {
			t.Errorf("%s: %s", lib.name, f.raw)
		}
		other := connect(t, watch, lib)
		other.signedIn(`{"id":` + quote(two) + `}`)
		if f := watcher.want(evWatchlist, ""); !sameJSON(f.data, `{"events":[{"name":"online","user_ids":[`+quote(two)+`]}]}`) {
			t.Errorf("%s: %s", lib.name, f.raw)
		}
		tab := connect(t, watch, lib)
		tab.signedIn(`{"id":` + quote(two) + `}`)
		tab.leave()
		watcher.quiet()
		other.leave()
		if f := watcher.want(evWatchlist, ""); !sameJSON(f.data, `{"events":[{"name":"offline","user_ids":[`+quote(two)+`]}]}`) {
			t.Errorf("%s: %s", lib.name, f.raw)
		}
	}
	t.Run("too long", func(t *testing.T) {
		t.Parallel()
		var ids []string
		for i := range 101 {
			ids = append(ids, quote(fmt.Sprintf("long%d", i)))
		}
		c := connect(t, watch, js)
		c.signedIn(`{"id":` + quote(unique("w")) + `,"watchlist":[` + strings.Join(ids, ",") + `]}`)
		c.wantError(4302, "")
		if f := c.want(evWatchlist, ""); strings.Contains(f.data, "long100") || !strings.Contains(f.data, "long99") {
			t.Errorf("not the first hundred: %s", f.data)
		}
	})
}

// TestTrap51_PythonTerminatesWithoutTheApp: its library leaves /apps/{id} out of the path, and signs it so.
func TestTrap51_PythonTerminatesWithoutTheApp(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/users/", plain(t).path("/users/")} {
		id := unique("user@x=")
		c, again, present := connect(t, plain(t), js), connect(t, plain(t), js), connect(t, plain(t), js)
		c.signedIn(`{"id":` + quote(id) + `}`)
		again.signedIn(`{"id":` + quote(id) + `}`)
		present.join(unique("presence-"), `{"user_id":`+quote(id)+`}`) // not signed in
		terminate := func(id string) {
			t.Helper()
			path := prefix + id + "/terminate_connections"
			c.app.call(t, request{method: http.MethodPost, path: path, body: "{}"}).succeeds(t, "{}")
		}
		terminate(id)
		for _, gone := range []*client{c, again} {
			gone.wantError(4009, "")
			if code := gone.ended(); code != 4009 {
				t.Errorf("closed with %d", code)
			}
		}
		present.quiet()
		terminate("nobody-" + id) // who is not there is gone, too
		back := connect(t, plain(t), js)
		back.signedIn(`{"id":` + quote(id) + `}`)
	}
}
