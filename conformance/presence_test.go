//go:build conformance

package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTrap28_UserIDsAreText(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		watcher := connect(t, plain(t), lib)
		channel := unique("presence-")
		watcher.join(channel, `{"user_id":"watcher"}`)
		for given, want := range map[string]string{
			"7": "7", "10": "10", "9007199254740993": "9007199254740993", "1000000000000000000": "1000000000000000000",
			`"a@b.c+d é/:"`: "a@b.c+d é/:", `"__proto__"`: "__proto__",
		} {
			c := connect(t, plain(t), lib)
			f := c.join(channel, `{"user_id":`+given+`}`)
			r, err := f.roster()
			if err != nil || !slices.Contains(r.IDs, want) {
				t.Errorf("%s: %s became %v (%v)", lib.name, given, r.IDs, err)
			}
			watcher.wantMember(evAdded, channel, want)
			if text := watcher.app.get(t, "/channels/"+channel+"/users").body; !strings.Contains(text, `{"id":`+quote(want)+`}`) {
				t.Errorf("the HTTP API says %s", text)
			}
			// Written as a number or as text, it is the same member.
			same := connect(t, plain(t), lib)
			as := quote(want)
			if r, err := same.join(channel, `{"user_id":`+as+`}`).roster(); err != nil || r.Count != 2 {
				t.Errorf("%s: %s and %s are %v (%v)", lib.name, given, as, r.IDs, err)
			}
			same.leave()
			watcher.marker(channel)
			c.leave()
			watcher.wantMember(evRemoved, channel, want)
		}
	}
}

// wantMember takes the next frame, which must tell of this user.
func (c *client) wantMember(event, channel, id string) {
	c.t.Helper()
	f := c.want(event, channel)
	if !strings.HasPrefix(f.data, `{"user_id":`+quote(id)) {
		c.t.Fatalf("%s: received %s, want it of %q", c.lib.name, f.raw, id)
	}
}

func TestTrap29_ASecondTabIsNoSecondMember(t *testing.T) {
	t.Parallel()
	watcher := connect(t, plain(t), js)
	channel := unique("presence-")
	watcher.join(channel, `{"user_id":"watcher"}`)
	one, two := connect(t, plain(t), js), connect(t, plain(t), js)
	const ann = `{"user_id":"ann","user_info":{"name":"Ann"}}`
	one.join(channel, ann)
	watcher.wantMember(evAdded, channel, "ann")
	two.join(channel, ann)
	one.marker(channel)
	watcher.next() // the marker
	watcher.marker(channel)
	one.next()
	one.leave()
	watcher.marker(channel)
	two.unsubscribe(channel)
	watcher.wantMember(evRemoved, channel, "ann")
	watcher.marker(channel)
	if f, came := two.try(0); came && f.event != "" && !strings.HasPrefix(f.event, "marker-") {
		t.Errorf("the second tab was told %s", f.raw)
	}
}

func TestTrap30_TheListOfMembersIsConsistent(t *testing.T) {
	t.Parallel()
	channel := unique("presence-")
	for i, lib := range slices.Concat(libraries, libraries) {
		c := connect(t, plain(t), lib)
		id := fmt.Sprintf("u%d", i/2) // each twice
		r, err := c.join(channel, `{"user_id":"`+id+`","user_info":{"n":`+fmt.Sprint(i)+`}}`).roster()
		if err != nil {
			t.Fatal(err)
		}
		if want := i/2 + 1; r.Count != want || len(r.IDs) != want || len(r.Hash) != want || !slices.Contains(r.IDs, id) {
			t.Errorf("%d members, ids %v, %d in hash; want %d with %s", r.Count, r.IDs, len(r.Hash), want, id)
		}
		for _, id := range r.IDs {
			if _, ok := r.Hash[id]; !ok {
				t.Errorf("%s is not in the hash", id)
			}
		}
	}
	alone := unique("presence-")
	c := connect(t, plain(t), dotnet)
	if r, err := c.join(alone, `{"user_id":"me"}`).roster(); err != nil || r.Count != 1 || r.IDs[0] != "me" {
		t.Errorf("alone: %+v, %v", r, err)
	}
}

func TestTrap31_AMemberIsToldFlat(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		watcher, c := connect(t, plain(t), lib), connect(t, plain(t), lib)
		channel := unique("presence-")
		watcher.join(channel, `{"user_id":"watcher"}`)
		c.join(channel, `{"user_id":"7","user_info":{"name":"Ann <&>"}}`)
		if f := watcher.want(evAdded, channel); !sameJSON(f.data, `{"user_id":"7","user_info":{"name":"Ann <&>"}}`) {
			t.Errorf("%s: %s", lib.name, f.raw)
		}
		c.quiet() // it is not told of itself
		c.unsubscribe(channel)
		watcher.wantData(evRemoved, channel, `{"user_id":"7"}`)
	}
}

// TestTrap32_WhoIsLostIsRemoved: by a reset, by a close without goodbye, and by silence. A node that dies belongs to a
// cluster, which this suite does not have.
func TestTrap32_WhoIsLostIsRemoved(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *client){
		"reset": func(c *client) { _ = c.reset() },
		"close": func(c *client) { _ = c.conn.Close() },
		"bye":   func(c *client) { c.leave() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watcher, c := connect(t, plain(t), js), connect(t, plain(t), js)
			channel := unique("presence-")
			watcher.join(channel, `{"user_id":"watcher"}`)
			c.join(channel, `{"user_id":"7"}`)
			watcher.wantMember(evAdded, channel, "7")
			lose(c)
			watcher.wantMember(evRemoved, channel, "7")
			watcher.marker(channel) // once
			watcher.app.get(t, "/channels/"+channel+"/users").succeeds(t, `{"users":[{"id":"watcher"}]}`)
		})
	}
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		watcher, c := connect(t, prepared(t, "brief"), js), connect(t, prepared(t, "brief"), js)
		channel := unique("presence-")
		watcher.join(channel, `{"user_id":"watcher"}`)
		c.join(channel, `{"user_id":"7"}`)
		watcher.wantMember(evAdded, channel, "7")
		c.mute.Store(true) // as when the network is gone: the connection stands, but nothing answers
		watcher.wantMember(evRemoved, channel, "7")
		watcher.marker(channel)
	})
}

func TestTrap33_AnyUserInfoWillDo(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		watcher := connect(t, plain(t), lib)
		channel := unique("presence-")
		watcher.join(channel, `{"user_id":"watcher"}`)
		for i, info := range []string{"", `,"user_info":null`, `,"user_info":true`, `,"user_info":[1,"a"]`, `,"user_info":"x"`, `,"user_info":0`, `,"user_info":{}`} {
			c := connect(t, plain(t), lib)
			id := fmt.Sprintf("u%d", i)
			c.join(channel, `{"user_id":"`+id+`"`+info+`}`)
			watcher.wantMember(evAdded, channel, id)
		}
	}
}

func TestTrap34_ASignedInUserNeedsNoChannelData(t *testing.T) {
	t.Parallel()
	watcher, c := connect(t, plain(t), js), connect(t, plain(t), js)
	channel := unique("presence-")
	watcher.join(channel, `{"user_id":"watcher"}`)
	c.ask(channel, c.app.sign(c.id+":"+channel), "")
	if f := c.failed(channel); !strings.Contains(f.message, "channel_data") {
		t.Errorf("before signing in: %s", f.raw)
	}
	c.signedIn(`{"id":"ann","user_info":{"name":"Ann"}}`)
	f := c.subscribe(channel)
	if r, err := f.roster(); err != nil || string(r.Hash["ann"]) != `{"name":"Ann"}` {
		t.Errorf("joined as %s (%v)", f.raw, err)
	}
	watcher.wantData(evAdded, channel, `{"user_id":"ann","user_info":{"name":"Ann"}}`)
	// What it says of itself wins.
	explicit := unique("presence-")
	if r, err := c.join(explicit, `{"user_id":"other"}`).roster(); err != nil || r.IDs[0] != "other" {
		t.Errorf("joined as %v (%v)", r.IDs, err)
	}
}

func TestTrap35_TheLimitCountsUsers(t *testing.T) {
	t.Parallel()
	small := prepared(t, "small") // two members
	channel := unique("presence-")
	ann, ann2, bo, cy := connect(t, small, js), connect(t, small, js), connect(t, small, js), connect(t, small, js)
	ann.join(channel, `{"user_id":"ann"}`)
	ann2.join(channel, `{"user_id":"ann"}`)
	bo.join(channel, `{"user_id":"bo"}`)
	cy.ask(channel, small.sign(cy.id+":"+channel+`:{"user_id":"cy"}`), `{"user_id":"cy"}`)
	if f := cy.want(evSubError, channel); !sameJSONField(f.data, "type", "LimitReached") || !sameJSONField(f.data, "status", 4100.0) {
		t.Errorf("a third: %s", f.raw)
	}
	cy.want(evError, "")
	// Who has no right to come learns nothing of who is there.
	cy.ask(channel, small.sign("wrong"), `{"user_id":"cy"}`)
	if f := cy.want(evSubError, channel); !sameJSONField(f.data, "type", "AuthError") {
		t.Errorf("a third without signature: %s", f.raw)
	}
	cy.want(evError, "")
	// A further connection of a member is no further member.
	cy.join(channel, `{"user_id":"bo"}`)
}

func TestTrap36_TheCountIsOfUsers(t *testing.T) {
	t.Parallel()
	channel := unique("presence-")
	var all []*client
	for _, id := range []string{"ann", "ann", "ann", "bo"} {
		c := connect(t, plain(t), js)
		c.join(channel, `{"user_id":"`+id+`"}`)
		all = append(all, c)
	}
	a := all[0].app
	a.get(t, "/channels/"+channel, "info=user_count").succeeds(t, `{"occupied":true,"user_count":2}`)
	a.get(t, "/channels", "filter_by_prefix="+channel, "info=user_count").succeeds(t, `{"channels":{`+quote(channel)+`:{"user_count":2}}}`)
	all[0].unsubscribe(channel)
	all[0].next() // bo has come
	a.get(t, "/channels/"+channel, "info=user_count").succeeds(t, `{"occupied":true,"user_count":2}`)
}
