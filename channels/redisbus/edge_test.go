package redisbus

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/devstack"
)

const (
	patience = 20 * time.Second
	// soon is when a question that is given up after a second has been, however busy the machine is.
	soon = 8 * time.Second
)

// edge is a running bus, with what it has delivered.
type edge struct {
	*Bus
	t    testing.TB
	end  func()
	mu   sync.Mutex
	came map[channels.Topic][]channels.Message // guarded by mu
	gate func(channels.Message)                // guarded by mu; what a delivery waits for; may be nil
}

// run runs a bus until the test ends.
func run(t testing.TB, b *Bus) *edge {
	t.Helper()
	e := &edge{Bus: b, t: t, came: make(map[channels.Topic][]channels.Message)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx, e.take); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	e.end = func() { cancel(); running.Wait() }
	t.Cleanup(func() { e.end() })
	e.eventually("it runs", func() bool {
		m, _, ok := b.tenure.now(time.Second)
		return ok && m.lease != nil && b.running.Load()
	})
	return e
}

func (e *edge) take(m channels.Message) {
	e.mu.Lock()
	gate := e.gate
	e.mu.Unlock()
	if gate != nil {
		gate(m)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.came[m.Topic] = append(e.came[m.Topic], m)
}

func (e *edge) heard(topic channels.Topic) (frames []string) {
	for _, m := range e.messages(topic) {
		frames = append(frames, string(m.Frame))
	}
	return frames
}

func (e *edge) messages(topic channels.Topic) []channels.Message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.came[topic])
}

// die ends the edge without leaving anything in order.
func (e *edge) die() {
	_ = e.client.Close()
	e.end()
}

func (e *edge) eventually(what string, is func() bool) {
	e.t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > patience {
			e.t.Fatalf("after %v it is still not so that %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (e *edge) hears(topic channels.Topic, want ...string) {
	e.t.Helper()
	e.eventually(fmt.Sprintf("%d messages came (%q)", len(want), e.heard(topic)), func() bool { return len(e.heard(topic)) >= len(want) })
	if got := e.heard(topic); !slices.Equal(got, want) {
		e.t.Errorf("heard %q, want %q", got, want)
	}
}

func (e *edge) subscribe(topics ...channels.Topic) {
	e.t.Helper()
	for _, topic := range topics {
		if err := e.Subscribe(e.t.Context(), topic, channels.Log{}); err != nil {
			e.t.Fatalf("subscribe: %v", err)
		}
	}
}

func (e *edge) join(topic channels.Topic, socket, member string) {
	e.t.Helper()
	if _, err := e.Join(e.t.Context(), arrival(topic, socket, member)); err != nil {
		e.t.Fatalf("join: %v", err)
	}
}

func (e *edge) leave(topic channels.Topic, socket, member string) error {
	_, err := e.Leave(e.t.Context(), channels.Departure{Topic: topic, Socket: socket, Member: member})
	return err
}

func arrival(topic channels.Topic, socket, member string) channels.Arrival {
	a := channels.Arrival{Topic: topic, Socket: socket, MaxMembers: 100}
	if member != "" {
		a.Member = &channels.Member{ID: member, Info: "{}"}
	}
	return a
}

// say publishes until the edge takes it, as a client that asks again does.
func (e *edge) say(topic channels.Topic, frame string) {
	e.t.Helper()
	e.eventually("a publish is taken", func() bool {
		return e.Publish(e.t.Context(), channels.Message{Topic: topic, Frame: []byte(frame)}) == nil
	})
}

// occupied waits until a topic has so many sockets and members.
func (e *edge) occupied(topic channels.Topic, subscribers, members int) {
	e.t.Helper()
	var last channels.Occupancy
	var err error
	defer func() {
		if e.t.Failed() {
			e.t.Logf("last: %+v, %v", last, err)
		}
	}()
	e.eventually(fmt.Sprintf("%s has %d sockets and %d members", topic.Channel, subscribers, members), func() bool {
		last, err = e.Channel(e.t.Context(), topic)
		return err == nil && last.Subscribers == subscribers && last.Members == members
	})
}

func count(c prometheus.Collector) int { return int(testutil.ToFloat64(c)) }

const grace = 200 * time.Millisecond

func testNotices() channels.Notices {
	say := func(what string) func(channels.Topic) (channels.Message, bool) {
		return func(t channels.Topic) (channels.Message, bool) {
			user, ok := t.User()
			return channels.Message{Topic: channels.WatchTopic(t.App, user), Frame: []byte(what)}, ok
		}
	}
	return channels.Notices{
		Added:    func(_ string, m channels.Member) []byte { return []byte("+" + m.ID) },
		Removed:  func(_ string, m channels.Member) []byte { return []byte("-" + m.ID) },
		Occupied: say("came"), Vacated: say("went"), Grace: grace,
		Lost: func(string) []byte { return []byte("LOST") },
	}
}

// quick has edges that are soon taken for dead.
func quick(c *Config) {
	c.Notices = testNotices()
	c.Lease = time.Second
}

// startRedis returns a Redis of the test's own, which it may treat badly, and its folder.
func startRedis(t testing.TB, args ...string) (*devstack.Redis, string) {
	t.Helper()
	dir := scratch(t)
	return startRedisIn(t, dir, args...), dir
}

func scratch(t testing.TB) string {
	t.Helper()
	dir, err := devstack.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func stopRedis(t testing.TB, r *devstack.Redis) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	_ = r.Stop(ctx)
}

func startRedisIn(t testing.TB, dir string, args ...string) *devstack.Redis {
	t.Helper()
	r, err := devstack.StartRedis(t.Context(), devstack.RedisConfig{Dir: dir, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopRedis(t, r) })
	return r
}

// testHistogram returns how much a histogram has seen.
func testHistogram(t testing.TB, h prometheus.Collector) uint64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(h)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families[0].GetMetric()[0].GetHistogram().GetSampleCount()
}
