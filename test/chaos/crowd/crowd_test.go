package crowd

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// server speaks as much of the protocol as a crowd needs. It says to each socket what the test wants, and ends it so.
func server(t *testing.T, say func(socket int) (frames []string, code websocket.StatusCode)) netip.AddrPort {
	t.Helper()
	var sockets atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		n := int(sockets.Add(1))
		ctx := r.Context()
		write := func(frame string) { _ = conn.Write(ctx, websocket.MessageText, []byte(frame)) }
		write(`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\"}"}`)
		_, ask, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var asked struct{ Data struct{ Channel string } }
		_ = json.Unmarshal(ask, &asked)
		write(`{"event":"pusher_internal:subscription_succeeded","channel":"` + asked.Data.Channel + `","data":"{\"presence\":{\"ids\":[\"ann\"],\"count\":1}}"}`)
		frames, code := say(n)
		for _, f := range frames {
			write(f)
		}
		if code != 0 {
			_ = conn.Close(code, "go")
			return
		}
		_, _, _ = conn.Read(ctx)
	}))
	t.Cleanup(srv.Close)
	return netip.MustParseAddrPort(srv.Listener.Addr().String())
}

func start(t *testing.T, addr netip.AddrPort, seats ...Seat) *Crowd {
	t.Helper()
	c, err := New(t.Context(), Config{
		Clock: NewClock(), Apps: []App{{"1", "k", "s"}}, Channels: []string{"a", "b"}, Addr: func(int) netip.AddrPort { return addr },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Sit(seats...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Seated(ctx); err != nil {
		t.Fatal(err)
	}
	return c
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestWhatIsHeardIsWrittenDown(t *testing.T) {
	t.Parallel()
	addr := server(t, func(int) ([]string, websocket.StatusCode) {
		return []string{
			`{"event":"chaos","channel":"a","data":"#0.1.0.7#"}`,
			`{"event":"peal:gap","channel":"a","data":"{}"}`,
			`{"event":"chaos","channel":"b","data":"#0.1.1.8#"}`,
			`{"event":"chaos","channel":"x","data":"#0.1.1.9#"}`,
		}, 0
	})
	c := start(t, addr, Seat{Name: "a"})
	eventually(t, "all is heard", func() bool { return c.Heard() == 3 })
	l := c.Listenings()[0]
	want := []struct {
		id ledger.ID
		on uint16
	}{
		{ledger.ID{Publisher: 1, Seq: 7}, 0}, {ledger.ID{Publisher: 1, Channel: 1, Seq: 8}, 1}, {ledger.ID{Publisher: 1, Channel: 1, Seq: 9}, ledger.Elsewhere},
	}
	for i, w := range want {
		if h := l.Heard[i]; h.ID != w.id || h.On != w.on {
			t.Errorf("%d: heard %v on %d, want %v on %d", i, h.ID, h.On, w.id, w.on)
		}
	}
	if len(l.Gaps) != 1 || l.Gaps[0].Before != 1 {
		t.Errorf("gaps %v", l.Gaps)
	}
}

func TestMembersBelieveWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	notice := func(event, user string) string {
		return `{"event":"pusher_internal:` + event + `","channel":"presence-a","data":"{\"user_id\":\"` + user + `\",\"user_info\":{}}"}`
	}
	addr := server(t, func(int) ([]string, websocket.StatusCode) {
		return []string{notice("member_added", "bo"), notice("member_added", "cy"), notice("member_removed", "bo")}, 0
	})
	c := start(t, addr, Seat{Name: "presence-a", User: "ann"})
	eventually(t, "bo is gone", func() bool { return c.Members()[0].Removed["bo"] == 1 })
	m := c.Members()[0]
	if got := strings.Join(m.Believes, ","); got != "ann,cy" || m.Added["bo"] != 1 || m.Added["cy"] != 1 || m.Most != 3 {
		t.Errorf("%+v", m)
	}
}

// TestClientsComeBackAsTheyAreAsked: 4200 at once, any other end after a second, and only who wants to.
func TestClientsComeBackAsTheyAreAsked(t *testing.T) {
	t.Parallel()
	for code, wait := range map[websocket.StatusCode][2]time.Duration{4200: {0, 900 * time.Millisecond}, 4100: {time.Second, 8 * time.Second}} {
		addr := server(t, func(socket int) ([]string, websocket.StatusCode) {
			if socket == 1 {
				return nil, code
			}
			return nil, 0
		})
		c := start(t, addr, Seat{Name: "a", Comeback: true})
		eventually(t, "it is back", func() bool { return len(c.Losses()) == 1 && c.Losses()[0].Back != 0 })
		l := c.Losses()[0]
		if away := l.Back - l.At; l.Code != int(code) || away < wait[0] || away > wait[1] {
			t.Errorf("%d: lost with %d, away for %v", code, l.Code, away)
		}
		all := c.Listenings()
		if len(all) != 2 || all[0].Until == 0 || all[1].Until != 0 {
			t.Errorf("%d: listenings %+v", code, all)
		}
	}
	addr := server(t, func(int) ([]string, websocket.StatusCode) { return nil, 4200 })
	c := start(t, addr, Seat{Name: "a"})
	eventually(t, "it is lost", func() bool { return len(c.Losses()) == 1 })
	if n := c.Listening(); n != 0 {
		t.Errorf("%d listen", n)
	}
}

func TestWhoLeavesIsNoLoss(t *testing.T) {
	t.Parallel()
	c := start(t, server(t, func(int) ([]string, websocket.StatusCode) { return nil, 0 }), Seat{Name: "a", Comeback: true})
	c.Leave(0)
	if n, l := c.Listening(), c.Losses(); n != 0 || len(l) != 0 {
		t.Errorf("%d listen, lost %v", n, l)
	}
	if l := c.Listenings()[0]; l.Until == 0 {
		t.Error("it listens for ever")
	}
}
