package redisbus

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

// TestAConnectionIsKilled cuts the pub/sub connections, as Redis does with a client that is too slow.
func TestAConnectionIsKilled(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a := run(t, newBusAt(t, r.URL(), "kill:", quick))
	topics := make([]channels.Topic, 50)
	for i := range topics {
		topics[i] = channels.Topic{App: "1", Channel: "c" + string(rune('a'+i))}
	}
	a.subscribe(topics...)
	for round := range 3 {
		before := count(a.metrics.reconnects)
		if err := a.client.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
		a.eventually("all readers noticed", func() bool { return count(a.metrics.reconnects) >= before+a.cfg.Readers })
		for _, topic := range topics {
			a.eventually("the topic is heard again", func() bool {
				a.say(topic, "x")
				time.Sleep(time.Millisecond)
				return len(a.heard(topic)) > round
			})
		}
	}
	a.subscribe(news)
	if !a.Healthy() {
		t.Error("it thinks that it is not healthy")
	}
	if n := count(a.metrics.newLeases); n != 1 {
		t.Errorf("%d leases", n)
	}
}

// TestRedisStandsStill has Redis answer nobody for two seconds.
func TestRedisStandsStill(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, r.URL(), "still:", long)), run(t, newBusAt(t, r.URL(), "still:", long))
	a.subscribe(room, news)
	a.join(room, "1.1", "ann")
	b.join(room, "2.1", "bo")
	a.hears(room, "+ann", "+bo")
	signal(t, r.PID(), syscall.SIGSTOP)
	began := time.Now()
	err := a.Publish(t.Context(), channels.Message{Topic: news, Frame: []byte("lost?")})
	if took := time.Since(began); !errors.Is(err, channels.ErrUnavailable) || took > soon {
		t.Errorf("publish: %v after %v", err, took)
	}
	// Whether Redis still does this nobody knows; what is sure is that nobody is there who does not know it.
	if _, err := b.Join(t.Context(), arrival(room, "2.2", "cy")); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("join: %v", err)
	}
	if err := b.leave(room, "2.1", "bo"); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("leave: %v", err)
	}
	signal(t, r.PID(), syscall.SIGCONT)
	a.occupied(room, 1, 1)
	a.eventually("all debts are paid", func() bool {
		b.joins.mu.Lock()
		defer b.joins.mu.Unlock()
		return len(b.joins.debts) == 0
	})
	a.occupied(room, 1, 1)
	a.say(news, "hello")
	a.eventually("messages come", func() bool { return len(a.heard(news)) > 0 })
	if n := count(a.metrics.newLeases) + count(b.metrics.newLeases); n != 2 {
		t.Errorf("%d leases for two edges", n)
	}
	a.eventually("it is healthy", a.Healthy)
}

func signal(t testing.TB, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// TestRedisStartsAnew has Redis go away for a while and come back with nothing.
func TestRedisStartsAnew(t *testing.T) {
	t.Parallel()
	r, dir := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "anew:", quick)), run(t, newBusAt(t, r.URL(), "anew:", quick))
	a.subscribe(room, news)
	a.join(room, "1.1", "ann")
	b.join(room, "2.1", "bo")
	b.join(room, "2.2", "cy")
	a.hears(room, "+ann", "+bo", "+cy")
	stopRedis(t, r)
	if err := a.Publish(t.Context(), channels.Message{Topic: news}); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("publish: %v", err)
	}
	began := time.Now()
	if err := b.leave(room, "2.2", "cy"); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("leave: %v", err)
	}
	a.eventually("it knows that it is deaf", func() bool { return !a.Healthy() })
	t.Logf("degraded after %v", time.Since(began))
	startRedisIn(t, dir)
	back := time.Now()
	a.say(news, "hello")
	a.eventually("messages come", func() bool {
		a.say(news, "hello")
		time.Sleep(5 * time.Millisecond)
		return len(a.heard(news)) > 0
	})
	t.Logf("messages come again after %v", time.Since(back))
	a.occupied(room, 2, 2)
	t.Logf("all is noted again after %v", time.Since(back))
	a.hears(room, "+ann", "+bo", "+cy") // Nobody is told for the second time.
	for _, e := range []*edge{a, b} {
		e.eventually("it is healthy", e.Healthy)
	}
	if err := b.leave(room, "2.1", "bo"); err != nil {
		t.Error(err)
	}
	a.occupied(room, 1, 1)
}

// TestNothingPasses cuts the network without a word, so that no connection breaks.
func TestNothingPasses(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	wire, through := newProxy(t, url)
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, through, prefix, long)), run(t, newBusAt(t, url, prefix, long))
	a.subscribe(news, room)
	a.join(room, "1.1", "ann")
	a.eventually("a probe came back", func() bool { return testHistogram(t, a.metrics.probe) > 0 })
	wire.set(true)
	cut := time.Now()
	a.eventually("it knows that it is deaf", func() bool { return !a.Healthy() })
	// One look more than the limit, and what the machine needs for it.
	if took := time.Since(cut); took > deafAfter+time.Second {
		t.Errorf("it took %v to notice", took)
	} else {
		t.Logf("noticed after %v", took)
	}
	began := time.Now()
	if err := a.Publish(t.Context(), channels.Message{Topic: news}); !errors.Is(err, channels.ErrUnavailable) || time.Since(began) > soon {
		t.Errorf("publish: %v after %v", err, time.Since(began))
	}
	wire.set(false)
	healed := time.Now()
	a.eventually("messages come", func() bool {
		b.say(news, "hello")
		time.Sleep(5 * time.Millisecond)
		return len(a.heard(news)) > 0
	})
	t.Logf("messages come again after %v", time.Since(healed))
	a.eventually("it is healthy", a.Healthy)
	a.occupied(room, 1, 1)
	if n := count(a.metrics.newLeases); n != 1 {
		t.Errorf("%d leases", n)
	}
}

// TestUnsubscribeDoesNotWaitForTheDead has a socket leave many topics while Redis is away.
func TestUnsubscribeDoesNotWaitForTheDead(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a := run(t, newBusAt(t, r.URL(), "away:", nil))
	var topics []channels.Topic
	for i := range 200 {
		topics = append(topics, channels.Topic{App: "1", Channel: "c" + string(rune('0'+i))})
	}
	a.subscribe(topics...)
	for _, topic := range topics {
		a.join(topic, "1.1", "")
	}
	stopRedis(t, r)
	a.eventually("it knows that it is deaf", func() bool { return !a.Healthy() })
	began := time.Now()
	for _, topic := range topics {
		if err := a.Unsubscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		if err := a.leave(topic, "1.1", ""); !errors.Is(err, channels.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
