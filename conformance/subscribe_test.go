//go:build conformance

package conformance

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestTrap14_TheSuccessIsInternal(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		for _, prefix := range []string{"", "private-", "private-cache-", "cache-"} {
			channel := unique(prefix)
			// subscribe wants the name pusher_internal:subscription_succeeded, and nothing before it.
			c.subscribe(channel)
			if strings.Contains(channel, "cache-") {
				c.want(evCacheMiss, channel)
			}
		}
		c.quiet()
	}
}

func TestTrap15_TheSuccessHasData(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		for _, prefix := range []string{"", "private-", "cache-", "private-cache-"} {
			if f := c.subscribe(unique(prefix)); f.data != "{}" {
				t.Errorf("%s: %s", lib.name, f.raw)
			}
			if strings.Contains(prefix, "cache-") {
				c.next()
			}
		}
	}
}

func TestTrap16_AnEncryptedSuccessIsExactlyEmpty(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		channel := unique("private-encrypted-")
		if f := c.subscribe(channel); !strings.Contains(f.raw, `"data":"{}"`) {
			t.Errorf("%s: %s", lib.name, f.raw)
		}
		c.quiet()
	}
	// Java takes every frame on the channel for a sealed one, so the count does not go there.
	t.Run("with counts", func(t *testing.T) {
		t.Parallel()
		c := connect(t, prepared(t, "counts"), java)
		c.subscribe(unique("private-encrypted-"))
		c.quiet()
	})
}

func TestTrap17_DataMayBeText(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), java)
	for _, channel := range []string{unique(""), unique("private-")} {
		data := `{"channel":` + quote(channel) + `,"auth":` + quote(c.auth(channel)) + `}`
		c.emit("pusher:subscribe", "", quote(data))
		c.want(evSucceeded, channel)
		c.app.trigger(t, channel, "e", "1")
		c.wantData("e", channel, "1")
		c.emit("pusher:unsubscribe", "", quote(`{"channel":`+quote(channel)+`}`))
		c.quiet()
		c.app.trigger(t, channel, "e", "2")
		c.quiet()
	}
	presence, member := unique("presence-"), `{"user_id":"7"}`
	data := `{"channel":` + quote(presence) + `,"auth":` + quote(c.app.sign(c.id+":"+presence+":"+member)) + `,"channel_data":` + quote(member) + `}`
	c.emit("pusher:subscribe", "", quote(data))
	c.want(evSucceeded, presence)
	user := `{"id":"7"}`
	c.emit("pusher:signin", "", quote(`{"auth":`+quote(c.app.sign(c.id+"::user::"+user))+`,"user_data":`+quote(user)+`}`))
	c.want(evSignedIn, "")
}

func TestTrap18_DoubleSubscribe(t *testing.T) {
	t.Parallel()
	t.Run("deliveries", func(t *testing.T) {
		t.Parallel()
		c := connect(t, plain(t), js)
		for _, channel := range []string{unique(""), unique("private-")} {
			c.subscribe(channel)
			c.ask(channel, c.auth(channel), "")
			c.wantError(0, "Existing subscription to channel "+channel)
			c.app.trigger(t, channel, "e", "once")
			c.wantData("e", channel, "once")
			c.marker(channel)
		}
	})
	t.Run("counts", func(t *testing.T) {
		t.Parallel()
		c := connect(t, prepared(t, "counts"), js)
		channel := unique("")
		c.subscribe(channel)
		c.wantData(evCount, channel, `{"subscription_count":1}`)
		c.ask(channel, "", "")
		c.wantError(0, "Existing subscription")
		c.marker(channel)
		c.app.get(t, "/channels/"+channel, "info=subscription_count").succeeds(t, `{"occupied":true,"subscription_count":1}`)
	})
	t.Run("members", func(t *testing.T) {
		t.Parallel()
		channel := unique("presence-")
		other, c := connect(t, plain(t), js), connect(t, plain(t), js)
		other.join(channel, `{"user_id":"other"}`)
		c.join(channel, `{"user_id":"7"}`)
		other.want(evAdded, channel)
		for _, member := range []string{`{"user_id":"7"}`, `{"user_id":"8"}`} {
			c.ask(channel, c.app.sign(c.id+":"+channel+":"+member), member)
			c.wantError(0, "Existing subscription")
		}
		other.marker(channel)
		c.app.get(t, "/channels/"+channel, "info=user_count").succeeds(t, `{"occupied":true,"user_count":2}`)
		c.unsubscribe(channel)
		other.wantData(evRemoved, channel, `{"user_id":"7"}`)
		other.marker(channel)
	})
}

func TestTrap19_ChannelDataIsVerifiedAsItCame(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	for _, data := range []string{
		`{"user_info":{"z":1,"a":2},"user_id":"1"}`,
		`{"user_id":"2","user_info":{"url":"http:\/\/example.com\/","name":"Ren\u00e9"}}`,
		`{ "user_id" : "3" , "user_info" : { "name" : "<b>René & 日本</b>" } }`,
		"{\n\t\"user_id\": 4,\n\t\"user_info\": {\"n\": 1.0, \"e\": 1e2}\n}",
		`{"user_id":"5","user_id_2":"x","user_info":{"a":"\ud83d\ude00"}}`,
	} {
		channel := unique("presence-")
		c.join(channel, data)
		// The same, written in another way, is not what was signed.
		other := unique("presence-")
		c.ask(other, c.app.sign(c.id+":"+other+":"+data), data+" ")
		c.failed(other)
	}
	user := "{ \"id\":\"u\\u00e9\", \"x\":\"\\/\" }"
	c.signedIn(user)
}

// TestTrap20_WhatIsSignedIsOneThing: neither a channel nor a key can be taken for another.
func TestTrap20_WhatIsSignedIsOneThing(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	other := prepared(t, "other")
	for _, channel := range []string{":user::{\"id\":\"victim\"}", "private-a:b", "presence-a:{}", "a:b", "private-:user::x"} {
		c.ask(channel, c.app.sign(c.id+":"+channel), "")
		c.failed(channel)
		body := `{"name":"e","channels":[` + quote(channel) + `],"data":"x"}`
		c.app.post(t, "/events", body).refused(t, http.StatusBadRequest, "")
	}
	// A signature for a channel is none for a sign-in.
	user := `{"id":"victim"}`
	c.emit("pusher:signin", "", `{"auth":`+quote(c.app.sign(c.id+":private-x"))+`,"user_data":`+quote(user)+`}`)
	c.wantError(0, "")
	channel := unique("private-")
	text := c.id + ":" + channel
	for name, auth := range map[string]string{
		"another app's":                      other.sign(text),
		"the right digest under another key": other.key + ":" + c.app.digest(text),
		"the right digest under no key":      ":" + c.app.digest(text),
		"the right digest alone":             c.app.digest(text),
		"our key, another's digest":          c.app.key + ":" + other.digest(text),
		"another socket's":                   c.app.sign("1.1:" + channel),
		"another channel's":                  c.app.sign(text + "x"),
		"cut short":                          c.app.sign(text)[:len(c.app.sign(text))-1],
		"longer":                             c.app.sign(text) + "0",
	} {
		c.ask(channel, auth, "")
		if f := c.failed(channel); f.message == "" {
			t.Errorf("%s: %s", name, f.raw)
		}
	}
	c.subscribe(channel)
	if server.own != nil {
		// Any active key of the app will do, not only the one that the socket came in with.
		second := app{c.app.id, c.app.key + "-second", "second-secret-of-plain"}
		channel := unique("private-")
		c.ask(channel, second.sign(c.id+":"+channel), "")
		c.want(evSucceeded, channel)
	}
}

func TestTrap21_PrefixesStandAtTheStart(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	for _, prefix := range []string{
		"x-private-y", "xcache-", "x-presence-", "privatefoo", "private_x", "presence@x", "presencefoo", "cachet", "cache_x", "Private-x", "my-cache-x",
	} {
		channel := unique(prefix)
		c.ask(channel, "", "") // All are public: no signature, no members, nothing kept.
		c.wantData(evSucceeded, channel, "{}")
		c.app.trigger(t, channel, "e", "kept?")
		c.want("e", channel)
		c.unsubscribe(channel)
		c.ask(channel, "", "")
		c.want(evSucceeded, channel)
		c.quiet()
		c.emit("client-x", channel, `"x"`)
		c.wantError(0, "only supported on private and presence channels")
	}
	// And those that do have a prefix do need what it asks for.
	for _, prefix := range []string{"private-", "presence-", "private-cache-", "presence-cache-", "private-encrypted-", "private-encrypted-cache-", "presence-encrypted-"} {
		channel := unique(prefix)
		c.ask(channel, "", "")
		c.failed(channel)
	}
}

func TestTrap22_EncryptedCacheChannelsKeep(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), java)
	channel := unique("private-encrypted-cache-")
	const sealed = `{"nonce":"AgICAgICAgICAgICAgICAgICAgICAgIC","ciphertext":"Qy4N4uxovvvMtQPKbco3xi+YDGaXj2ogPBkiYpQ6JW/I"}`
	c.subscribe(channel)
	c.wantData(evCacheMiss, channel, "{}")
	c.unsubscribe(channel)
	c.quiet()
	c.app.trigger(t, channel, "e", sealed)
	c.subscribe(channel)
	c.wantData("e", channel, sealed)
}

func TestTrap23_TheKeptEventIsWhole(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		for _, prefix := range []string{"cache-", "private-cache-"} {
			channel := unique(prefix)
			c.subscribe(channel)
			c.wantData(evCacheMiss, channel, "{}")
			c.unsubscribe(channel)
			c.quiet()
			c.app.trigger(t, channel, "first", "1")
			c.app.trigger(t, channel, `App\Events\Kept`, `{"a":"<b>"}`)
			c.subscribe(channel)
			c.wantData(`App\Events\Kept`, channel, `{"a":"<b>"}`)
			c.quiet()
		}
	}
}

func TestTrap24_OnlyPublishedEventsAreKept(t *testing.T) {
	t.Parallel()
	sender, c := connect(t, plain(t), js), connect(t, plain(t), js)
	channel := unique("private-cache-")
	// Nobody is there, and yet it is kept; so it is without its sender's socket.
	body := `{"name":"e","channel":` + quote(channel) + `,"data":"kept","socket_id":` + quote(c.id) + `}`
	c.app.post(t, "/events", body).succeeds(t, "{}")
	sender.subscribe(channel)
	sender.wantData("e", channel, "kept")
	c.subscribe(channel)
	c.wantData("e", channel, "kept")
	sender.emit("client-e", channel, `"not kept"`)
	c.wantData("client-e", channel, "not kept")
	c.unsubscribe(channel)
	c.subscribe(channel)
	c.wantData("e", channel, "kept")
	// It outlives the last subscriber.
	c.unsubscribe(channel)
	sender.unsubscribe(channel)
	sender.quiet()
	c.subscribe(channel)
	c.wantData("e", channel, "kept")
}

func TestTrap25_SuccessThenTheKeptThenTheCount(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, prepared(t, "counts"), lib)
		channel := unique("private-cache-")
		c.subscribe(channel)
		c.wantData(evCacheMiss, channel, "{}")
		c.wantData(evCount, channel, `{"subscription_count":1}`)
		c.app.trigger(t, channel, "e", "kept")
		c.want("e", channel)
		second := connect(t, c.app, lib)
		second.subscribe(channel)
		second.wantData("e", channel, "kept")
		second.wantData(evCount, channel, `{"subscription_count":2}`)
		c.wantData(evCount, channel, `{"subscription_count":2}`)
		second.leave()
		c.wantData(evCount, channel, `{"subscription_count":1}`)
		// Presence channels tell more, and no counts.
		presence := unique("presence-")
		c.join(presence, `{"user_id":"1"}`)
		c.marker(presence)
	}
}

func TestTrap26_OtherChannelsLiveOn(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		public, private := unique(""), unique("private-")
		c.subscribe(public)
		c.ask(private, c.app.sign("wrong"), "")
		c.failed(private)
		c.app.trigger(t, public, "e", "x")
		c.wantData("e", public, "x")
		// The same channel, rightly signed, is not blocked by what went before.
		c.subscribe(private)
		c.app.trigger(t, private, "e", "y")
		c.wantData("e", private, "y")
	}
}

func TestTrap27_UnsubscribeIsSilentAndAtOnce(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	channel := unique("")
	c.subscribe(channel)
	c.unsubscribe(channel)
	c.quiet() // no acknowledgement
	c.unsubscribe(channel)
	c.wantError(0, "No current subscription to channel "+channel)

	// While events pour in, none comes after the answer to what was sent after the unsubscription.
	c.subscribe(channel)
	var publishing sync.WaitGroup
	stop := make(chan struct{})
	for i := range 3 {
		publishing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					c.app.trigger(t, channel, "e"+strconv.Itoa(i), strconv.Itoa(n))
				}
			}
		})
	}
	for range 50 {
		c.next()
	}
	c.unsubscribe(channel)
	c.send(`{"event":"pusher:ping","data":{}}`)
	for f := c.next(); f.event != evPong; f = c.next() {
		if f.channel != channel {
			t.Errorf("received %s", f.raw)
		}
	}
	for range 20 {
		c.quiet()
	}
	close(stop)
	publishing.Wait()
	c.quiet()
}

// TestNamesOfChannels shows the limits of names at both doors, where each refusal names the channel and closes nothing.
func TestNamesOfChannels(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	long := strings.Repeat("x", 164)
	for name, good := range map[string]bool{
		long: true, long + "x": false, "a_-=@,.;Z9": true, "with space": false, "sl/ash": false, "#hash": false, "é": false,
		"per%cent": false, "private-" + strings.Repeat("x", 200): false,
	} {
		t.Run(fmt.Sprintf("%.20s of %d", name, len(name)), func(t *testing.T) {
			c.ask(name, c.auth(name), "")
			status := http.StatusOK
			if good {
				c.want(evSucceeded, name)
				c.unsubscribe(name)
			} else {
				c.failed(name)
				status = http.StatusBadRequest
			}
			c.quiet()
			body := `{"name":"e","channels":[` + quote(name) + `],"data":"x"}`
			if r := c.app.post(t, "/events", body); r.status != status {
				t.Errorf("published with %d %s", r.status, r.body)
			}
		})
	}
}
