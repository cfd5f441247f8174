package session_test

import (
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/tenants"
)

// TestTheBusIsToldOfLogs goes by every way on which something is said on a channel, in an app that has a rule for all of
// them and another for one.
func TestTheBusIsToldOfLogs(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Features.Watchlist = true
	all, one := channels.Log{Size: 10, TTL: time.Minute}, channels.Log{Size: 1, TTL: time.Second}
	e.app.ChannelRules = tenants.ChannelRules{
		{Pattern: "private-one", Log: tenants.ChannelLog(one)}, {Pattern: "*", Log: tenants.ChannelLog(all)},
	}
	s, socket := e.open("js")
	socket.join(t, s, "private-one", "")
	socket.join(t, s, "presence-room", member("ann"))
	s.Handle(t.Context(), []byte(`{"event":"client-x","channel":"private-one","data":1}`))
	e.publish("news", "e", "1")
	socket.signIn(t, s, `{"id":"ann","watchlist":["bo"]}`)
	socket.join(t, s, "#server-to-user-ann", "")
	e.publish("#server-to-user-ann", "e", "1")
	for what, want := range map[string]channels.Log{
		"subscribe private-one": one, "join private-one": one, "publish private-one": one,
		"subscribe presence-room": all, "join presence-room": all, "publish news": all,
		// These are no channels of the app's.
		"subscribe #user-ann": {}, "join #user-ann": {}, "subscribe #watch-bo": {},
		"subscribe #server-to-user-ann": {}, "join #server-to-user-ann": {}, "publish #server-to-user-ann": {},
	} {
		if got, told := e.bus.logs.Load(what); !told || got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
}

// TestWhoMissedSomethingIsTold has the bus say what it says when a log does not reach back far enough.
func TestWhoMissedSomethingIsTold(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, socket := e.open("js")
	socket.join(t, s, "private-a", "")
	socket.take()
	e.hub.Deliver(channels.Message{Topic: channels.Topic{App: "1", Channel: "private-a"}, Frame: session.Notices().Lost("private-a")})
	socket.expect(t, "told", `{"event":"peal:gap","channel":"private-a","data":"{}"}`)
}
