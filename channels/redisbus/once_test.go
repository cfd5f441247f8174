package redisbus

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

func parcel(key string, topic channels.Topic) channels.Parcel {
	return channels.Parcel{
		Key: key, Digest: "digest", Answer: []byte("answer"), Messages: []channels.Message{{Topic: topic, Frame: []byte(key)}},
	}
}

// TestOnceWithoutAnAnswer has the network swallow what Redis is asked, until the publisher has given up and asked again: what
// was on its way may arrive late, and what came first is published.
func TestOnceWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	wire, through := newProxy(t, url)
	a, b := run(t, newBusAt(t, through, prefix, nil)), run(t, newBusAt(t, url, prefix, nil))
	b.subscribe(news)
	if _, err := a.PublishOnce(t.Context(), "1", parcel("first", news)); err != nil {
		t.Fatal(err)
	}
	wire.set(true)
	began := time.Now()
	_, err := a.PublishOnce(t.Context(), "1", parcel("k", news))
	if took := time.Since(began); !errors.Is(err, channels.ErrUnavailable) || took > soon {
		t.Errorf("%v after %v", err, took)
	}
	wire.set(false)
	a.eventually("it is taken", func() bool {
		_, err := a.PublishOnce(t.Context(), "1", parcel("k", news))
		return err == nil
	})
	r, err := b.PublishOnce(t.Context(), "1", parcel("k", news), parcel("last", news))
	if err != nil || !r[0].Repeated || string(r[0].Answer) != "answer" || r[1].Repeated {
		t.Errorf("%+v, %v", r, err)
	}
	b.eventually("all came", func() bool { return len(b.heard(news)) >= 3 })
	time.Sleep(200 * time.Millisecond)
	b.hears(news, "first", "k", "last")
}

// TestOnceWhileConnectionsAreKilled loses answers of Redis by killing the connections of those that wait for them.
func TestOnceWhileConnectionsAreKilled(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "once:", quick)), run(t, newBusAt(t, r.URL(), "once:", quick))
	b.subscribe(news)
	failures := 0
	const n = 100
	for i := range n {
		done := make(chan error, 1)
		go func() {
			_, err := a.PublishOnce(t.Context(), "1", parcel(fmt.Sprint(i), news))
			done <- err
		}()
		_ = b.client.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err()
		for <-done != nil {
			failures++
			_, err := a.PublishOnce(t.Context(), "1", parcel(fmt.Sprint(i), news))
			done <- err
		}
	}
	t.Logf("%d of %d publishes were not answered at first", failures, n)
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
	}
	time.Sleep(100 * time.Millisecond)
	b.hears(news, want...)
}

// TestOnceIsBounded has one app use more keys than it may. What is remembered stays so, and another app does not notice.
func TestOnceIsBounded(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.OnceBytes = 10_000 }))
	a.subscribe(news)
	var taken []string
	for i := range 100 {
		key := fmt.Sprintf("%03d %s", i, strings.Repeat("k", 100))
		_, err := a.PublishOnce(t.Context(), "1", parcel(key, news))
		if errors.Is(err, channels.ErrTooManyKeys) && errors.Is(err, channels.ErrUnavailable) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, key)
	}
	if n := len(taken); n < 20 || n > 80 {
		t.Errorf("%d keys were taken", n)
	}
	for _, key := range taken {
		if r, err := a.PublishOnce(t.Context(), "1", parcel(key, news)); err != nil || !r[0].Repeated {
			t.Fatalf("%q is forgotten: %+v, %v", key, r, err)
		}
	}
	if r, err := a.PublishOnce(t.Context(), "1", parcel("", news)); err != nil || r[0].Repeated {
		t.Errorf("without a key: %+v, %v", r, err)
	}
	if _, err := a.PublishOnce(t.Context(), "2", parcel("k", channels.Topic{App: "2", Channel: "c"})); err != nil {
		t.Errorf("another app: %v", err)
	}
	a.hears(news, append(taken, "")...)
}

// TestOnceIsForgotten finds that a key is remembered for as long as it should be, and then goes.
func TestOnceIsForgotten(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	const long = 500 * time.Millisecond
	publish := func() (repeated bool) {
		args, err := a.onceArgs("1", []channels.Parcel{parcel("k", news)}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		args[4] = long.Milliseconds()
		reply, err := a.eval(t.Context(), a.scripts.once, a.names.app("1"), args...)
		if err != nil || text(reply, 0) != "OK" {
			t.Fatalf("%v, %v", reply, err)
		}
		return number(reply, 1) == 1
	}
	began := time.Now()
	if publish() {
		t.Fatal("it was there before")
	}
	for publish() {
		time.Sleep(5 * time.Millisecond)
	}
	if took := time.Since(began); took < long || took > 3*long {
		t.Errorf("forgotten after %v", took)
	}
	a.eventually("nothing is left", func() bool {
		keys, err := a.client.Keys(t.Context(), `\{*`+a.names.prefix+"1}i:*").Result()
		return err == nil && len(keys) == 0
	})
}
