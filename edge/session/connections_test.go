package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// counted returns how many sockets of the app are counted over all edges.
func (e *edge) counted() int {
	e.t.Helper()
	all, err := e.bus.Channel(e.t.Context(), channels.SocketsTopic(e.app.ID))
	if err != nil {
		e.t.Fatal(err)
	}
	return all.Subscribers
}

// TestQuotaOverAllEdges: what counts is how many there are anywhere, not here.
func TestQuotaOverAllEdges(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.app.Limits.Connections = 2
	elsewhere := channels.Arrival{Topic: channels.SocketsTopic(e.app.ID), Socket: "9.9"}
	if _, err := e.bus.Join(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	first, _ := e.open("js")
	g, end := e.registry.Admit(t.Context(), session.Visitor{Key: demoKey})
	if end != nil {
		t.Fatal(end)
	}
	s := e.registry.New(g, &carrier{id: session.NewSocketID()})
	if end := s.Open(t.Context()); end == nil || end.Code != pusher.CloseQuota {
		t.Errorf("a third: %v", end)
	}
	s.Close(t.Context())
	if n := e.counted(); n != 2 {
		t.Errorf("%d are counted, want 2", n)
	}
	first.Close(t.Context())
	if n := e.counted(); n != 1 {
		t.Errorf("%d are counted, want 1", n)
	}
}

// TestQuotaWhileItCannotBeCounted: as many get in as one edge may have, and they are counted as soon as they can be.
func TestQuotaWhileItCannotBeCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.run(e.registry.Run)
		e.app.Limits.Connections = 3
		e.bus.broken.Store(true)
		first, _ := e.open("js")
		second, _ := e.open("js")
		e.open("js")
		g, _ := e.registry.Admit(t.Context(), session.Visitor{Key: demoKey})
		s := e.registry.New(g, &carrier{id: session.NewSocketID()})
		if end := s.Open(t.Context()); end == nil || end.Code != pusher.CloseQuota {
			t.Errorf("one more than the edge may have: %v", end)
		}
		s.Close(context.Background())
		first.Close(t.Context())
		if n := e.counted(); n != 0 {
			t.Errorf("%d are counted", n)
		}
		e.bus.broken.Store(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := e.counted(); n != 2 {
			t.Errorf("%d are counted afterwards, want 2", n)
		}
		second.Close(t.Context())
		if n := e.counted(); n != 1 {
			t.Errorf("%d are counted when one has gone, want 1", n)
		}
	})
}
