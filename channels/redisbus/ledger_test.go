package redisbus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

// ledger is what publishers were told is out.
type ledger struct {
	mu  sync.Mutex
	out map[channels.Topic][]string // guarded by mu
}

func (l *ledger) note(topic channels.Topic, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out[topic] = append(l.out[topic], id)
}

// check compares what edges heard with the ledger: nothing lost, nothing twice, places without a gap, and one order.
func (l *ledger) check(t *testing.T, edges ...*edge) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	published, lost, twice := 0, 0, 0
	for topic, ids := range l.out {
		published += len(ids)
		for i, e := range edges {
			e.eventually(fmt.Sprintf("edge %d heard all on %s", i, topic.Channel), func() bool { return len(e.heard(topic)) >= len(ids) })
			heard, list := map[string]int{}, e.messages(topic)
			for n, m := range list {
				heard[string(m.Frame)]++
				if m.Position.Offset != uint64(n+1) || m.Position.Epoch != list[0].Position.Epoch {
					t.Fatalf("edge %d, %s: message %d (%q) is at %+v", i, topic.Channel, n, m.Frame, m.Position)
				}
			}
			for _, id := range ids {
				if heard[id] == 0 {
					lost++
				}
			}
			for _, times := range heard {
				twice += times - 1
			}
			if !slices.Equal(e.heard(topic), edges[0].heard(topic)) {
				t.Errorf("%s: edge %d heard another order than edge 0", topic.Channel, i)
			}
		}
	}
	t.Logf("published %d on %d channels, heard by %d edges: %d lost, %d twice", published, len(l.out), len(edges), lost, twice)
	if lost > 0 || twice > 0 {
		t.Errorf("%d lost, %d twice", lost, twice)
	}
}

// publishOnceUntil has several publishers publish without end, each parcel again until it is known to be out.
func publishOnceUntil(t *testing.T, stop <-chan struct{}, l *ledger, topics []channels.Topic, edges ...*edge) (wait func()) {
	t.Helper()
	var all sync.WaitGroup
	for p := range 2 * len(edges) {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				topic, id := topics[rand.IntN(len(topics))], fmt.Sprintf("%d.%d", p, i)
				m := channels.Message{Topic: topic, Frame: []byte(id), Log: longLog}
				parcel := channels.Parcel{Key: id, Digest: "d", Messages: []channels.Message{m}}
				for {
					if _, err := edges[p%len(edges)].PublishOnce(t.Context(), topic.App, parcel); err == nil {
						break
					}
				}
				l.note(topic, id)
				time.Sleep(time.Millisecond)
			}
		})
	}
	return all.Wait
}

// TestLogWhileConnectionsAreKilled kills connections of all kinds at random, under publishers who ask again.
func TestLogWhileConnectionsAreKilled(t *testing.T) {
	t.Parallel()
	const kills = 200
	r, _ := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "kills:", quick)), run(t, newBusAt(t, r.URL(), "kills:", quick))
	var topics []channels.Topic
	for i := range 8 {
		topics = append(topics, channels.Topic{App: strconv.Itoa(i % 3), Channel: fmt.Sprint("c", i)})
	}
	a.follow(longLog, topics...)
	b.follow(longLog, topics...)
	l := &ledger{out: make(map[channels.Topic][]string)}
	stop := make(chan struct{})
	wait := publishOnceUntil(t, stop, l, topics, a, b)
	u, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	killer := redis.NewClient(u)
	defer func() { _ = killer.Close() }()
	began := time.Now()
	for n := 0; n < kills; {
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		clients := strings.Split(strings.TrimSpace(killer.ClientList(t.Context()).Val()), "\n")
		one := clients[rand.IntN(len(clients))]
		id, _, _ := strings.Cut(strings.TrimPrefix(one, "id="), " ")
		if strings.Contains(one, "name=peal") && killer.ClientKillByFilter(t.Context(), "ID", id).Val() == 1 {
			n++
		}
	}
	took := time.Since(began)
	close(stop)
	wait()
	l.check(t, a, b)
	t.Logf("%d kills in %v, %d pub/sub connections replaced, %d messages read from logs, %d repeats dropped", kills, took,
		count(a.metrics.reconnects)+count(b.metrics.reconnects), count(a.metrics.caughtUp)+count(b.metrics.caughtUp),
		count(a.metrics.repeated)+count(b.metrics.repeated))
	if n := count(a.metrics.lost) + count(b.metrics.lost); n != 0 {
		t.Errorf("a loss was told of %d times", n)
	}
	if count(a.metrics.reconnects)+count(b.metrics.reconnects) == 0 {
		t.Error("no pub/sub connection was killed")
	}
}

// TestLogAfterSilence cuts the network of one edge without a word for five seconds.
func TestLogAfterSilence(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	wire, through := newProxy(t, url)
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, through, prefix, long)), run(t, newBusAt(t, url, prefix, long))
	topics := []channels.Topic{{App: "1", Channel: "x"}, {App: "1", Channel: "y"}, {App: "2", Channel: "z"}}
	quiet := channels.Topic{App: "2", Channel: "one that is heard before the cut and after it"}
	a.follow(longLog, append(topics, quiet)...)
	b.follow(longLog, topics...)
	l := &ledger{out: make(map[channels.Topic][]string)}
	stop := make(chan struct{})
	wait := publishOnceUntil(t, stop, l, topics, b)
	b.log(longLog, quiet, "1")
	a.hears(quiet, "1")
	wire.set(true)
	b.log(longLog, quiet, "2")
	time.Sleep(5 * time.Second)
	before := len(a.heard(topics[0]))
	wire.set(false)
	healed := time.Now()
	a.eventually("it catches up", func() bool { return len(a.heard(topics[0])) > before })
	t.Logf("the first message came %v after the network had healed", time.Since(healed))
	a.hears(quiet, "1", "2") // without a later message that would show the gap
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wait()
	l.check(t, a, b)
	if n := count(a.metrics.lost); n != 0 {
		t.Errorf("a loss was told of %d times", n)
	}
}

// TestLogHasNoHole subscribes again and again, each time with the connection lost as soon as it is subscribed: what is
// published from then on comes, even so.
func TestLogHasNoHole(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "hole:", quick)), run(t, newBusAt(t, r.URL(), "hole:", quick))
	for i := range 30 {
		topic := channels.Topic{App: "1", Channel: fmt.Sprint("c", i)}
		b.log(longLog, topic, "before")
		a.follow(longLog, topic)
		var killed sync.WaitGroup
		killed.Go(func() { _ = b.client.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err() })
		b.log(longLog, topic, "1", "2")
		killed.Wait()
		a.hears(topic, "1", "2")
		if err := a.Unsubscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
}
