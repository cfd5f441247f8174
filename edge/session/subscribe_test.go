package session_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// TestAuthorizedSubscriptions tries what customers' servers sign, and what they do not. {id} stands for the socket id.
func TestAuthorizedSubscriptions(t *testing.T) {
	t.Parallel()
	const wrong = demoKey + ":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
	ok := func(channel string) []string { return []string{string(pusher.SubscriptionSucceeded(channel))} }
	invalid := func(channel, signed string) []string {
		return refused(channel, "AuthError", "Invalid signature: Expected HMAC SHA256 hex digest of "+signed+", but got "+wrong[len(demoKey)+1:], 401)
	}
	presence := func(channel, hash string) []string {
		return []string{`{"event":"pusher_internal:subscription_succeeded","channel":"` + channel + `","data":"{\"presence\":{\"count\":1,` + hash + `}}"}`}
	}
	for _, c := range []struct {
		name, channel, auth, data string // an auth of "sign" is made right
		want                      []string
	}{
		{"private", "private-x", "sign", "", ok("private-x")},
		{"private with data that is signed", "private-x", "sign with data", "{}", ok("private-x")},
		{"private with data that is not", "private-x", "sign", "{}", ok("private-x")},
		{"encrypted", "private-encrypted-x", "sign", "", ok("private-encrypted-x")},
		{"private cache", "private-cache-x", "sign", "", append(ok("private-cache-x"), string(pusher.CacheMiss("private-cache-x")))},
		{"encrypted cache", "private-encrypted-cache-x", "sign", "", append(ok("private-encrypted-cache-x"), string(pusher.CacheMiss("private-encrypted-cache-x")))},
		{"no auth", "private-x", "", "", refused("private-x", "AuthError", "Auth info required to subscribe to private-x", 401)},
		{"no digest", "private-x", demoKey, "", refused("private-x", "AuthError", "Invalid key in subscription auth data: '"+demoKey+"'", 401)},
		{"empty digest", "private-x", demoKey + ":", "", refused("private-x", "AuthError", "Invalid key in subscription auth data: '"+demoKey+":'", 401)},
		{"unknown key", "private-x", "nokey:" + strings.Repeat("0", 64), "", refused("private-x", "AuthError", "Invalid key in subscription auth data: 'nokey:"+strings.Repeat("0", 64)+"'", 401)},
		{"right digest under a wrong key", "private-x", "sign as nokey", "", nil},
		{"wrong digest", "private-x", wrong, "", invalid("private-x", "{id}:private-x")},
		{"digest in capitals", "private-x", "sign loudly", "", nil},
		{"digest of another channel", "private-y", wrong, "", invalid("private-y", "{id}:private-y")},
		{"wrong digest on presence", "presence-x", wrong, `{"user_id":"7"}`, invalid("presence-x", `{id}:presence-x:{"user_id":"7"}`)},
		{"presence", "presence-x", "sign with data", `{"user_id":"7","user_info":{"name":"Ann"}}`, presence("presence-x", `\"ids\":[\"7\"],\"hash\":{\"7\":{\"name\":\"Ann\"}}`)},
		{"number as id", "presence-x", "sign with data", `{"user_id":10}`, presence("presence-x", `\"ids\":[\"10\"],\"hash\":{\"10\":{}}`)},
		{"number that no float holds", "presence-x", "sign with data", `{"user_id":9007199254740993123456789}`, presence("presence-x", `\"ids\":[\"9007199254740993123456789\"],\"hash\":{\"9007199254740993123456789\":{}}`)},
		{"awkward id", "presence-x", "sign with data", `{"user_id":"__proto__:/ é+\"@"}`, presence("presence-x", `\"ids\":[\"__proto__:/ é+\\\"@\"],\"hash\":{\"__proto__:/ é+\\\"@\":{}}`)},
		{"escapes as PHP writes them", "presence-x", "sign with data", `{"user_info":{"url":"a\/b","n":"\u00e9"},"user_id":"7"}`, presence("presence-x", `\"ids\":[\"7\"],\"hash\":{\"7\":{\"url\":\"a\\/b\",\"n\":\"\\u00e9\"}}`)},
		{"info of Laravel", "presence-x", "sign with data", `{"user_id":"7","user_info":true}`, presence("presence-x", `\"ids\":[\"7\"],\"hash\":{\"7\":true}`)},
		{"info that is null", "presence-x", "sign with data", `{"user_id":"7","user_info":null}`, presence("presence-x", `\"ids\":[\"7\"],\"hash\":{\"7\":null}`)},
		{"info that is a list", "presence-x", "sign with data", `{"user_id":"7","user_info":[1,"a"]}`, presence("presence-x", `\"ids\":[\"7\"],\"hash\":{\"7\":[1,\"a\"]}`)},
		{"presence without data", "presence-x", "sign", "", refused("presence-x", "AuthError", "presence-x is a presence channel and subscription must include channel_data", 401)},
		{"no user id", "presence-x", "sign with data", `{}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must have a user_id, which is a string or a number and not empty: presence-x", 401)},
		{"empty user id", "presence-x", "sign with data", `{"user_id":""}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must have a user_id, which is a string or a number and not empty: presence-x", 401)},
		{"user id that is null", "presence-x", "sign with data", `{"user_id":null}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must have a user_id, which is a string or a number and not empty: presence-x", 401)},
		{"user id that is an object", "presence-x", "sign with data", `{"user_id":{}}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must have a user_id, which is a string or a number and not empty: presence-x", 401)},
		{"data that is no JSON", "presence-x", "sign with data", `{"user_id":`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must be a JSON object in a string: presence-x", 401)},
		{"data that is an array", "presence-x", "sign with data", `["7"]`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must be a JSON object in a string: presence-x", 401)},
		{"deep data", "presence-x", "sign with data", `{"user_id":"7","user_info":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must be a JSON object in a string: presence-x", 401)},
		{"two user ids", "presence-x", "sign with data", `{"user_id":"7","user_id":"8"}`, refused("presence-x", "AuthError", "Invalid subscription: channel_data must be a JSON object in a string: presence-x", 401)},
		{"long user id", "presence-x", "sign with data", `{"user_id":"` + strings.Repeat("é", 129) + `"}`, refused("presence-x", "LimitReached", "The user_id of a member may have at most 128 characters: presence-x", 4301)},
		{"long info", "presence-x", "sign with data", `{"user_id":"7","user_info":"` + strings.Repeat("x", 1023) + `"}`, refused("presence-x", "LimitReached", "The user_info of a member may have at most 1024 bytes: presence-x", 4301)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			s, socket := e.open("js")
			auth := c.auth
			switch auth {
			case "sign":
				auth = signed(socket.id, c.channel)
			case "sign with data":
				auth = signed(socket.id, c.channel, c.data)
			case "sign as nokey":
				auth = strings.Replace(signed(socket.id, c.channel), demoKey, "nokey", 1)
				c.want = refused(c.channel, "AuthError", "Invalid key in subscription auth data: '"+auth+"'", 401)
			case "sign loudly":
				auth = demoKey + ":" + strings.ToUpper(signed(socket.id, c.channel)[len(demoKey)+1:])
				c.want = refused(c.channel, "AuthError", "Invalid signature: Expected HMAC SHA256 hex digest of "+socket.id+":"+c.channel+", but got "+auth[len(demoKey)+1:], 401)
			}
			data := map[string]string{"channel": c.channel, "auth": auth}
			if c.data != "" {
				data["channel_data"] = c.data
			}
			s.Handle(t.Context(), frameOf("pusher:subscribe", data))
			want := c.want
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "{id}", socket.id)
			}
			socket.expect(t, "answer", want...)
			// The socket goes on, and a subscription that is right still works.
			socket.join(t, s, "private-after", "")
			socket.expect(t, "afterwards", ok("private-after")...)
		})
	}
}

// TestProtocolVectors subscribes with the digests that the protocol's documents print.
func TestProtocolVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ channel, data, digest string }{
		{"private-foobar", "", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Channels"}}`, "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"},
		{"presence-foobar", `{"user_id":10,"user_info":{"name":"Mr. Pusher"}}`, "afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c"},
		{"private-encrypted-foobar", "", "e6a18892d037c5d5e76a2265df4f086ffc38631605530dfd214aa5bff495f533"},
	} {
		a, ok := pusher.ParseAuthorization(demoKey + ":" + c.digest)
		if !ok {
			t.Fatal(c.digest)
		}
		if c.data == "" && !a.VerifyChannel(demoSecret, "1234.1234", c.channel) {
			t.Errorf("%s: not verified", c.channel)
		}
		if c.data != "" && !a.VerifyChannelData(demoSecret, "1234.1234", c.channel, c.data) {
			t.Errorf("%s with %s: not verified", c.channel, c.data)
		}
	}
	a, _ := pusher.ParseAuthorization(demoKey + ":4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba")
	if !a.VerifyUser(demoSecret, "1234.1234", `{"id":"12345"}`) {
		t.Error("the sign-in is not verified")
	}
}

// TestAnyActiveKeySigns has the server sign with a key that the client did not come with, and with one that was revoked.
func TestAnyActiveKeySigns(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Keys = append(e.app.Keys,
		tenants.Key{Public: "second", Secret: tenants.NewSecret(demoSecret), Scopes: tenants.ScopeAll, State: tenants.KeyActive},
		tenants.Key{Public: "revoked", Secret: tenants.NewSecret(demoSecret), State: tenants.KeyRevoked})
	s, socket := e.open("js")
	as := func(key, channel string) []byte {
		auth := key + strings.TrimPrefix(signed(socket.id, channel), demoKey)
		return frameOf("pusher:subscribe", map[string]string{"channel": channel, "auth": auth})
	}
	s.Handle(t.Context(), as("second", "private-a"))
	socket.expect(t, "the second key", string(pusher.SubscriptionSucceeded("private-a")))
	s.Handle(t.Context(), as("revoked", "private-b"))
	if got := socket.take(); len(got) != 2 || !strings.Contains(got[1], "Invalid key") {
		t.Errorf("the revoked key: %q", got)
	}
}

// TestCacheChannels publishes to empty and occupied cache channels of every kind.
func TestCacheChannels(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.ChannelsPerSocket = 100
	for _, channel := range []string{"cache-a", "private-cache-a", "private-encrypted-cache-a", "presence-cache-a"} {
		e.publish(channel, "first", "1")
		e.publish(channel, "last", `{"n":"é</"}`)
	}
	s, socket := e.open("js")
	for _, channel := range []string{"cache-a", "private-cache-a", "private-encrypted-cache-a"} {
		socket.join(t, s, channel, "")
		socket.expect(t, channel, string(pusher.SubscriptionSucceeded(channel)), string(pusher.EventFrame("last", channel, `{"n":"é</"}`)))
	}
	socket.join(t, s, "presence-cache-a", member("7"))
	if got := socket.take(); len(got) != 2 || got[1] != string(pusher.EventFrame("last", "presence-cache-a", `{"n":"é</"}`)) {
		t.Errorf("presence-cache-a: %q", got)
	}
	// What a client says is heard, and not kept. Who is left out does not matter for keeping.
	s.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-cache-a","data":"hello"}`))
	err := e.publisher.Publish(t.Context(), e.app, publish.Event{Channels: []string{"cache-a"}, Name: "new", Data: "2", Except: socket.id})
	if err != nil {
		t.Fatal(err)
	}
	other, second := e.open("js")
	second.join(t, other, "private-cache-a", "")
	second.expect(t, "after a client event", string(pusher.SubscriptionSucceeded("private-cache-a")), string(pusher.EventFrame("last", "private-cache-a", `{"n":"é</"}`)))
	other.Handle(t.Context(), subscribe("cache-a"))
	second.expect(t, "after one that was left out", string(pusher.SubscriptionSucceeded("cache-a")), string(pusher.EventFrame("new", "cache-a", "2")))
	// Names that only look like it.
	other.Handle(t.Context(), subscribe("cachet"))
	second.expect(t, "cachet", string(pusher.SubscriptionSucceeded("cachet")))
}

// TestAFailedSubscriptionLeavesNothing breaks the bus at each step.
func TestAFailedSubscriptionLeavesNothing(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.PresenceMembers = 1
	first, a := e.open("js")
	a.join(t, first, "presence-x", member("7"))
	s, socket := e.open("js")
	socket.join(t, s, "presence-x", member("8"))
	socket.expect(t, "full", refused("presence-x", "LimitReached", "The presence channel has the 1 members that it may have: presence-x", 4100)...)
	socket.join(t, s, "presence-x", member("7"))
	if got := socket.take(); len(got) != 1 {
		t.Errorf("another socket of who is there: %q", got)
	}
	e.bus.broken.Store(true)
	socket.join(t, s, "private-y", "")
	if got := socket.take(); len(got) != 2 || !strings.Contains(got[0], "Unavailable") {
		t.Errorf("without a bus: %q", got)
	}
	e.bus.broken.Store(false)
	s.Close(context.Background())
	first.Close(context.Background())
	list, err := e.bus.Channels(t.Context(), e.app.ID, "")
	if err != nil || len(list) != 0 || e.hub.Topics() != 0 || e.hub.Subscriptions() != 0 {
		t.Errorf("left behind: %v, %d topics, %d subscriptions, %v", list, e.hub.Topics(), e.hub.Subscriptions(), err)
	}
}
