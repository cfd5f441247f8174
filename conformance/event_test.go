//go:build conformance

package conformance

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestTrap37_DataIsTextAndOnlyOnce(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		channel := unique("private-")
		c.subscribe(channel)
		sender := connect(t, plain(t), js)
		sender.subscribe(channel)
		for given, want := range map[string]string{
			`{"a":{"b":[1,"x"]}}`: `{"a":{"b":[1,"x"]}}`, `[1,2]`: `[1,2]`, `7`: `7`, `true`: `true`, `"plain"`: "plain",
			`"{\"a\":\"b\"}"`: `{"a":"b"}`, `"\"quoted\""`: `"quoted"`, `"123"`: "123",
		} {
			body := `{"name":"e","channel":` + quote(channel) + `,"data":` + given + `}`
			c.app.post(t, "/events", body).succeeds(t, "{}")
			c.wantData("e", channel, want)
			sender.next()
			sender.emit("client-e", channel, given)
			c.wantData("client-e", channel, want)
		}
	}
}

func TestTrap38_JavaSendsText(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		sender, c := connect(t, plain(t), java), connect(t, plain(t), lib)
		channel := unique("private-")
		sender.subscribe(channel)
		c.subscribe(channel)
		for _, text := range []string{`{"who":"me"}`, `{ "b":1, "a":2 }`, "plain", "", `"`} {
			sender.emit("client-e", channel, quote(text))
			c.wantData("client-e", channel, text)
		}
		sender.quiet()
	}
}

func TestTrap39_TheSenderIsNamedByTheServer(t *testing.T) {
	t.Parallel()
	presence, private := unique("presence-"), unique("private-")
	sender := connect(t, plain(t), js)
	sender.join(presence, `{"user_id":7}`)
	sender.subscribe(private)
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		c.join(presence, `{"user_id":7}`) // another tab of the same user
		c.subscribe(private)
		for _, channel := range []string{presence, private} {
			forged := `{"event":"client-e","channel":` + quote(channel) + `,"data":"x","user_id":"admin","socket_id":"1.1","extra":{"a":1}}`
			sender.send(forged)
			f := c.wantData("client-e", channel, "x")
			if want := map[string]string{presence: "7", private: ""}[channel]; f.user != want {
				t.Errorf("%s on %s: sent by %q, want %q", lib.name, channel, f.user, want)
			}
			// What a server publishes comes from nobody.
			c.app.trigger(t, channel, "e", "y")
			if f := c.want("e", channel); f.user != "" {
				t.Errorf("%s: %s", lib.name, f.raw)
			}
			sender.want("e", channel)
		}
		c.leave()
	}
	if strings.Contains(sender.app.get(t, "/channels/"+presence+"/users").body, "admin") {
		t.Error("the forged id became a member")
	}
}

func TestTrap40_TheSenderDoesNotHearItself(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		sender, c := connect(t, plain(t), lib), connect(t, plain(t), lib)
		presence, private, public := unique("presence-"), unique("private-"), unique("")
		sender.join(presence, `{"user_id":"7"}`)
		c.join(presence, `{"user_id":"7"}`)
		for _, channel := range []string{private, public} {
			sender.subscribe(channel)
			c.subscribe(channel)
		}
		for _, channel := range []string{presence, private} {
			sender.emit("client-e", channel, `"x"`)
			c.wantData("client-e", channel, "x")
			sender.quiet()
			sender.marker(channel)
			c.next()
		}
		// One publish leaves the socket out on every channel.
		body := `{"name":"e","channels":[` + quote(presence) + `,` + quote(private) + `,` + quote(public) + `],"data":"x","socket_id":` + quote(sender.id) + `}`
		c.app.post(t, "/events", body).succeeds(t, "{}")
		got := map[string]bool{}
		for range 3 { // in any order: each channel has its own
			got[c.next().channel] = true
		}
		for _, channel := range []string{presence, private, public} {
			if !got[channel] {
				t.Errorf("%s: nothing came on %s", lib.name, channel)
			}
			sender.marker(channel)
			c.next()
		}
		batch := `{"batch":[{"name":"e","channel":` + quote(public) + `,"data":"x","socket_id":` + quote(sender.id) + `}]}`
		c.app.post(t, "/batch_events", batch).succeeds(t, "{}")
		c.wantData("e", public, "x")
		sender.marker(public)
		c.next()
		// A socket that does not exist is left out of nothing.
		c.app.post(t, "/events", `{"name":"e","channel":`+quote(public)+`,"data":"y","socket_id":"1.1"}`).succeeds(t, "{}")
		c.wantData("e", public, "y")
		sender.wantData("e", public, "y")
		c.app.post(t, "/events", `{"name":"e","channel":`+quote(public)+`,"data":"y","socket_id":"not-an-id"}`).refused(t, http.StatusBadRequest, "")
	}
}

func TestTrap41_OnlyClientEventsAreBroadcast(t *testing.T) {
	t.Parallel()
	sender, c := connect(t, plain(t), js), connect(t, plain(t), js)
	channel := unique("presence-")
	c.join(channel, `{"user_id":"c"}`)
	sender.join(channel, `{"user_id":"sender"}`)
	c.want(evAdded, channel)
	for _, event := range []string{
		evAdded, evRemoved, evSucceeded, evCount, "pusher:anything", "pusher:connection_established", "my-event", "x-client-e", "Client-e",
		" client-e", "client_e", "client", evCacheMiss, evError,
	} {
		sender.emit(event, channel, `{"user_id":"ghost"}`)
		sender.wantError(0, "Unsupported event received on socket: '"+event+"'")
	}
	c.marker(channel)
	// Servers may not use what is the platform's own, either.
	for _, event := range []string{evAdded, "pusher:anything"} {
		body := `{"name":` + quote(event) + `,"channel":` + quote(channel) + `,"data":"x"}`
		c.app.post(t, "/events", body).refused(t, http.StatusBadRequest, "")
	}
}

func TestTrap42_AClientEventThatMayNotBe(t *testing.T) {
	t.Parallel()
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		for _, lib := range libraries {
			sender, c := connect(t, plain(t), lib), connect(t, plain(t), lib)
			public, private, encrypted := unique(""), unique("private-"), unique("private-encrypted-")
			for _, channel := range []string{public, private, encrypted} {
				c.subscribe(channel)
			}
			for _, channel := range []string{public, encrypted} {
				sender.subscribe(channel)
			}
			sender.emit("client-e", public, `"x"`)
			sender.wantError(0, "only supported on private and presence channels")
			sender.emit("client-e", encrypted, `"x"`)
			sender.wantError(0, "")
			sender.emit("client-e", private, `"x"`)
			sender.wantError(0, "Cannot broadcast client event (connection not subscribed to channel "+private+")")
			sender.subscribe(private)
			sender.emit("client-e", "", `"x"`)
			sender.wantError(0, "must contain channel and data")
			sender.send(`{"event":"client-e","channel":` + quote(private) + `}`)
			sender.wantError(0, "must contain channel and data")
			sender.emit("client-e", private, quote(strings.Repeat("x", 10241)))
			sender.wantError(0, "exceeds the allowed maximum (10240 bytes)")
			sender.emit("client-"+strings.Repeat("e", 200), private, `"x"`)
			sender.wantError(0, "")
			for _, channel := range []string{public, private, encrypted} {
				if channel != encrypted {
					c.marker(channel)
				}
			}
			// The largest that may be, however much its escapes take on the wire.
			data := strings.Repeat("\x01", 10240)
			sender.next() // the marker on the public channel
			sender.next() // and on the private one
			sender.emit("client-e", private, quote(data))
			c.wantData("client-e", private, data)
			sender.quiet()
		}
	})
	t.Run("switched off", func(t *testing.T) {
		t.Parallel()
		sender, c := connect(t, prepared(t, "quiet"), js), connect(t, prepared(t, "quiet"), js)
		channel := unique("private-")
		sender.subscribe(channel)
		c.subscribe(channel)
		sender.emit("client-e", channel, `"x"`)
		sender.wantError(0, "not enabled")
		c.marker(channel)
	})
	t.Run("too many", func(t *testing.T) {
		t.Parallel()
		sender, c := connect(t, plain(t), js), connect(t, plain(t), js)
		channel := unique("private-")
		sender.subscribe(channel)
		c.subscribe(channel)
		const sent = 40
		for i := range sent {
			sender.emit("client-e", channel, strconv.Itoa(i))
		}
		// Each that is over the rate is told so; the others arrive, in order.
		sender.send(`{"event":"pusher:ping","data":{}}`)
		refused := 0
		for f := sender.next(); f.event != evPong; f = sender.next() {
			if f.event != evError || f.code != 4301 {
				t.Errorf("received %s", f.raw)
			}
			refused++
		}
		c.app.trigger(t, channel, "end", "")
		delivered, last := 0, -1
		for f := c.next(); f.event != "end"; f = c.next() {
			n, err := strconv.Atoi(f.data)
			if err != nil || n <= last {
				t.Errorf("after %d came %s", last, f.raw)
			}
			delivered, last = delivered+1, n
		}
		if delivered+refused != sent || delivered < 10 || delivered > 15 {
			t.Errorf("of %d at once %d were delivered and %d refused", sent, delivered, refused)
		}
	})
}

func TestTrap43_EmptyDataIsData(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	channel := unique("private-")
	c.subscribe(channel)
	c.app.trigger(t, channel, "e", "")
	c.wantData("e", channel, "")
	c.app.post(t, "/events", `{"name":"e","channel":`+quote(channel)+`}`).refused(t, http.StatusBadRequest, "data")
	c.app.post(t, "/batch_events", `{"batch":[{"name":"e","channel":`+quote(channel)+`,"data":""}]}`).succeeds(t, "{}")
	c.wantData("e", channel, "")
	c.app.post(t, "/batch_events", `{"batch":[{"name":"e","channel":`+quote(channel)+`}]}`).refused(t, http.StatusBadRequest, "data")
	sender := connect(t, plain(t), js)
	sender.subscribe(channel)
	sender.emit("client-e", channel, `""`)
	c.wantData("client-e", channel, "")
	c.marker(channel)
}

func TestTrap44_TextIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		channel, encrypted := unique("private-"), unique("private-encrypted-")
		c.subscribe(channel)
		c.subscribe(encrypted)
		for _, data := range []string{
			`<b>&amp;</b>`, "\u2028\u2029", `{"z":1,"a":2,"A":[ 1 , 2 ]}`, "日本 🎉", "\\/\\u0041", "\t\n\r\x00\x7f", `{"n":1.0,"e":1E400}`,
		} {
			c.app.trigger(t, channel, "e", data)
			f := c.wantData("e", channel, data)
			if strings.Contains(f.raw, `\u003c`) || strings.Contains(f.raw, `\u0026`) {
				t.Errorf("%s: %s", lib.name, f.raw)
			}
		}
		const sealed = `{"nonce":"AgICAgICAgICAgICAgICAgICAgICAgIC","ciphertext":"Qy4N+/==" }`
		c.app.trigger(t, encrypted, "e", sealed)
		c.wantData("e", encrypted, sealed)
		const swapped = `{"ciphertext":"Qy4N+/==","nonce":"AgICAgICAgICAgICAgICAgICAgICAgIC"}`
		c.app.trigger(t, encrypted, "e", swapped)
		c.wantData("e", encrypted, swapped)
		c.app.post(t, "/events", "{\"name\":\"e\",\"channel\":"+quote(channel)+",\"data\":\"\xff\"}").refused(t, http.StatusBadRequest, "")
		c.quiet()
	}
}

// eachError is every way in which a socket that goes on can be told of an error.
func eachError(c *client) map[string]func() {
	private := unique("private-")
	return map[string]func(){
		"junk":         func() { c.send("x") },
		"binary":       func() { _ = c.write(opBinary, nil) },
		"unsubscribe":  func() { c.unsubscribe(private) },
		"signin":       func() { c.emit("pusher:signin", "", `{"auth":"x","user_data":"{}"}`) },
		"unknown":      func() { c.emit("x", "", "{}") },
		"client event": func() { c.emit("client-x", private, "{}") },
		"no channel":   func() { c.emit("pusher:subscribe", "", `{"channel":""}`) },
	}
}

func TestTrap45_ErrorsAreObjects(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		for name, provoke := range eachError(c) {
			provoke()
			var outer struct {
				Event   string
				Channel *string
				Data    json.RawMessage
			}
			f := c.next()
			if err := json.Unmarshal([]byte(f.raw), &outer); err != nil || outer.Event != evError || outer.Channel != nil || outer.Data[0] != '{' {
				t.Errorf("%s, %s: %s (%v)", lib.name, name, f.raw, err)
			}
		}
		c.ask(unique("private-"), "", "")
		for f := c.next(); f.event != evError; f = c.next() {
			if f.channel == "" || f.data == "" {
				t.Errorf("%s: %s", lib.name, f.raw)
			}
		}
	}
}

func TestTrap46_CodesAreNumbers(t *testing.T) {
	t.Parallel()
	code := func(t *testing.T, f frame) string {
		t.Helper()
		var outer struct {
			Data struct{ Code json.RawMessage }
		}
		if err := json.Unmarshal([]byte(f.raw), &outer); err != nil {
			t.Fatal(err)
		}
		return string(outer.Data.Code)
	}
	c := connect(t, plain(t), dotnet)
	for name, provoke := range eachError(c) {
		provoke()
		if got := code(t, c.want(evError, "")); got != "null" {
			t.Errorf("%s has the code %s", name, got)
		}
	}
	if got := code(t, visit(t, dotnet, "/app/no-such-key?"+dotnet.query).want(evError, "")); got != "4001" {
		t.Errorf("an unknown key has the code %s", got)
	}
}
