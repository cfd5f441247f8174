package session_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestComingAndGoingIsBounded has a client join and leave a presence channel, and sign in, as fast as it can.
func TestComingAndGoingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		other, watcher := e.open("js")
		watcher.join(t, other, "presence-x", member("watcher"))
		watcher.take()
		s, socket := e.open("js")
		churn := func() (joined int) {
			for range 500 {
				socket.join(t, s, "presence-x", member("churn"))
				if frames := socket.take(); len(frames) == 1 {
					joined++
				} else if !strings.Contains(frames[0], "Too many subscriptions") || !strings.Contains(frames[0], `\"status\":429`) {
					t.Fatalf("refused with %q", frames)
				} else {
					continue
				}
				s.Handle(t.Context(), unsubscribe("presence-x"))
			}
			return joined
		}
		if n := churn(); n != 53 { // fifty, and the three channels that the socket may be on
			t.Errorf("%d joins at once", n)
		}
		if n := len(watcher.take()); n != 2*53 {
			t.Errorf("the other was told %d times", n)
		}
		socket.signIn(t, s, `{"id":"7"}`)
		socket.expect(t, "a sign-in then", plain("Too many sign-ins in a short time, try again in a moment"))
		time.Sleep(time.Second)
		if n := churn(); n != 50 {
			t.Errorf("%d joins a second later", n)
		}
		if socket.ended() != nil {
			t.Errorf("the socket was ended: %v", socket.ended())
		}
	})
}
