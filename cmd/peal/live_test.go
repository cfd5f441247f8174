package main

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/internal/testenv"
)

var (
	liveChanges = flag.Int("live-changes", 200, "how many changes of the control plane TestLiveChanges makes")
	liveAway    = flag.Duration("live-away", 4*time.Second, "how long PostgreSQL is away in TestLiveWithoutPostgres")
)

// liveGoal is within which time an edge must act on a change, for 99 of 100.
const liveGoal = 2 * time.Second

// liveKind is one kind of change that customers or operators make to a platform that runs.
type liveKind struct {
	name string
	// make makes the change through the admin API, and returns from when on edges are to act, where that is not at once.
	make func(a *liveApp, admin *liveAdmin) (from time.Time, err error)
	// dooms tells which sockets lose their right by it, and code with which code they are closed.
	dooms func(a *liveApp, s *liveSocket) bool
	code  int
	// holds tells whether an edge acts on it, besides closing sockets; nil where closing is all.
	holds func(a *liveApp, edge int) bool
}

// liveKinds are all of them, in an order in which each undoes what the one before it did to the app. The last one ends the
// app.
func liveKinds() []liveKind {
	nobody := func(*liveApp, *liveSocket) bool { return false }
	everybody := func(*liveApp, *liveSocket) bool { return true }
	extra := func(a *liveApp, s *liveSocket) bool { return s.key == a.extra.key }
	publishes := func(want int) func(*liveApp, int) bool {
		return func(a *liveApp, edge int) bool { return a.publish(edge, a.stay) == want }
	}
	settings := func(change *adminv1.UpdateAppSettingsRequest) func(*liveApp, *liveAdmin) (time.Time, error) {
		return func(a *liveApp, admin *liveAdmin) (time.Time, error) {
			req := proto.CloneOf(change)
			req.AppId = a.id
			_, err := admin.settings.UpdateAppSettings(a.ctx(), req)
			return time.Time{}, err
		}
	}
	feature := func(f *adminv1.FeatureChanges) func(*liveApp, *liveAdmin) (time.Time, error) {
		return settings(&adminv1.UpdateAppSettingsRequest{Features: f})
	}
	payload := func(limit *adminv1.LimitChange) func(*liveApp, *liveAdmin) (time.Time, error) {
		return settings(&adminv1.UpdateAppSettingsRequest{Limits: &adminv1.LimitChanges{PayloadBytes: limit}})
	}
	origins := func(list ...string) func(*liveApp, *liveAdmin) (time.Time, error) {
		return settings(&adminv1.UpdateAppSettingsRequest{Origins: &adminv1.OriginList{List: list}})
	}
	counts := func(want int) func(*liveApp, int) bool {
		return func(a *liveApp, edge int) bool { return a.askForCounts(edge) == want }
	}
	return []liveKind{
		{"disable", (*liveApp).disable, everybody, 4003, publishes(http.StatusForbidden)},
		{"enable", (*liveApp).enable, nobody, 0, publishes(http.StatusOK)},
		{"limit", payload(&adminv1.LimitChange{Value: proto.Int32(3)}), nobody, 0, publishes(http.StatusRequestEntityTooLarge)},
		{"limit", payload(&adminv1.LimitChange{}), nobody, 0, publishes(http.StatusOK)},
		{"key revoked", (*liveApp).revokeExtra, extra, 4001, func(a *liveApp, edge int) bool { return a.publish(edge, a.extra) == http.StatusUnauthorized }},
		{"key created", (*liveApp).createExtra, nobody, 0, func(a *liveApp, edge int) bool { return a.publish(edge, a.extra) == http.StatusOK }},
		{
			"origins", origins("https://a.example"), func(_ *liveApp, s *liveSocket) bool { return s.origin == "https://b.example" }, 4009,
			func(a *liveApp, edge int) bool { return !a.letsIn(edge, "https://b.example") },
		},
		{"origins", origins(), nobody, 0, func(a *liveApp, edge int) bool { return a.letsIn(edge, "https://b.example") }},
		{"feature", feature(&adminv1.FeatureChanges{SubscriptionCount: proto.Bool(true)}), nobody, 0, counts(http.StatusOK)},
		{"feature", feature(&adminv1.FeatureChanges{SubscriptionCount: proto.Bool(false)}), nobody, 0, counts(http.StatusBadRequest)},
		{"feature", feature(&adminv1.FeatureChanges{TlsOnly: proto.Bool(true)}), everybody, 4000, publishes(http.StatusForbidden)},
		{"feature", feature(&adminv1.FeatureChanges{TlsOnly: proto.Bool(false)}), nobody, 0, publishes(http.StatusOK)},
		{"key retires", (*liveApp).rotateExtra, func(a *liveApp, s *liveSocket) bool { return s.key == a.extra.key }, 4001, func(a *liveApp, edge int) bool {
			return a.publish(edge, a.retiring) == http.StatusUnauthorized
		}},
		{"delete", (*liveApp).remove, everybody, 4001, publishes(http.StatusNotFound)},
	}
}

// suspensions are the kinds of change that concern a whole tenant.
func suspensions() []liveKind {
	return []liveKind{
		{
			"suspend", func(a *liveApp, admin *liveAdmin) (time.Time, error) {
				_, err := admin.operators.SuspendTenant(a.ctx(), &adminv1.SuspendTenantRequest{TenantId: a.tenant, Reason: "a test"})
				return time.Time{}, err
			}, func(*liveApp, *liveSocket) bool { return true }, 4003,
			func(a *liveApp, edge int) bool { return a.publish(edge, a.stay) == http.StatusForbidden },
		},
		{
			"resume", func(a *liveApp, admin *liveAdmin) (time.Time, error) {
				_, err := admin.operators.ResumeTenant(a.ctx(), &adminv1.ResumeTenantRequest{TenantId: a.tenant})
				return time.Time{}, err
			}, func(*liveApp, *liveSocket) bool { return false }, 0,
			func(a *liveApp, edge int) bool { return a.publish(edge, a.stay) == http.StatusOK },
		},
	}
}

func (a *liveApp) disable(admin *liveAdmin) (time.Time, error) {
	_, err := admin.apps.DisableApp(a.ctx(), &adminv1.DisableAppRequest{AppId: a.id})
	return time.Time{}, err
}

func (a *liveApp) enable(admin *liveAdmin) (time.Time, error) {
	_, err := admin.apps.EnableApp(a.ctx(), &adminv1.EnableAppRequest{AppId: a.id})
	return time.Time{}, err
}

func (a *liveApp) remove(admin *liveAdmin) (time.Time, error) {
	_, err := admin.apps.DeleteApp(a.ctx(), &adminv1.DeleteAppRequest{AppId: a.id})
	return time.Time{}, err
}

func (a *liveApp) revokeExtra(admin *liveAdmin) (time.Time, error) {
	_, err := admin.keys.RevokeKey(a.ctx(), &adminv1.RevokeKeyRequest{AppId: a.id, Key: a.extra.key})
	return time.Time{}, err
}

func (a *liveApp) createExtra(admin *liveAdmin) (time.Time, error) {
	made, err := admin.keys.CreateKey(a.ctx(), &adminv1.CreateKeyRequest{AppId: a.id})
	if err == nil {
		a.extra, err = admin.reveal(a.ctx(), a.id, made.GetKey().GetKey())
	}
	return time.Now(), err
}

// rotateExtra has a key retire soon. It is its date from when on edges are to act.
func (a *liveApp) rotateExtra(admin *liveAdmin) (time.Time, error) {
	r, err := admin.keys.RotateKey(a.ctx(), &adminv1.RotateKeyRequest{AppId: a.id, Key: a.extra.key, Overlap: durationpb.New(300 * time.Millisecond)})
	if err != nil {
		return time.Time{}, err
	}
	a.retiring = a.extra
	a.extra, err = admin.reveal(a.ctx(), a.id, r.GetKey().GetKey())
	return r.GetOld().GetRetireTime().AsTime(), err
}

// TestLiveChanges makes changes of all kinds to a platform of two edges with open sockets, and measures how long it takes from the
// answer of the admin API until each edge acts. The sockets that lost their right are closed, each with its code, and no others.
func TestLiveChanges(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	w := newLiveWorld(t, env)
	bystander := w.newApp(w.admins[0])
	bystander.fill()
	var made atomic.Int64
	var workers sync.WaitGroup
	work := func(a *liveApp, kinds []liveKind, admins []*liveAdmin, anew func() *liveApp) {
		for i := 0; made.Add(1) <= int64(*liveChanges); i++ {
			if !w.change(a, kinds[i%len(kinds)], admins[i%len(admins)]) {
				return
			}
			if i%len(kinds) == len(kinds)-1 {
				a = anew()
			}
		}
	}
	for n := range 4 {
		anew := func() *liveApp { return w.newApp(w.admins[n%len(w.admins)]) }
		workers.Go(func() { work(anew(), liveKinds(), w.admins, anew) })
	}
	// The other tenant is suspended by an operator, whose own tenant goes on.
	runPeal(t, env, "operators", "create", "owner@example.com", "--unverified").want(t, "operator", exitOK, "is an operator now")
	suspended := w.newApp(w.signUp("other@example.com")[0])
	workers.Go(func() { work(suspended, suspensions(), w.admins, func() *liveApp { return suspended }) })
	workers.Wait()
	for edge := range w.edges {
		if got := bystander.publish(edge, bystander.stay); got != http.StatusOK {
			t.Errorf("an app that nobody changed is answered with %d", got)
		}
	}
	w.report(liveGoal)
	w.end()
}

// change makes one change and waits until every edge acts on it. It tells whether the app can go on.
func (w *liveWorld) change(a *liveApp, k liveKind, admin *liveAdmin) bool {
	if k.code != 0 {
		a.fill() // Whatever closes sockets finds the app as it was made.
	}
	var doomed []*liveSocket
	for _, s := range a.sockets {
		if k.dooms(a, s) {
			s.doomed.Store(true)
			doomed = append(doomed, s)
		}
	}
	from, err := k.make(a, admin)
	answered := time.Now()
	if err != nil {
		w.t.Errorf("%s: %v", k.name, err)
		return false
	}
	if !from.IsZero() {
		answered = from
	}
	ok := true
	var edges sync.WaitGroup
	took := make([]time.Duration, len(w.edges))
	for edge := range w.edges {
		edges.Go(func() {
			acted := w.untilActs(a, k, edge)
			for _, s := range doomed {
				if s.edge == edge {
					acted = later(acted, s.closedAt(k.code))
				}
			}
			took[edge] = max(0, acted.Sub(answered))
		})
	}
	edges.Wait()
	for edge, d := range took {
		w.measured(k.name, d)
		if d >= 10*time.Second {
			w.t.Errorf("%s: edge %d took %v", k.name, edge, d)
			ok = false
		}
	}
	return ok
}

// untilActs waits until an edge acts on a change, and returns when it did.
func (w *liveWorld) untilActs(a *liveApp, k liveKind, edge int) time.Time {
	began := time.Now()
	if k.holds == nil {
		return began
	}
	for time.Since(began) < 10*time.Second {
		asked := time.Now()
		if k.holds(a, edge) {
			// What is answered now was decided when it was asked, at the earliest.
			return asked
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Now()
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// TestLiveWithoutPostgres: while PostgreSQL is away no socket is closed and no known app is refused, and a change that is made when
// it is back reaches the edges.
func TestLiveWithoutPostgres(t *testing.T) {
	t.Parallel()
	url, env := database(t)
	redis, prefix := testenv.Redis(t)
	env = append(env, "PEAL_REDIS_URL="+redis, "PEAL_REDIS_PREFIX="+prefix, "PEAL_DRAIN_PAUSE=0s")
	runPeal(t, env, "migrate", "up").want(t, "up", exitOK)
	w := newLiveWorld(t, env)
	a := w.newApp(w.admins[0])
	a.fill()
	for edge := range w.edges {
		for _, k := range []liveKey{a.stay, a.extra} {
			if got := a.publish(edge, k); got != http.StatusOK {
				t.Fatalf("before: %d", got)
			}
		}
	}
	back := lockOut(t, url)
	began := time.Now()
	asked := 0
	for time.Since(began) < *liveAway {
		for edge := range w.edges {
			for _, k := range []liveKey{a.stay, a.extra} {
				asked++
				if got := a.publish(edge, k); got != http.StatusOK {
					t.Errorf("after %v a publish at edge %d is answered with %d", time.Since(began), edge, got)
				}
			}
			if asked++; !a.letsIn(edge, "https://b.example") {
				t.Errorf("after %v edge %d lets nobody in", time.Since(began), edge)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	if t.Failed() {
		return
	}
	back()
	t.Logf("PostgreSQL was away for %v: %d publishes and connects of a known app went on, %d sockets stayed", time.Since(began), asked, len(a.sockets))
	waitFor(t, "the edges to hear of changes again", func() bool {
		for _, p := range w.edges {
			if !strings.Contains(get(t, p.info.OpsURL+"/readyz"), `"status":"ok"`) {
				return false
			}
		}
		return true
	})
	if !w.change(a, liveKind{"key revoked", (*liveApp).revokeExtra, func(a *liveApp, s *liveSocket) bool { return s.key == a.extra.key }, 4001, func(a *liveApp, edge int) bool {
		return a.publish(edge, a.extra) == http.StatusUnauthorized
	}}, w.admins[0]) {
		t.Error("a change does not reach the edges")
	}
	w.end()
}

// TestRotationLosesNoPublish publishes all the time at both edges while a key is rotated: with the old one until its successor is
// there, and with that from the moment on that it is.
func TestRotationLosesNoPublish(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t, cluster(t))
	a := w.newApp(w.admins[0])
	type publisher struct {
		key atomic.Pointer[liveKey]
		n   atomic.Int64
	}
	var stopped atomic.Bool
	defer stopped.Store(true)
	publishers := make([]*publisher, len(w.edges))
	var running sync.WaitGroup
	for edge := range w.edges {
		p := &publisher{}
		p.key.Store(&a.extra)
		publishers[edge] = p
		running.Go(func() {
			for !stopped.Load() {
				k := p.key.Load()
				if got := a.publish(edge, *k); got != http.StatusOK {
					t.Errorf("publish %d at edge %d with %s is answered with %d", p.n.Load(), edge, k.key, got)
				}
				p.n.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	const (
		rounds = 3
		// overlap is what the servers have to be moved within, on a machine that has other things to do.
		overlap = 4 * time.Second
	)
	for round := range rounds {
		r, err := w.admins[round%len(w.admins)].keys.RotateKey(t.Context(), &adminv1.RotateKeyRequest{
			AppId: a.id, Key: publishers[0].key.Load().key, Overlap: durationpb.New(overlap),
		})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := w.admins[0].reveal(t.Context(), a.id, r.GetKey().GetKey())
		if err != nil {
			t.Fatal(err)
		}
		publishers[round%2].key.Store(&fresh) // One server has the new key at once, the other a while later.
		time.Sleep(200 * time.Millisecond)
		publishers[1-round%2].key.Store(&fresh)
		time.Sleep(time.Until(r.GetOld().GetRetireTime().AsTime()) + 50*time.Millisecond)
	}
	stopped.Store(true)
	running.Wait()
	t.Logf("%d rotations, %d and %d publishes at two edges, none refused", rounds, publishers[0].n.Load(), publishers[1].n.Load())
	list, err := w.admins[0].keys.ListKeys(t.Context(), &adminv1.ListKeysRequest{AppId: a.id})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	for _, k := range list.GetKeys() {
		states[fmt.Sprint(k.GetState())]++
	}
	if states["KEY_STATE_ACTIVE"] != 2 || states["KEY_STATE_REVOKED"] != rounds {
		t.Errorf("states %v", states)
	}
}
