package session_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// TestCounts checks when the subscribers of a channel are told how many they are, and in which order.
func TestCounts(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Features.SubscriptionCount = true
	e.app.Limits.ChannelsPerSocket = 10
	count := func(channel string, n int) string { return string(pusher.SubscriptionCount(channel, n)) }
	s, a := e.open("js")
	s.Handle(t.Context(), subscribe("cache-x"))
	a.expect(t, "alone", string(pusher.SubscriptionSucceeded("cache-x")), string(pusher.CacheMiss("cache-x")), count("cache-x", 1))
	other, b := e.open("js")
	other.Handle(t.Context(), subscribe("cache-x"))
	b.expect(t, "the second", string(pusher.SubscriptionSucceeded("cache-x")), string(pusher.CacheMiss("cache-x")), count("cache-x", 2))
	a.expect(t, "the first", count("cache-x", 2))
	other.Handle(t.Context(), unsubscribe("cache-x"))
	a.expect(t, "the second has left", count("cache-x", 1))
	b.expect(t, "who has left")

	// Presence channels tell more, and Java's library would try to decrypt a count.
	b.join(t, other, "presence-x", member("7"))
	if got := b.take(); len(got) != 1 {
		t.Errorf("presence: %q", got)
	}
	b.join(t, other, "private-encrypted-x", "")
	b.expect(t, "encrypted", string(pusher.SubscriptionSucceeded("private-encrypted-x")))
}

// TestCountsOfMany has 150 sockets come in some seconds and go at once.
func TestCountsOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.app.Features.SubscriptionCount = true
		first, a := e.open("js")
		first.Handle(t.Context(), subscribe("x"))
		var all []*session.Session
		for range 149 {
			s, _ := e.open("js")
			s.Handle(t.Context(), subscribe("x"))
			all = append(all, s)
			time.Sleep(50 * time.Millisecond)
		}
		var told []string
		for n := 1; n <= 101; n++ { // each, up to the first above a hundred
			told = append(told, string(pusher.SubscriptionCount("x", n)))
		}
		a.expect(t, "while they come", append([]string{string(pusher.SubscriptionSucceeded("x"))}, told...)...)
		time.Sleep(20 * time.Second)
		a.expect(t, "when all are there", string(pusher.SubscriptionCount("x", 150)))
		for _, s := range all {
			s.Close(context.Background())
		}
		time.Sleep(20 * time.Second)
		got := a.take()
		if want := fmt.Sprint(string(pusher.SubscriptionCount("x", 1))); len(got) == 0 || got[len(got)-1] != want {
			t.Errorf("in the end it was told %q", got)
		}
	})
}
