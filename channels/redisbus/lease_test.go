package redisbus

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

var (
	room     = channels.Topic{App: "1", Channel: "presence-a"}
	news     = channels.Topic{App: "1", Channel: "news"}
	user     = channels.UserTopic("1", "ann")
	watchers = channels.WatchTopic("1", "ann")
)

// TestAnEdgeDies has an edge vanish. What it held goes, told of once, though two others sweep.
func TestAnEdgeDies(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	a, b, c := run(t, newBusAt(t, url, prefix, quick)), run(t, newBusAt(t, url, prefix, quick)), run(t, newBusAt(t, url, prefix, quick))
	b.subscribe(room, watchers)
	c.subscribe(room)
	a.join(room, "1.1", "ann")
	a.join(room, "1.2", "ann")
	a.join(room, "1.3", "bo")
	b.join(room, "2.1", "bo")
	a.join(news, "1.1", "")
	a.join(user, "1.1", "")
	a.die()
	died := time.Now()
	b.occupied(room, 1, 1)
	c.occupied(news, 0, 0)
	t.Logf("swept after %v, of a lease of %v", time.Since(died), b.cfg.Lease)
	b.hears(watchers, "came", "went")
	time.Sleep(3 * grace) // so that what is told twice has come
	for _, e := range []*edge{b, c} {
		e.hears(room, "+ann", "+bo", "-ann")
	}
	b.hears(watchers, "came", "went")
	if list, err := b.Channels(t.Context(), "1", ""); err != nil || len(list) != 1 || list[0].Channel != room.Channel {
		t.Errorf("occupied: %v, %v", list, err)
	}
	b.nothingLeft("l:", "s:"+news.Channel)
}

// nothingLeft looks for keys of the app that only somebody dead can have left.
func (e *edge) nothingLeft(names ...string) {
	e.t.Helper()
	held := e.tenure.lease.id
	for _, name := range names {
		keys, err := e.client.Keys(e.t.Context(), `\{*`+e.names.prefix+`1}`+name+"*").Result()
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == e.names.app("1")+"l:"+held })
		if err != nil || len(keys) > 0 {
			e.t.Errorf("left behind: %q, %v", keys, err)
		}
	}
}

// TestAnEdgeDiesBeforeItTells has an edge vanish while a user's absence is still within its grace.
func TestAnEdgeDiesBeforeItTells(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	a, b := run(t, newBusAt(t, url, prefix, quick)), run(t, newBusAt(t, url, prefix, quick))
	b.subscribe(watchers)
	a.join(user, "1.1", "")
	if err := a.leave(user, "1.1", ""); err != nil {
		t.Fatal(err)
	}
	a.die()
	b.hears(watchers, "came", "went")
}

// TestAnEdgeEndsInOrder finds that nobody has to wait for its lease to run out.
func TestAnEdgeEndsInOrder(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	slow := func(c *Config) { quick(c); c.Lease = 3 * time.Second }
	a, b := run(t, newBusAt(t, url, prefix, slow)), run(t, newBusAt(t, url, prefix, slow))
	b.eventually("b may sweep", func() bool { return b.tenure.steadyFor() > b.cfg.Lease })
	a.join(news, "1.1", "")
	a.end()
	began := time.Now()
	b.occupied(news, 0, 0)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestAnEdgeWakesUp cuts an edge off until it is taken for dead, and then lets it come back.
func TestAnEdgeWakesUp(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	wire, through := newProxy(t, url)
	a, b := run(t, newBusAt(t, through, prefix, quick)), run(t, newBusAt(t, url, prefix, quick))
	b.subscribe(room)
	a.subscribe(news)
	a.join(room, "1.1", "ann")
	a.join(room, "1.2", "bo")
	a.join(news, "1.1", "")
	wire.set(true)
	b.occupied(room, 0, 0)
	if err := a.leave(room, "1.2", "bo"); err == nil {
		t.Error("a leave was taken while nothing passes")
	}
	wire.set(false)
	healed := time.Now()
	b.occupied(room, 1, 1)
	b.occupied(news, 1, 0)
	t.Logf("back after %v", time.Since(healed))
	a.eventually("it is healthy", a.Healthy)
	b.say(news, "hello")
	a.hears(news, "hello")
	if got := b.heard(room); len(got) != 5 || got[4] != "+ann" || !slices.Contains(got[2:4], "-ann") || !slices.Contains(got[2:4], "-bo") {
		t.Errorf("heard %q", got)
	}
	if err := a.leave(room, "1.1", "ann"); err != nil {
		t.Error(err)
	}
	b.occupied(room, 0, 0)
	if n := count(a.metrics.newLeases); n != 2 {
		t.Errorf("%d leases", n)
	}
}

// TestAFencedLease has an edge act in good faith under a lease that was swept.
func TestAFencedLease(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	a.join(room, "1.1", "ann")
	held := a.tenure.lease
	if err := a.client.ZRem(t.Context(), a.names.none()+"leases", held.id).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.sweepApp(t.Context(), held.id, "1"); err != nil {
		t.Fatal(err)
	}
	a.join(room, "1.2", "bo") // at once, and under another lease
	a.occupied(room, 2, 2)
	if a.tenure.holds(held) {
		t.Error("it still has its lease")
	}
	for _, deadline := range []int64{0, time.Now().Add(time.Hour).UnixMilli()} {
		args := a.joinArgs(joinKey{room, "1.3"}, &joined{number: 99, maxMembers: 9}, mandate{held, deadline}, false, true)
		reply, err := a.eval(t.Context(), a.scripts.join, a.names.app("1"), args...)
		if status := text(reply, 0); err != nil || (status != "FENCED" && status != "LATE") {
			t.Errorf("with the deadline %d: %q, %v", deadline, status, err)
		}
	}
}

// TestALateScript sends a script that its caller has given up.
func TestALateScript(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	m, err := a.mandate(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	m.deadline = time.Now().Add(-time.Second).UnixMilli()
	args := a.joinArgs(joinKey{news, "1.1"}, &joined{number: 1}, m, false, true)
	if reply, err := a.eval(t.Context(), a.scripts.join, a.names.app("1"), args...); err != nil || text(reply, 0) != "LATE" {
		t.Errorf("%v, %v", reply, err)
	}
	a.occupied(news, 0, 0)
}

// TestJoinsOutOfOrder has joins and leaves of one socket arrive in another order than they were sent.
func TestJoinsOutOfOrder(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	m, err := a.mandate(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	key := joinKey{news, "1.1"}
	join := func(n uint64) {
		args := a.joinArgs(key, &joined{number: n}, m, false, false)
		if _, err := a.eval(t.Context(), a.scripts.join, a.names.app("1"), args...); err != nil {
			t.Fatal(err)
		}
	}
	leave := func(n uint64) {
		if _, err := a.Bus.leave(t.Context(), m, key, debt{lease: m.lease, number: n}); err != nil {
			t.Fatal(err)
		}
	}
	join(2)
	join(1)
	leave(1)
	a.occupied(news, 1, 0)
	leave(2)
	a.occupied(news, 0, 0)
	join(1)
	leave(2)
	a.occupied(news, 0, 0)
}

func TestNodes(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	named := func(id string) func(*Config) {
		return func(c *Config) {
			quick(c)
			c.Node = Node{ID: id, Address: id + ":6001", Version: "v1"}
			c.Load = func() Load { return Load{Sockets: 7, Draining: id == "b"} }
		}
	}
	a, b := run(t, newBusAt(t, url, prefix, named("a"))), run(t, newBusAt(t, url, prefix, named("b")))
	list, err := a.Nodes(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if n := list[1]; n.ID != "b" || n.Address != "b:6001" || n.Version != "v1" || !n.Draining || n.Sockets != 7 ||
		time.Since(n.Started) > time.Minute || time.Since(n.Seen).Abs() > time.Minute {
		t.Errorf("%+v", n)
	}
	b.die()
	a.eventually("the dead one is off the list", func() bool {
		list, err := a.Nodes(t.Context())
		return err == nil && len(list) == 1 && list[0].ID == "a"
	})
}

// TestAskedToDrain has one node ask another, which has an id that must be quoted, and which is not asked twice.
func TestAskedToDrain(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	const id = "b \"quoted\" \\"
	var a, b atomic.Int64
	named := func(id string, drained *atomic.Int64) func(*Config) {
		return func(c *Config) {
			quick(c)
			c.Node.ID = id
			c.Drain = func() { drained.Add(1) }
		}
	}
	from, to := run(t, newBusAt(t, url, prefix, named("a", &a))), run(t, newBusAt(t, url, prefix, named(id, &b)))
	if err := from.AskDrain(t.Context(), "c"); !errors.Is(err, ErrNoNode) {
		t.Errorf("a node that is not there: %v", err)
	}
	if err := from.AskDrain(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	from.eventually("the other learns of it", func() bool { return b.Load() == 1 })
	if err := from.AskDrain(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * to.cfg.renewEvery())
	if a.Load() != 0 || b.Load() != 1 {
		t.Errorf("who asked was told %d times, who was asked %d times", a.Load(), b.Load())
	}
	to.end()
	from.eventually("it is not registered any more", func() bool { return errors.Is(from.AskDrain(t.Context(), id), ErrNoNode) })
	from.eventually("the wish is forgotten", func() bool {
		return from.client.HLen(t.Context(), from.names.none()+"wishes").Val() == 0
	})
}

// TestManyComeBack has an edge with many subscriptions lose its lease, on a Redis that has forgotten the scripts.
func TestManyComeBack(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "many:", quick)), run(t, newBusAt(t, r.URL(), "many:", quick))
	const n = 2000
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < n; i += 8 {
				if _, err := a.Join(t.Context(), arrival(news, strconv.Itoa(i), "")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.occupied(news, n, 0)
	if err := a.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := a.client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	b.occupied(news, n, 0)
	t.Logf("%d subscriptions were noted again within %v", n, time.Since(began))
	for i := range 10 {
		if err := a.leave(news, strconv.Itoa(i), ""); err != nil {
			t.Error(err)
		}
	}
	b.occupied(news, n-10, 0)
}

// TestBoundsOutliveALease has subscriptions noted again under another lease, with all that came with them.
func TestBoundsOutliveALease(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	arrives := arrival(room, "1.1", "ann")
	arrives.MaxSubscribers, arrives.Log = 7, longLog
	if _, err := a.Join(t.Context(), arrives); err != nil {
		t.Fatal(err)
	}
	key := joinKey{room, "1.1"}
	before := a.joins.get(key)
	if err := a.client.ZRem(t.Context(), a.names.none()+"leases", before.lease.id).Err(); err != nil {
		t.Fatal(err)
	}
	a.tenure.renewNow()
	a.eventually("it is noted again", func() bool { return a.joins.get(key).lease != before.lease })
	want := *before
	after := a.joins.get(key)
	want.lease, want.number = after.lease, after.number
	if *after != want {
		t.Errorf("%+v, want %+v", *after, want)
	}
}
