package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
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

// knock has somebody ask for a place and tells what became of it.
func (e *edge) knock() (*session.Session, *session.Ending) {
	e.t.Helper()
	g, end := e.registry.Admit(e.t.Context(), session.Visitor{Key: demoKey})
	if end != nil {
		e.t.Fatal(end)
	}
	s := e.registry.New(g, &carrier{id: session.NewSocketID()})
	return s, s.Open(e.t.Context())
}

// TestQuotaOverAllEdges: what counts is how many there are anywhere, not here; and since some of those may have died with
// their edge, nobody is sent away for good before that would have been noticed.
func TestQuotaOverAllEdges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.run(e.registry.Run)
		e.app.Limits.Connections = 2
		elsewhere := channels.SocketsTopic(e.app.ID)
		if _, err := e.bus.Join(t.Context(), channels.Arrival{Topic: elsewhere, Socket: "9.9"}); err != nil {
			t.Fatal(err)
		}
		first, _ := e.open("js")
		began := time.Now()
		for {
			s, end := e.knock()
			if n := e.registry.Total(); end == nil || n != 1 {
				t.Fatalf("a third: %v; %d are here", end, n) // before Close: who is refused takes no place
			}
			s.Close(t.Context())
			if end.Code == pusher.CloseQuota {
				break
			}
			if end.Code != pusher.CloseOverCapacity || time.Since(began) > time.Minute {
				t.Fatalf("after %v: %v", time.Since(began), end)
			}
			time.Sleep(3 * time.Second)
		}
		if took := time.Since(began); took < 12*time.Second || took > 20*time.Second {
			t.Errorf("it was certain after %v", took)
		}
		if n := e.counted(); n != 2 {
			t.Errorf("%d are counted, want 2", n)
		}
		time.Sleep(time.Minute)
		if _, end := e.knock(); end == nil || end.Code != pusher.CloseOverCapacity {
			t.Errorf("much later it is not certain any more: %v", end)
		}
		first.Close(t.Context())
		second, end := e.knock()
		if end != nil {
			t.Errorf("after one had left: %v", end)
		}
		second.Close(t.Context())
		if n := e.counted(); n != 1 {
			t.Errorf("%d are counted, want 1", n)
		}
	})
}

// TestAKeyThatCameToAnotherApp: who came by it hears the first app, and must not become one of the other's.
func TestAKeyThatCameToAnotherApp(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	s, c := e.open("js")
	s.Handle(t.Context(), []byte(`{"event":"pusher:subscribe","data":{"channel":"news"}}`))
	first := e.app.ID
	e.apps.set(&tenants.App{ID: "2", Enabled: true, Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits(), Keys: e.app.Keys})
	e.registry.Recheck(t.Context(), first)
	if end := c.ended(); end == nil || end.Code != pusher.CloseUnknownApp || s.App().ID != first {
		t.Errorf("it is of app %s, and ended with %v", s.App().ID, end)
	}
	s.Close(t.Context())
	for _, channel := range []string{"#sockets", "news"} {
		if o, err := e.bus.Channel(t.Context(), channels.Topic{App: first, Channel: channel}); err != nil || o.Subscribers != 0 {
			t.Errorf("%s has %+v, %v", channel, o, err)
		}
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

// TestConnectionsPerSecond: who comes too fast is told to come back, takes no place, and is counted.
func TestConnectionsPerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.app.Limits.ConnectionsPerSecond = 3
		let := func(want int) {
			t.Helper()
			n := 0
			for range 5 {
				s, end := e.knock()
				switch {
				case end == nil:
					n++
				case end.Code != pusher.CloseOverCapacity:
					t.Errorf("refused with %v", end)
				}
				s.Close(t.Context())
			}
			if n != want {
				t.Errorf("%d came in, want %d", n, want)
			}
		}
		let(3)
		time.Sleep(time.Second)
		let(3)
		time.Sleep(999 * time.Millisecond)
		let(0)
		e.app.Limits.ConnectionsPerSecond = 0
		let(5)
		if n := testutil.ToFloat64(e.registry.Collectors()[0]); n != 9 {
			t.Errorf("%v were counted, want 9", n)
		}
		if here, anywhere := e.registry.Total(), e.counted(); here != 0 || anywhere != 0 {
			t.Errorf("%d are left here and %d in the count", here, anywhere)
		}
	})
}

// TestAShareWhileItCannotBeCounted: an edge that has others beside it does not give away their places.
func TestAShareWhileItCannotBeCounted(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	e.share = func(limit int) int { return limit / 2 }
	e.registry = e.registryWith(nil)
	e.app.Limits.Connections = 4
	e.bus.broken.Store(true)
	e.open("js")
	e.open("js")
	s, end := e.knock()
	if end == nil || end.Code != pusher.CloseOverCapacity || e.registry.Total() != 2 {
		t.Errorf("one more than the share: %v; %d are here", end, e.registry.Total())
	}
	s.Close(t.Context())
	e.bus.broken.Store(false)
	e.open("js")
	if n := e.counted(); n != 1 {
		t.Errorf("%d are counted, want the one that came since", n)
	}
	e.app.Limits.Connections = 0
	e.bus.broken.Store(true)
	e.open("js")
}

// inTenant returns how many sockets of the app's tenant are counted over all edges.
func (e *edge) inTenant() int {
	e.t.Helper()
	all, err := e.bus.Channel(e.t.Context(), channels.SocketsTopic(e.app.TenantID.String()))
	if err != nil {
		e.t.Fatal(err)
	}
	return all.Subscribers
}

// TestAppsOfATenantShareWhatItsPlanAllows has the plan come and go while sockets are there.
func TestAppsOfATenantShareWhatItsPlanAllows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.run(e.registry.Run)
		with := func(most int) {
			app := *e.app
			app.Tenant.Connections = most
			e.app = &app
			e.apps.set(e.app)
			e.registry.Recheck(t.Context(), e.app.ID)
			time.Sleep(3 * time.Second)
		}
		first, _ := e.open("js")
		if n := e.inTenant(); n != 0 {
			t.Errorf("without a plan %d are counted with the tenant", n)
		}
		with(2)
		if n := e.inTenant(); n != 1 {
			t.Errorf("who came before the plan: %d are counted", n)
		}
		// Another app of the tenant has a socket on another edge.
		elsewhere := channels.SocketsTopic(e.app.TenantID.String())
		if _, err := e.bus.Join(t.Context(), channels.Arrival{Topic: elsewhere, Socket: "9.9"}); err != nil {
			t.Fatal(err)
		}
		s, end := e.knock()
		if end == nil || end.Code != pusher.CloseOverCapacity {
			t.Errorf("a third of the tenant: %v", end)
		}
		if n := e.counted(); n != 1 { // before Close: who is refused takes no place
			t.Errorf("%d of the app are counted, want 1", n)
		}
		s.Close(t.Context())
		first.Close(t.Context())
		second, end := e.knock()
		if end != nil {
			t.Errorf("after one had left: %v", end)
		}
		with(0)
		second.Close(t.Context())
		if in, counted := e.inTenant(), e.counted(); in != 1 || counted != 0 {
			t.Errorf("in the end %d of the tenant and %d of the app are counted, want 1 and 0", in, counted)
		}
	})
}

// TestATenantsShareWhileItCannotBeCounted: as many get in as one edge may have of all the tenant's.
func TestATenantsShareWhileItCannotBeCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEdge(t)
		e.share = func(limit int) int { return limit / 2 }
		e.registry = e.registryWith(nil)
		e.run(e.registry.Run)
		e.app.Tenant.Connections = 4
		e.bus.broken.Store(true)
		e.open("js")
		second, _ := e.open("js")
		third, end := e.knock()
		if end == nil || end.Code != pusher.CloseOverCapacity {
			t.Errorf("a third of a share of two: %v", end)
		}
		third.Close(t.Context())
		second.Close(t.Context())
		e.bus.broken.Store(false)
		time.Sleep(3 * time.Second)
		if n := e.inTenant(); n != 1 {
			t.Errorf("%d are counted when that is possible again, want 1", n)
		}
	})
}
