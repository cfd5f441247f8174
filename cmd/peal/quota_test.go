package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	quotaFor      = flag.Duration("quota-for", 13*time.Second, "how long clients come and go in TestQuotaUnderKills")
	quotaKills    = flag.Int("quota-kills", 4, "how many edges are killed meanwhile")
	quotaClients  = flag.Int("quota-clients", 100, "how many clients there are")
	quotaLimit    = flag.Int("quota-limit", 40, "how many of the first app may be connected at once")
	quotaTogether = flag.Int("quota-together", 60, "how many of both apps may be connected at once")
	quotaSeed     = flag.Uint64("quota-seed", 0, "what chance follows; 0 is another each time")
)

const (
	// quotaHeal is within which time of the last kill all places must be there again.
	quotaHeal = 30 * time.Second
	// quotaStorm is in which part of the time edges are killed. In the rest those that died are taken off the count, under load.
	quotaStorm = 0.6
)

// TestQuotaUnderKills has clients come and go on three edges, of an app with a bound on connections and of another whose
// tenant has one on both together, while edges are killed and started again at the same address. Never are more in than may be, and
// when it is over not one place is lost.
func TestQuotaUnderKills(t *testing.T) {
	t.Parallel()
	seed := *quotaSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-quota-seed %d", seed)
	w := newQuotaWorld(t, seed)

	stop := w.storm(*quotaClients)
	w.killSome(*quotaKills, time.Duration(quotaStorm*float64(*quotaFor)))
	w.sleepUntil(*quotaFor)
	stop()
	w.mustHavePressed()
	w.healed()
	w.emptied()

	w.mu.Lock()
	defer w.mu.Unlock()
	t.Logf("%d admissions (%d at app 7, %d at app 8), %d kills", len(w.staysOf("")), len(w.staysOf("7")), len(w.staysOf("8")), w.kills)
	t.Logf("turned away: %v; found no edge: %d; cut off by a kill: %d", w.refused, w.away, w.cutOff)
	for _, c := range []struct {
		what, app string
		limit     int
	}{{"app 7", "7", *quotaLimit}, {"both apps together", "", *quotaTogether}} {
		stays := w.staysOf(c.app)
		if err := heldTo(c.limit, stays); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	for _, trouble := range w.troubles {
		t.Error(trouble)
	}
}

// mustHavePressed wants that both bounds were what kept clients out: a storm in which there was room shows nothing.
func (w *quotaWorld) mustHavePressed() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range []struct {
		what, app string
		limit     int
	}{{"app 7", "7", *quotaLimit}, {"both apps together", "", *quotaTogether}} {
		most, at := mostAtOnce(w.staysOf(c.app))
		w.t.Logf("%s: %d of %d at once at most, first at %v", c.what, most, c.limit, at.Round(time.Millisecond))
		// A place that is free between two clients is nobody's for a moment.
		if most < c.limit*9/10 {
			w.t.Errorf("%s: there was room all the time", c.what)
		}
	}
	if w.refused["4004"]+w.refused["4100"] == 0 {
		w.t.Error("nobody was refused")
	}
}

// killSome kills edges one after the other within a time, and starts each again.
func (w *quotaWorld) killSome(n int, within time.Duration) {
	w.t.Helper()
	for i := range n {
		// Each has its part of the time, and a moment of its own in it.
		w.sleepUntil(time.Duration((float64(i) + 0.5 + w.chance.Float64()/2) / float64(n) * float64(within)))
		w.kill(w.seats[w.chance.IntN(len(w.seats))], time.Duration(w.chance.IntN(1000))*time.Millisecond)
	}
}

// healed fills both apps, and wants exactly as many places as there may be within quotaHeal of the last kill.
func (w *quotaWorld) healed() {
	w.t.Helper()
	w.fill("7", *quotaLimit)
	w.fill("8", *quotaTogether-*quotaLimit)
	w.t.Logf("%v after the last kill there were all places again", time.Since(w.lastKill).Round(time.Millisecond))
	for _, app := range []string{"7", "8"} {
		for _, seat := range w.seats {
			if g := w.ask(app, seat); g.in() {
				w.t.Errorf("one more of app %s is let in by %s, beyond the limit", app, seat.addr)
				g.leave(true)
			}
		}
	}
	w.wantCounts(map[string]int{"7": *quotaLimit, "8": *quotaTogether - *quotaLimit})
}

// fill asks for places until there are as many as there may be.
func (w *quotaWorld) fill(app string, places int) {
	w.t.Helper()
	for got := 0; got < places; {
		if g := w.ask(app, w.anySeat()); g.in() {
			got++
			w.guests = append(w.guests, g)
			continue
		}
		if time.Since(w.lastKill) > quotaHeal {
			w.t.Fatalf("%v after the last kill app %s has %d places of %d", quotaHeal, app, got, places)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// emptied has all leave, and wants that nobody is counted.
func (w *quotaWorld) emptied() {
	w.t.Helper()
	for i, g := range w.guests {
		g.leave(i%2 == 0)
	}
	w.wantCounts(map[string]int{"7": 0, "8": 0})
}

// wantCounts waits until every edge tells how many are connected over all edges.
func (w *quotaWorld) wantCounts(want map[string]int) {
	w.t.Helper()
	for app, n := range want {
		for _, seat := range w.seats {
			waitFor(w.t, fmt.Sprintf("%s to count %d of app %s", seat.addr, n, app), func() bool { return w.count(app, seat) == n })
		}
	}
}
