package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/internal/testenv"
)

// quotaWorld is a platform of three edges whose places clients fight for, and what they saw.
type quotaWorld struct {
	t      *testing.T
	env    []string
	seats  []*quotaSeat
	keys   map[string]liveKey // by app
	began  time.Time
	chance *rand.Rand // for the test itself; clients have their own
	http   *http.Client

	kills    int
	lastKill time.Time
	guests   []*guest // those whom fill has let in

	mu       sync.Mutex
	stays    []*guest       // guarded by mu; all who were let in
	refused  map[string]int // guarded by mu; by close code
	away     int            // guarded by mu; attempts where no edge was, or that were cut off before an answer
	cutOff   int            // guarded by mu; who were in when their edge was killed
	troubles []string       // guarded by mu; what must not happen
}

// quotaSeat is an address at which an edge is, but for when it was killed a moment ago.
type quotaSeat struct {
	addr string
	edge *process

	mu     sync.Mutex
	killed []time.Time // guarded by mu
}

// killedSince returns when it was killed first after a moment.
func (s *quotaSeat) killedSince(moment time.Time) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.killed {
		if at.After(moment) {
			return at, true
		}
	}
	return time.Time{}, false
}

func newQuotaWorld(t *testing.T, seed uint64) *quotaWorld {
	t.Helper()
	w := &quotaWorld{
		t: t, env: quotaPlatform(t), keys: map[string]liveKey{"7": {"abc", "def"}, "8": {"ghi", "jkl"}},
		chance: rand.New(rand.NewPCG(seed, 1)), refused: make(map[string]int),
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience},
	}
	for range 3 {
		s := &quotaSeat{addr: quietAddr(t)}
		s.edge = w.start(s)
		w.seats = append(w.seats, s)
	}
	for _, s := range w.seats {
		untilReady(t, s.edge)
	}
	w.began = time.Now()
	w.lastKill = w.began
	return w
}

// quotaPlatform returns variables for edges of a platform with both bounds.
func quotaPlatform(t *testing.T) (env []string) {
	t.Helper()
	_, env = database(t)
	redis, prefix := testenv.Redis(t)
	env = append(env, "PEAL_REDIS_URL="+redis, "PEAL_REDIS_PREFIX="+prefix, "PEAL_DRAIN_PAUSE=0s")
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	file := write(t, "apps.yaml", fmt.Sprintf(`tenants:
  - name: Acme
    apps:
      - {id: '7', name: chat, keys: [{key: abc, secret: def}], limits: {connections: %d}}
      - {id: '8', name: news, keys: [{key: ghi, secret: jkl}]}
`, *quotaLimit))
	runPeal(t, env, "apply", "-f", file, "--yes").want(t, "apply", exitOK)
	conn := databaseOf(t, env)
	defer conn.Close(context.Background())
	sql := fmt.Sprintf(`INSERT INTO plans (id, name, limits) VALUES ('small', 'Small', '{"connections": %d}')`, *quotaTogether)
	for _, sql := range []string{sql, `UPDATE tenants SET plan_id = 'small'`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return env
}

// quietAddr returns an address that is free, and that no connection from here is given as its own: it must be free when the edge that
// was there has died.
func quietAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(10000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (w *quotaWorld) start(s *quotaSeat) *process {
	w.t.Helper()
	return startEdge(w.t, command(w.t, w.env,
		"serve", "--log-format", "json", "--edge-addr", s.addr, "--control-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0"))
}

// kill kills an edge, and after a pause starts another at its address.
func (w *quotaWorld) kill(s *quotaSeat, pause time.Duration) {
	w.t.Helper()
	s.mu.Lock()
	// Noted before it happens: nobody who was there can be blamed for what comes after.
	w.lastKill = time.Now()
	s.killed = append(s.killed, w.lastKill)
	s.mu.Unlock()
	if err := s.edge.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	s.edge.wait(w.t)
	w.kills++
	time.Sleep(pause)
	s.edge = w.start(s)
}

func (w *quotaWorld) sleepUntil(since time.Duration) { time.Sleep(time.Until(w.began.Add(since))) }

func (w *quotaWorld) anySeat() *quotaSeat { return w.seats[w.chance.IntN(len(w.seats))] }

// staysOf returns what clients knew of having been in, of one app or of all. The caller holds mu.
func (w *quotaWorld) staysOf(app string) (list []stay) {
	for _, g := range w.stays {
		if app == "" || app == g.app {
			list = append(list, stay{g.asked.Sub(w.began), g.answered.Sub(w.began), g.left.Sub(w.began)})
		}
	}
	return list
}

// storm has clients come and go until the function that it returns is called, which waits for them to have gone. Seven
// of ten are of the app with a bound of its own.
func (w *quotaWorld) storm(clients int) (stop func()) {
	var over atomic.Bool
	var all sync.WaitGroup
	for i := range clients {
		app := "7"
		if i%10 >= 7 {
			app = "8"
		}
		chance := rand.New(rand.NewPCG(w.chance.Uint64(), uint64(i)))
		upTo := func(d time.Duration) time.Duration { return time.Duration(chance.Int64N(int64(d))) }
		all.Go(func() {
			time.Sleep(upTo(500 * time.Millisecond))
			for !over.Load() {
				g := w.ask(app, w.seats[chance.IntN(len(w.seats))])
				if !g.in() {
					time.Sleep(100*time.Millisecond + upTo(400*time.Millisecond))
					continue
				}
				select {
				case <-g.gone:
				case <-time.After(50*time.Millisecond + upTo(1500*time.Millisecond)):
				}
				g.leave(chance.IntN(2) == 0)
			}
		})
	}
	return func() {
		over.Store(true)
		all.Wait()
	}
}

// guest is a client that has asked to be let in.
type guest struct {
	w    *quotaWorld
	app  string
	seat *quotaSeat
	conn *websocket.Conn // nil unless it was let in
	// gone is closed when it has read the last it will.
	gone   chan struct{}
	reason error // it ended for; set before gone is closed

	asked, answered time.Time
	left            time.Time // set by leave
}

func (g *guest) in() bool { return g.conn != nil }

// ask has a client ask an edge to be let in, and notes the answer.
func (w *quotaWorld) ask(app string, seat *quotaSeat) *guest {
	g := &guest{w: w, app: app, seat: seat, gone: make(chan struct{}), asked: time.Now()}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+seat.addr+"/app/"+w.keys[app].key+"?protocol=7&client=test", nil)
	var hello []byte
	if err == nil {
		_, hello, err = conn.Read(ctx)
	}
	for err == nil && !strings.Contains(string(hello), "connection_established") {
		_, hello, err = conn.Read(ctx) // It says why in words, and then by the code.
	}
	g.answered = time.Now()
	if err != nil {
		if conn != nil {
			conn.CloseNow()
		}
		w.turnedAway(g, err)
		return g
	}
	g.conn = conn
	w.mu.Lock()
	w.stays = append(w.stays, g)
	w.mu.Unlock()
	go func() {
		defer close(g.gone)
		for g.reason == nil {
			_, _, g.reason = conn.Read(context.WithoutCancel(w.t.Context()))
		}
	}()
	return g
}

// turnedAway notes how somebody was not let in.
func (w *quotaWorld) turnedAway(g *guest, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	code := websocket.CloseStatus(err)
	// A killed edge is away from a moment before it is noted dead until its successor listens.
	_, killed := g.seat.killedSince(g.asked.Add(-patience))
	switch {
	case code == 4004 || code == 4100:
		w.refused[strconv.Itoa(int(code))]++
	case code == -1 && killed:
		w.away++
	default:
		w.troubles = append(w.troubles, fmt.Sprintf("%v after the beginning %s answered a client of app %s: %v", g.asked.Sub(w.began), g.seat.addr, g.app, err))
	}
}

// leave has a client go, with a word or without one, and notes when it was not in any more.
func (g *guest) leave(politely bool) {
	left := time.Now()
	select {
	case <-g.gone:
		g.cutOff(left)
		return
	default:
	}
	if politely {
		_ = g.conn.Close(websocket.StatusNormalClosure, "")
	}
	g.conn.CloseNow()
	<-g.gone
	g.setLeft(left)
}

// cutOff notes that it was not the client that ended it.
func (g *guest) cutOff(noticed time.Time) {
	g.conn.CloseNow()
	_, killed := g.seat.killedSince(g.asked)
	g.w.mu.Lock()
	if killed {
		g.w.cutOff++
	} else {
		g.w.troubles = append(g.w.troubles, fmt.Sprintf("a client of app %s was closed by %s, which lived: %v", g.app, g.seat.addr, g.reason))
	}
	g.w.mu.Unlock()
	g.setLeft(noticed)
}

// setLeft notes when it was not in any more, which it was not for longer than its edge lived.
func (g *guest) setLeft(left time.Time) {
	if died, ok := g.seat.killedSince(g.asked); ok && died.Before(left) {
		left = died
	}
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	g.left = left
}

// count asks an edge how many of an app are connected over all edges; -1 is no answer.
func (w *quotaWorld) count(app string, seat *quotaSeat) int {
	path := w.keys[app].sign(http.MethodGet, "/apps/"+app+"/connections", "", "")
	resp, err := w.http.Get("http://" + seat.addr + path)
	if err != nil {
		return -1
	}
	defer resp.Body.Close()
	answer := struct{ Connections int }{-1}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil && !errors.Is(err, context.Canceled) {
		return -1
	}
	return answer.Connections
}
