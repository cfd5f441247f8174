//go:build conformance

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	pusher "github.com/pusher/pusher-http-go/v5"
)

func TestTrap52_AGetMayHaveADigestAndAType(t *testing.T) {
	t.Parallel()
	a := plain(t)
	const md5OfNothing = "d41d8cd98f00b204e9800998ecf8427e" // as Python signs it
	for _, header := range []http.Header{nil, {"Content-Type": {"application/json"}}} {
		for _, digest := range []string{"-", md5OfNothing} {
			get := request{method: http.MethodGet, path: a.path("/channels"), md5: digest, header: header.Clone()}
			a.call(t, get).succeeds(t, "")
		}
	}
	get := request{method: http.MethodGet, path: a.path("/channels"), md5: strings.Repeat("0", 32)}
	a.call(t, get).refused(t, http.StatusUnauthorized, "")
}

func TestTrap53_ARequestIsOfItsTimeAndApp(t *testing.T) {
	t.Parallel()
	a, other := plain(t), prepared(t, "other")
	channel := unique("")
	c := connect(t, a, js)
	c.subscribe(channel)
	body := `{"name":"e","channel":` + quote(channel) + `,"data":"x"}`
	publish := request{method: http.MethodPost, path: a.path("/events"), body: body}
	for name, spoil := range map[string]func(r *request){
		"too old":             func(r *request) { r.at = time.Now().Add(-610 * time.Second) },
		"too new":             func(r *request) { r.at = time.Now().Add(610 * time.Second) },
		"from 1970":           func(r *request) { r.at = time.Unix(0, 0) },
		"another version":     func(r *request) { r.version = "2.0" },
		"an unknown key":      func(r *request) { r.key = "no-such-key" },
		"another app's key":   func(r *request) { r.key = other.key },
		"no digest":           func(r *request) { r.md5 = "-" },
		"another's digest":    func(r *request) { r.md5 = strings.Repeat("0", 32) },
		"no signature":        func(r *request) { r.signature = "x" },
		"a signature changed": func(r *request) { r.signature = strings.Repeat("0", 64) },
		"a parameter added":   func(r *request) { r.params, r.signAs = []string{"info=user_count"}, []string{} },
	} {
		r := publish
		spoil(&r)
		if got := a.call(t, r); got.status != http.StatusUnauthorized || got.body == "" {
			t.Errorf("%s: answered %d %q", name, got.status, got.body)
		}
	}
	// The other app, with its own key and secret, on this app's path.
	other.call(t, publish).refused(t, http.StatusUnauthorized, "")
	// Just within the window is fine.
	for _, off := range []time.Duration{-590 * time.Second, 590 * time.Second} {
		r := publish
		r.at = time.Now().Add(off)
		a.call(t, r).succeeds(t, "{}")
		c.wantData("e", channel, "x")
	}
	c.marker(channel)
	if server.own != nil {
		gone := a
		gone.id = "424242"
		gone.post(t, "/events", body).refused(t, http.StatusNotFound, "")
	}
}

func TestTrap54_SuccessIs200WithAnObject(t *testing.T) {
	t.Parallel()
	a := plain(t)
	channel := unique("")
	one := `"name":"e","data":"x"`
	for _, r := range []answer{
		a.post(t, "/events", `{`+one+`,"channel":`+quote(channel)+`}`),
		a.post(t, "/events", `{`+one+`,"channels":[`+quote(channel)+`,`+quote(channel)+`]}`),
		a.post(t, "/batch_events", `{"batch":[{`+one+`,"channel":`+quote(channel)+`}]}`),
		a.post(t, "/users/nobody/terminate_connections", "{}"),
	} {
		r.succeeds(t, "{}")
	}
	a.get(t, "/channels").succeeds(t, "")
	if body := a.get(t, "/channels").body; !strings.HasPrefix(body, "{") {
		t.Errorf("answered %s", body)
	}
}

// TestTrap55_ShapesAreWhatStructsExpect reads the answers with the Go library, which is strict about types.
func TestTrap55_ShapesAreWhatStructsExpect(t *testing.T) {
	t.Parallel()
	a := prepared(t, "other") // no other test leaves channels on it
	lib := a.library()
	count := "subscription_count,user_count"
	r, err := lib.TriggerBatch([]pusher.Event{{Channel: unique(""), Name: "e", Data: "x"}, {Channel: unique("presence-"), Name: "e", Data: "y", Info: &count}})
	if err != nil || len(r.Batch) != 2 {
		t.Errorf("batch with info: %+v, %v", r, err)
	}
	if _, err := lib.TriggerBatch([]pusher.Event{{Channel: unique(""), Name: "e", Data: "x"}}); err != nil {
		t.Error(err)
	}
	// PHP wants an object where there is nothing.
	if body := a.get(t, "/channels", "filter_by_prefix="+unique("nothing-")).body; !sameJSON(body, `{"channels":{}}`) {
		t.Errorf("no channels: %s", body)
	}
	presence := unique("presence-")
	if body := a.get(t, "/channels/"+presence+"/users").body; !sameJSON(body, `{"users":[]}`) {
		t.Errorf("no users: %s", body)
	}
	c := connect(t, a, js)
	c.join(presence, `{"user_id":7}`)
	users, err := lib.GetChannelUsers(presence)
	if err != nil || len(users.List) != 1 || users.List[0].ID != "7" {
		t.Errorf("users %+v, %v", users, err)
	}
	prefix, info := "presence-", "user_count"
	list, err := lib.Channels(pusher.ChannelsParams{FilterByPrefix: &prefix, Info: &info})
	if err != nil || list.Channels[presence].UserCount != 1 {
		t.Errorf("channels %+v, %v", list, err)
	}
	for name, wrong := range map[string]answer{
		"no JSON":         a.post(t, "/events", `{"name":`),
		"no name":         a.post(t, "/events", `{"channel":"a","data":"x"}`),
		"a bare list":     a.post(t, "/events", `[]`),
		"channels text":   a.post(t, "/events", `{"name":"e","channels":"a","data":"x"}`),
		"no channels":     a.post(t, "/events", `{"name":"e","channels":[],"data":"x"}`),
		"101 channels":    a.post(t, "/events", `{"name":"e","channels":["a0"`+strings.Repeat(`,"a"`, 100)+`],"data":"x"}`),
		"11 events":       a.post(t, "/batch_events", `{"batch":[`+strings.Repeat(`{"name":"e","channel":"a","data":"x"},`, 10)+`{"name":"e","channel":"a","data":"x"}]}`),
		"user_count":      a.get(t, "/channels", "info=user_count"),
		"users of public": a.get(t, "/channels/a/users"),
		"count of public": a.get(t, "/channels/a", "info=user_count"),
		"encrypted among": a.post(t, "/events", `{"name":"e","channels":["a","private-encrypted-b"],"data":"x"}`),
	} {
		if wrong.status != http.StatusBadRequest || wrong.body == "" {
			t.Errorf("%s: answered %d %q", name, wrong.status, wrong.body)
		}
	}
}

func TestTrap56_AnEmptyChannelIsNotThere(t *testing.T) {
	t.Parallel()
	a := plain(t)
	c := connect(t, a, js)
	channel := unique("listed-")
	a.get(t, "/channels/"+channel).succeeds(t, `{"occupied":false}`)
	a.trigger(t, channel, "e", "x")
	a.get(t, "/channels", "filter_by_prefix="+channel).succeeds(t, `{"channels":{}}`)
	c.subscribe(channel)
	a.get(t, "/channels", "filter_by_prefix="+channel).succeeds(t, `{"channels":{`+quote(channel)+`:{}}}`)
	a.get(t, "/channels/"+channel).succeeds(t, `{"occupied":true}`)
	c.unsubscribe(channel)
	c.quiet()
	a.get(t, "/channels", "filter_by_prefix="+channel).succeeds(t, `{"channels":{}}`)
	a.get(t, "/channels/"+channel).succeeds(t, `{"occupied":false}`)
	if _, listed := channelsOf(t, a)[""]; listed {
		t.Error("a channel without a name is listed")
	}
	presence := unique("presence-")
	a.get(t, "/channels/"+presence, "info=user_count").succeeds(t, `{"occupied":false,"user_count":0}`)
}

func channelsOf(t *testing.T, a app) map[string]any {
	t.Helper()
	var list struct{ Channels map[string]any }
	if err := json.Unmarshal([]byte(a.get(t, "/channels").body), &list); err != nil {
		t.Fatal(err)
	}
	return list.Channels
}

func TestTrap57_APublishTellsCounts(t *testing.T) {
	t.Parallel()
	a := prepared(t, "counts")
	public, presence := unique(""), unique("presence-")
	for _, id := range []string{"ann", "ann", "bo"} {
		c := connect(t, a, js)
		c.subscribe(public)
		c.want(evCount, public)
		c.join(presence, `{"user_id":"`+id+`"}`)
	}
	body := `{"name":"e","channels":[` + quote(public) + `,` + quote(presence) + `],"data":"x","info":"subscription_count,user_count"}`
	r := a.post(t, "/events", body).succeeds(t, "")
	var told struct {
		Channels map[string]struct {
			Users         *int `json:"user_count"`
			Subscriptions *int `json:"subscription_count"`
		}
	}
	if err := json.Unmarshal([]byte(r.body), &told); err != nil {
		t.Fatal(err)
	}
	if n := told.Channels[public].Subscriptions; n == nil || *n != 3 || told.Channels[public].Users != nil {
		t.Errorf("public: %s", r.body)
	}
	if n := told.Channels[presence].Users; n == nil || *n != 2 {
		t.Errorf("presence: %s", r.body)
	}
	batch := `{"batch":[{"name":"e","channel":` + quote(public) + `,"data":"x"},{"name":"e","channel":` + quote(public) + `,"data":"x","info":"subscription_count"}]}`
	a.post(t, "/batch_events", batch).succeeds(t, `{"batch":[{},{"subscription_count":3}]}`)
}

// TestTrap58_TheQueryCanPublish: with arrays signed as Ruby signs them, and as PHP does.
func TestTrap58_TheQueryCanPublish(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	one, two := unique("a"), unique("b")
	c.subscribe(one)
	c.subscribe(two)
	for name, r := range map[string]request{
		"ruby":        {params: []string{"name=e", "data=x & <y>", "channels[]=" + one, "channels[]=" + two}},
		"php":         {params: []string{"name=e", "data=x & <y>", "channels[0]=" + one, "channels[1]=" + two}, signAs: []string{"name=e", "data=x & <y>", "channels=" + one + "," + two}},
		"one channel": {params: []string{"name=e", "data=x & <y>", "channel=" + one}},
	} {
		r.method, r.path = http.MethodPost, c.app.path("/events")
		if got := c.app.call(t, r); got.status != http.StatusOK || got.body != "{}" {
			t.Errorf("%s: answered %d %s", name, got.status, got.body)
			continue
		}
		// Channels have no order among each other.
		heard, want := []string{c.next().channel}, []string{one}
		if name != "one channel" {
			heard, want = append(heard, c.next().channel), append(want, two)
		}
		slices.Sort(heard)
		if !slices.Equal(heard, want) {
			t.Errorf("%s: heard on %v, want %v", name, heard, want)
		}
	}
	// The parameters of a question may be arrays as well.
	c.app.get(t, "/channels/"+unique("presence-"), "info[]=user_count").succeeds(t, `{"occupied":false,"user_count":0}`)
	// The older way: the body is the data, and the answer 202.
	path := c.app.path("/channels/" + one + "/events")
	old := c.app.call(t, request{method: http.MethodPost, path: path, params: []string{"name=old"}, body: "just text"})
	if old.status != http.StatusAccepted {
		t.Errorf("the older way: %d %s", old.status, old.body)
	}
	c.wantData("old", one, "just text")
	// An escaped path is signed as it travels or as it reads.
	id := "user@x"
	for _, path := range []string{c.app.path("/users/" + id + "/terminate_connections"), c.app.path("/users/" + url.PathEscape(id) + "/terminate_connections")} {
		c.app.call(t, request{method: http.MethodPost, path: path, body: "{}"}).succeeds(t, "{}")
	}
}

func TestTrap59_TheBodyMayBeAsLargeAsItsEscapes(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	channel := unique("")
	c.subscribe(channel)
	data := strings.Repeat("\x01", 10240)
	event := func(data string) string {
		return `{"name":"e","channel":` + quote(channel) + `,"data":` + quote(data) + `}`
	}
	batch := func(last string) string {
		return `{"batch":[` + strings.Join(append(slices.Repeat([]string{event(data)}, 9), event(last)), ",") + `]}`
	}
	if n := len(batch(data)); n < 600_000 {
		t.Fatalf("the body has only %d bytes", n)
	}
	c.app.post(t, "/batch_events", batch(data)).succeeds(t, "{}")
	for range 10 {
		c.wantData("e", channel, data)
	}
	// The limit is of each event, in bytes as they read; one that is over keeps all of them back.
	c.app.post(t, "/batch_events", batch(data+"x")).refused(t, http.StatusRequestEntityTooLarge, "10240")
	c.app.post(t, "/events", event(data+"x")).refused(t, http.StatusRequestEntityTooLarge, "10240")
	c.app.post(t, "/events", event(strings.Repeat("é", 5121))).refused(t, http.StatusRequestEntityTooLarge, "10240")
	c.marker(channel)
}
