package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

func TestArrivals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := session.NewArrivals(session.ArrivalsConfig{Total: 100, PerAddress: 2})
		come := func(n int, addr string) (admitted int) {
			for range n {
				if a.Admit(addr) {
					admitted++
				}
			}
			return admitted
		}
		for _, c := range []struct {
			addr string
			n    int
			want int
		}{
			{"203.0.113.1:1000", 50, 20},
			{"203.0.113.1:2000", 50, 0}, // another port is no other address
			{"203.0.113.2:1000", 5, 5},
			{"[2001:db8:1:2::1]:1000", 50, 20},
			{"[2001:db8:1:2::2]:1000", 50, 0}, // the same network
			{"[2001:db8:1:3::2]:1000", 5, 5},
			{"[::ffff:203.0.113.1]:1000", 5, 0},
			{"10.0.0.1:1000", 100, 100},
			{"127.0.0.1:1000", 100, 100},
			{"pipe", 100, 100},
		} {
			if got := come(c.n, c.addr); got != c.want {
				t.Errorf("%s: %d of %d admitted, want %d", c.addr, got, c.n, c.want)
			}
		}
		time.Sleep(time.Second)
		if got := come(50, "203.0.113.1:1000"); got != 2 {
			t.Errorf("a second later %d were admitted", got)
		}
		come(10_000, "10.0.0.1:1000")
		time.Sleep(time.Second)
		if got := come(1000, "10.0.0.1:1000"); got != 100 {
			t.Errorf("of all, %d were admitted in a second", got)
		}
		// More addresses than are remembered do no harm.
		for i := range 120_000 {
			a.Admit(fmt.Sprintf("%d.%d.%d.1:1", 11+i>>16, i>>8&0xff, i&0xff))
		}
	})
}

func TestAdmitWhileTooManyCome(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	registry := e.registryWith(session.NewArrivals(session.ArrivalsConfig{PerAddress: 1}))
	var end *session.Ending
	for range 11 {
		_, end = registry.Admit(t.Context(), session.Visitor{Key: demoKey, Addr: "203.0.113.1:1"})
	}
	if end == nil || end.Code != pusher.CloseOverCapacity {
		t.Errorf("the eleventh: %v", end)
	}
	if _, end := registry.Admit(t.Context(), session.Visitor{Key: demoKey, Addr: "203.0.113.2:1"}); end != nil {
		t.Errorf("from elsewhere: %v", end)
	}
}
