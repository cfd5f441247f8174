package session_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/pusher"
)

// TestClientEvents sends one frame from a socket that is on private-a, presence-a and public, beside another that is
// on the same. want is what the sender hears, heard what the other does.
func TestClientEvents(t *testing.T) {
	t.Parallel()
	const big = 10240
	none := []string(nil)
	one := func(frame string) []string { return []string{frame} }
	for _, c := range []struct {
		name, text  string
		want, heard []string
	}{
		{"object", `{"event":"client-x","channel":"private-a","data":{"a":1.50}}`, none, one(`{"event":"client-x","channel":"private-a","data":"{\"a\":1.50}"}`)},
		{"string", `{"event":"client-x","channel":"private-a","data":"{\"a\":1}"}`, none, one(`{"event":"client-x","channel":"private-a","data":"{\"a\":1}"}`)},
		{"plain text", `{"event":"client-x","channel":"private-a","data":"hello </b>"}`, none, one(`{"event":"client-x","channel":"private-a","data":"hello </b>"}`)},
		{"empty text", `{"event":"client-x","channel":"private-a","data":""}`, none, one(`{"event":"client-x","channel":"private-a","data":""}`)},
		{"number", `{"event":"client-x","channel":"private-a","data":12345678901234567890}`, none, one(`{"event":"client-x","channel":"private-a","data":"12345678901234567890"}`)},
		{"null", `{"event":"client-x","channel":"private-a","data":null}`, none, one(`{"event":"client-x","channel":"private-a","data":"null"}`)},
		{"list", `{"event":"client-x","channel":"private-a","data":[true]}`, none, one(`{"event":"client-x","channel":"private-a","data":"[true]"}`)},
		{"on presence", `{"event":"client-x","channel":"presence-a","data":1}`, none, one(`{"event":"client-x","channel":"presence-a","data":"1","user_id":"ann"}`)},
		{"with more than belongs there", `{"event":"client-x","channel":"private-a","data":1,"user_id":"bo","socket_id":"1.2","x":{}}`, none, one(`{"event":"client-x","channel":"private-a","data":"1"}`)},
		{"as large as may be", `{"event":"client-x","channel":"private-a","data":"` + strings.Repeat("x", big) + `"}`, none, one(`{"event":"client-x","channel":"private-a","data":"` + strings.Repeat("x", big) + `"}`)},
		{"larger", `{"event":"client-x","channel":"private-a","data":"` + strings.Repeat("x", big+1) + `"}`, one(plain("The data content of this event exceeds the allowed maximum (10240 bytes)")), none},
		{"long name", `{"event":"client-` + strings.Repeat("x", 194) + `","channel":"private-a","data":1}`, one(plain("Invalid client event: an event name may have at most 200 characters")), none},
		{"no data", `{"event":"client-x","channel":"private-a"}`, one(plain("Invalid client event (must contain channel and data)")), none},
		{"no channel", `{"event":"client-x","data":1}`, one(plain("Invalid client event (must contain channel and data)")), none},
		{"channel that is a number", `{"event":"client-x","channel":7,"data":1}`, one(plain("Invalid client event (must contain channel and data)")), none},
		{"empty channel", `{"event":"client-x","channel":"","data":1}`, one(plain("Invalid client event (must contain channel and data)")), none},
		{"on a public channel", `{"event":"client-x","channel":"public","data":1}`, one(plain("Client event rejected - only supported on private and presence channels")), none},
		{"on an encrypted channel", `{"event":"client-x","channel":"private-encrypted-a","data":1}`, one(plain("Client event rejected - not supported on encrypted channels")), none},
		{"where it is not", `{"event":"client-x","channel":"private-b","data":1}`, one(plain("Cannot broadcast client event (connection not subscribed to channel private-b)")), none},
		{"private in the middle", `{"event":"client-x","channel":"x-private-a","data":1}`, one(plain("Client event rejected - only supported on private and presence channels")), none},
		{"client in the middle", `{"event":"x-client-y","channel":"private-a","data":1}`, one(plain("Unsupported event received on socket: 'x-client-y'")), none},
		{"forged notice", `{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\"user_id\":\"x\"}"}`, one(plain("Unsupported event received on socket: 'pusher_internal:member_added'")), none},
		{"forged error", `{"event":"pusher:error","channel":"presence-a","data":{}}`, one(plain("Unsupported event received on socket: 'pusher:error'")), none},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			s, socket := e.open("js")
			other, b := e.open("js")
			for _, channel := range []string{"private-a", "public"} {
				socket.join(t, s, channel, "")
				b.join(t, other, channel, "")
			}
			socket.join(t, s, "presence-a", member("ann"))
			b.join(t, other, "presence-a", member("ann"))
			socket.take()
			b.take()
			s.Handle(t.Context(), []byte(c.text))
			socket.expect(t, "the sender", c.want...)
			b.expect(t, "the other", c.heard...)
			s.Handle(t.Context(), []byte(`{"event":"client-after","channel":"private-a","data":1}`))
			b.expect(t, "afterwards", string(pusher.EventFrame("client-after", "private-a", "1")))
			if socket.ended() != nil {
				t.Errorf("the socket was ended: %v", socket.ended())
			}
		})
	}
}

func TestClientEventsSwitchedOff(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Features.ClientEvents = false
	s, socket := e.open("js")
	socket.join(t, s, "private-a", "")
	socket.take()
	s.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-a","data":1}`))
	socket.expect(t, "switched off", plain("Client event rejected - client events are not enabled for this app"))
}

// TestClientEventRate says more in a second than a client may.
func TestClientEventRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		s, socket := e.open("js")
		other, b := e.open("js")
		socket.join(t, s, "private-a", "")
		b.join(t, other, "private-a", "")
		socket.take()
		b.take()
		say := func(n int) {
			for range n {
				s.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-a","data":1}`))
			}
		}
		tooMany := `{"event":"pusher:error","data":{"code":4301,"message":"The rate limit for client events was exceeded"}}`
		say(12)
		socket.expect(t, "twelve at once", tooMany, tooMany)
		if heard := b.take(); len(heard) != 10 {
			t.Errorf("%d of 10 were heard", len(heard))
		}
		other.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-a","data":2}`))
		socket.expect(t, "another client is not limited by that", string(pusher.EventFrame("client-x", "private-a", "2")))
		time.Sleep(time.Second)
		say(10)
		socket.expect(t, "a second later")

		// The app's own limit counts too.
		e.app.Limits.MessagesPerSecond = 3
		time.Sleep(time.Second)
		say(4)
		socket.expect(t, "over the app's limit", tooMany)
	})
}

func TestClientEventsWithoutABus(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, socket := e.open("js")
	socket.join(t, s, "private-a", "")
	socket.take()
	e.bus.broken.Store(true)
	s.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-a","data":1}`))
	socket.expect(t, "without a bus", plain("Client events are unavailable at the moment, try again"))
}
