package redisbus

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

var longLog = channels.Log{Size: 100_000, TTL: time.Minute}

// follow subscribes to topics with a log.
func (e *edge) follow(log channels.Log, topics ...channels.Topic) {
	e.t.Helper()
	for _, topic := range topics {
		if err := e.Subscribe(e.t.Context(), topic, log); err != nil {
			e.t.Fatalf("subscribe: %v", err)
		}
	}
}

// log publishes to a topic's log until the edge takes it, which may be more than once.
func (e *edge) log(log channels.Log, topic channels.Topic, frames ...string) {
	e.t.Helper()
	for _, frame := range frames {
		e.eventually("a publish is taken", func() bool {
			return e.Publish(e.t.Context(), channels.Message{Topic: topic, Frame: []byte(frame), Log: log}) == nil
		})
	}
}

func numbers(first, last int) (list []string) {
	for i := first; i <= last; i++ {
		list = append(list, strconv.Itoa(i))
	}
	return list
}

// position of what an edge heard last.
func (e *edge) last(topic channels.Topic) channels.Position {
	list := e.messages(topic)
	return list[len(list)-1].Position
}

// TestLogOfARedisThatLostAll empties Redis under edges that stay connected.
func TestLogOfARedisThatLostAll(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a, b := run(t, newBusAt(t, r.URL(), "flush:", quick)), run(t, newBusAt(t, r.URL(), "flush:", quick))
	a.follow(longLog, news)
	b.follow(longLog, news)
	a.log(longLog, news, numbers(1, 5)...)
	for _, e := range []*edge{a, b} {
		e.hears(news, numbers(1, 5)...)
	}
	epoch := a.last(news).Epoch
	if err := a.client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	a.log(longLog, news, numbers(6, 8)...)
	for _, e := range []*edge{a, b} {
		e.hears(news, append(append(numbers(1, 5), "LOST"), numbers(6, 8)...)...)
		if last := e.last(news); last.Epoch == epoch || last.Offset != 3 {
			t.Errorf("after %q the last message is at %+v", epoch, last)
		}
		if n := count(e.metrics.lost); n != 1 {
			t.Errorf("a loss was told of %d times", n)
		}
	}
}

// TestLogOfARedisThatStartsEmpty has Redis come back with nothing. Nobody publishes after that, and all are told even so.
func TestLogOfARedisThatStartsEmpty(t *testing.T) {
	t.Parallel()
	r, dir := startRedis(t)
	a := run(t, newBusAt(t, r.URL(), "empty:", quick))
	a.follow(longLog, news, room)
	a.log(longLog, news, "1")
	a.hears(news, "1")
	stopRedis(t, r)
	startRedisIn(t, dir)
	back := time.Now()
	a.hears(news, "1", "LOST")
	a.hears(room, "LOST")
	t.Logf("told %v after Redis was back", time.Since(back))
	a.log(longLog, news, "2")
	a.hears(news, "1", "LOST", "2")
}

// TestLogThatIsTooShort has more published while an edge is cut off than the log remembers.
func TestLogThatIsTooShort(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	wire, through := newProxy(t, url)
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, through, prefix, long)), run(t, newBusAt(t, url, prefix, long))
	short, brief := channels.Log{Size: 10, TTL: time.Minute}, channels.Log{Size: 10, TTL: time.Second}
	whole := channels.Topic{App: "1", Channel: "whole"}
	a.follow(short, news, whole)
	a.follow(brief, room)
	b.log(short, news, "1", "2")
	b.log(short, whole, "1")
	b.log(brief, room, "1")
	a.hears(news, "1", "2")
	a.hears(whole, "1")
	a.hears(room, "1")
	wire.set(true)
	a.eventually("it knows that it is deaf", func() bool { return !a.Healthy() })
	b.log(short, news, numbers(3, 30)...)
	b.log(short, whole, numbers(2, 10)...)
	b.log(brief, room, "2")
	time.Sleep(2 * brief.TTL)
	wire.set(false)
	a.hears(news, append([]string{"1", "2", "LOST"}, numbers(21, 30)...)...)
	a.hears(whole, numbers(1, 10)...)
	a.hears(room, "1", "LOST")
	b.log(short, news, "31")
	b.log(brief, room, "3")
	a.hears(news, append(append([]string{"1", "2", "LOST"}, numbers(21, 30)...), "31")...)
	a.hears(room, "1", "LOST", "3")
	if n := count(a.metrics.lost); n != 2 {
		t.Errorf("a loss was told of %d times", n)
	}
}

// TestLogThatForked has a server take over that did not get the last messages, and take others in their places before the
// edge looks.
func TestLogThatForked(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]int{"BeforeAnybodyPublishes": 0, "InTheSamePlace": 2, "PastThePlace": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, prefix := testenv.Redis(t)
			wire, through := newProxy(t, url)
			long := func(c *Config) { c.Notices = testNotices() }
			a, b := run(t, newBusAt(t, through, prefix, long)), run(t, newBusAt(t, url, prefix, long))
			a.follow(longLog, news)
			b.log(longLog, news, numbers(1, 5)...)
			a.hears(news, numbers(1, 5)...)
			epoch := a.last(news).Epoch
			wire.set(true)
			a.eventually("the connection is given up", func() bool { return count(a.metrics.reconnects) > 0 })
			b.client.HIncrBy(t.Context(), b.names.app("1")+"g:"+news.Channel, "o", -2)
			if err := b.client.RPopCount(t.Context(), b.names.app("1")+"h:"+news.Channel, 2).Err(); err != nil {
				t.Fatal(err)
			}
			for i := range after {
				b.log(longLog, news, fmt.Sprint("other ", i))
			}
			wire.set(false)
			a.eventually("the loss is told of", func() bool { return slices.Contains(a.heard(news), "LOST") })
			b.log(longLog, news, "6", "7")
			a.hears(news, append(numbers(1, 5), "LOST", "6", "7")...)
			if last := a.last(news); last.Epoch == epoch || last.Offset != 2 {
				t.Errorf("after %q the last message is at %+v", epoch, last)
			}
		})
	}
}

// TestLogThatForkedUnnoticed has the same happen while the edge stays connected, so that what it is sent tells it.
func TestLogThatForkedUnnoticed(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	a.follow(longLog, news)
	a.log(longLog, news, numbers(1, 5)...)
	a.hears(news, numbers(1, 5)...)
	time.Sleep(10 * time.Millisecond) // Whoever takes over has another time on its clock.
	a.client.HIncrBy(t.Context(), a.names.app("1")+"g:"+news.Channel, "o", -2)
	if err := a.client.RPopCount(t.Context(), a.names.app("1")+"h:"+news.Channel, 2).Err(); err != nil {
		t.Fatal(err)
	}
	a.log(longLog, news, "other")
	a.eventually("the loss is told of", func() bool { return slices.Contains(a.heard(news), "LOST") })
	a.log(longLog, news, "6")
	a.hears(news, append(numbers(1, 5), "LOST", "6")...)
}

// TestLogOfADeadEdge has another edge, which does not know the rule, tell of the members of one that has died.
func TestLogOfADeadEdge(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	a, b := run(t, newBusAt(t, url, prefix, quick)), run(t, newBusAt(t, url, prefix, quick))
	arrives := arrival(room, "1.1", "ann")
	arrives.Log = longLog
	a.follow(longLog, room)
	if _, err := a.Join(t.Context(), arrives); err != nil {
		t.Fatal(err)
	}
	b.subscribe(room)
	a.die()
	b.hears(room, "-ann")
	if at := b.last(room); at.Offset != 2 {
		t.Errorf("the notice is at %+v", at)
	}
}

// TestLogsOfOneAppAreBounded fills what an app may have in logs.
func TestLogsOfOneAppAreBounded(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.LogBytes = 64 << 10 }))
	frame := strings.Repeat("x", 1000)
	for i := range 300 {
		a.log(longLog, channels.Topic{App: "1", Channel: fmt.Sprint("c", i%7)}, frame)
	}
	for range 100 {
		a.log(longLog, channels.Topic{App: "2", Channel: "c"}, frame)
	}
	for app, logs := range map[string]int{"1": 7, "2": 1} {
		tag, most := a.names.app(app), 0
		for i := range logs {
			name := fmt.Sprint("c", i)
			if logs == 1 {
				name = "c"
			}
			most += int(a.client.LLen(t.Context(), tag+"h:"+name).Val())
		}
		counted, err := a.client.Get(t.Context(), tag+"hb").Int()
		if err != nil || counted > a.cfg.LogBytes || counted < a.cfg.LogBytes/4 || most*len(frame) > a.cfg.LogBytes || most == 0 {
			t.Errorf("app %s has %d messages in logs, counted as %d bytes, %v", app, most, counted, err)
		}
		sum := 0
		for _, v := range a.client.HVals(t.Context(), tag+"hs").Val() {
			n, _ := strconv.Atoi(v)
			sum += n
		}
		if sum != counted {
			t.Errorf("app %s: the parts are %d and the sum %d", app, sum, counted)
		}
	}
}

// TestLogIsTrimmedByAge has messages grow too old while others follow.
func TestLogIsTrimmedByAge(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	list := a.names.app("1") + "h:" + news.Channel
	length := func() int64 { return a.client.LLen(t.Context(), list).Val() }
	a.log(longLog, news, numbers(1, 20)...)
	for i, element := range a.client.LRange(t.Context(), list, 0, -1).Val() {
		if err := a.client.LSet(t.Context(), list, int64(i), "\x00\x00\x00\x00\x00\x00\x00\x09"+element[8:]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if n := length(); n != 20 {
		t.Errorf("%d of 20 are remembered", n)
	}
	a.log(longLog, news, "21", "22")
	if n := length(); n != 2 {
		t.Errorf("%d are remembered, of which 20 are too old", n)
	}
	narrow := channels.Log{Size: 5, TTL: time.Minute}
	a.log(longLog, news, numbers(23, 72)...)
	a.log(narrow, news, "73")
	if n := length(); n != 5 {
		t.Errorf("%d are remembered by a rule of 5", n)
	}
	a.log(channels.Log{Size: 5, TTL: 300 * time.Millisecond}, news, "74")
	a.eventually("the log expires", func() bool { return length() == 0 })
}

// TestHeadsOfUnusedLogsAreBounded has somebody subscribe to ever new names, and publish to others.
func TestHeadsOfUnusedLogsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 100
	a := run(t, newBus(t, func(c *Config) { c.LogBytes = most * 512 }))
	day := channels.Log{Size: 1, TTL: 24 * time.Hour}
	a.follow(day, news)
	for i := range 2 * most {
		topic := channels.Topic{App: "1", Channel: fmt.Sprint("orders-", i)}
		a.follow(day, topic)
		if err := a.Unsubscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			a.laggards.add(a.followed()...) // as it is done every now and then
		}
		a.log(day, channels.Topic{App: "2", Channel: topic.Channel}, "x")
	}
	for app, logs := range map[string]int{"1": 0, "2": 1} {
		tag := a.names.app(app)
		heads := a.client.Keys(t.Context(), tag+"g:*").Val()
		if n := int(a.client.ZCard(t.Context(), tag+"gx").Val()); n > most || n < most/2 || len(heads) != n {
			t.Errorf("app %s has %d heads, counted as %d", app, len(heads), n)
		}
		if n := len(a.client.Keys(t.Context(), tag+"h:*").Val()); n > most*logs {
			t.Errorf("app %s has %d logs", app, n)
		}
		for _, head := range heads {
			if left := a.client.PTTL(t.Context(), head).Val(); left <= 0 || logs == 0 && left > 10*time.Minute || logs == 1 && left < day.TTL {
				t.Fatalf("%s lives for %v", head, left)
			}
		}
		if left := a.client.PTTL(t.Context(), tag+"gx").Val(); left <= 0 {
			t.Errorf("the heads of app %s are counted for %v", app, left)
		}
	}
	head := a.names.app("1") + "g:" + news.Channel
	epoch := a.client.HGet(t.Context(), head, "e").Val()
	if epoch == "" {
		t.Error("a log that is listened to is forgotten")
	}
	a.client.PExpire(t.Context(), head, time.Minute)
	a.laggards.add(a.followed()...)
	a.eventually("what is listened to is remembered", func() bool { return a.client.PTTL(t.Context(), head).Val() > time.Minute })
	a.log(day, news, "1")
	a.hears(news, "1")
	if now := a.client.HGet(t.Context(), head, "e").Val(); now != epoch || a.client.PTTL(t.Context(), head).Val() < day.TTL {
		t.Errorf("epoch %q after %q, which lives for %v", now, epoch, a.client.PTTL(t.Context(), head).Val())
	}
}

// TestBooksOfLogsAreKept has the only log of an app expire, and what counts the logs be lost.
func TestBooksOfLogsAreKept(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, nil))
	tag := a.names.app("1")
	agree := func(when string) {
		t.Helper()
		counted, _ := a.client.Get(t.Context(), tag+"hb").Int()
		sum := 0
		for _, v := range a.client.HVals(t.Context(), tag+"hs").Val() {
			n, _ := strconv.Atoi(v)
			sum += n
		}
		if counted != sum || sum == 0 {
			t.Errorf("%s: the parts are %d and the sum %d", when, sum, counted)
		}
		for _, key := range []string{"hx", "hs", "hb", "gx"} {
			if left := a.client.PTTL(t.Context(), tag+key).Val(); left <= 0 {
				t.Errorf("%s: %s lives for %v", when, key, left)
			}
		}
	}
	brief := channels.Log{Size: 10, TTL: 200 * time.Millisecond}
	a.log(brief, news, "1")
	a.eventually("the log expires", func() bool { return a.client.Exists(t.Context(), tag+"h:"+news.Channel).Val() == 0 })
	a.log(longLog, news, "2")
	agree("after the only log expired")
	a.log(longLog, room, "1", "2")
	a.client.Del(t.Context(), tag+"hb")
	a.log(longLog, room, "3")
	agree("without a sum")
	a.client.Del(t.Context(), tag+"hs")
	a.log(longLog, room, "4")
	a.client.Del(t.Context(), tag+"hx", tag+"hs")
	a.log(longLog, news, "5")
	agree("without the parts")
}

// TestLogIsCompared has an edge miss the last message without any sign of that.
func TestLogIsCompared(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	a.follow(longLog, news, room)
	a.log(longLog, news, "1")
	a.hears(news, "1")
	tag := a.names.app("1")
	element := string(seal(&channels.Message{Frame: []byte("2")}, time.Now()))
	a.client.RPush(t.Context(), tag+"h:"+news.Channel, "\x00\x00\x00\x00\x00\x00\x00\x09"+element)
	if err := a.client.HIncrBy(t.Context(), tag+"g:"+news.Channel, "o", 1).Err(); err != nil {
		t.Fatal(err)
	}
	a.client.PExpire(t.Context(), tag+"g:"+room.Channel, time.Minute)
	a.laggards.add(a.followed()...) // as it is done every now and then
	a.hears(news, "1", "2")
	a.eventually("the log that is listened to is remembered", func() bool {
		return a.client.PTTL(t.Context(), tag+"g:"+room.Channel).Val() > time.Minute
	})
	a.log(longLog, news, "3")
	a.hears(news, "1", "2", "3")
	if n := count(a.metrics.lost); n != 0 {
		t.Errorf("a loss was told of %d times", n)
	}
}

// TestALongLogDoesNotBlockOthers has one topic of a connection catch up with much while another has something new.
func TestALongLogDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	one := func(c *Config) { quick(c); c.Readers = 1 }
	a, b := run(t, newBusAt(t, r.URL(), "long:", one)), run(t, newBusAt(t, r.URL(), "long:", one))
	long, short := channels.Topic{App: "1", Channel: "long"}, channels.Topic{App: "1", Channel: "short"}
	b.log(longLog, long, "0")
	a.follow(longLog, long, short)
	plain := channels.Topic{App: "1", Channel: "plain"}
	a.subscribe(plain)
	const n = 20_000
	f := a.holdBack(long) // until there is much to read
	for i := 0; i < n; i += 100 {
		var messages []channels.Message
		for j := range 100 {
			messages = append(messages, channels.Message{Topic: long, Frame: []byte(strconv.Itoa(i + j + 1)), Log: longLog})
		}
		if err := b.Publish(t.Context(), messages...); err != nil {
			t.Fatal(err)
		}
	}
	a.eventually("all came and most was not held back", func() bool { return count(a.metrics.received) >= n })
	half, goOn := make(chan struct{}), make(chan struct{})
	a.mu.Lock()
	a.gate = func(m channels.Message) {
		if m.Topic == long && string(m.Frame) == strconv.Itoa(n/2) {
			close(half)
			<-goOn
		}
	}
	a.mu.Unlock()
	began := time.Now()
	a.laggards.add(f)
	<-half
	worst := time.Duration(0)
	rounds := 0
	for rounds == 0 || len(a.heard(long)) < n {
		sent := time.Now()
		rounds++
		b.log(longLog, short, strconv.Itoa(rounds))
		b.say(plain, strconv.Itoa(rounds))
		a.eventually("the others come", func() bool { return len(a.heard(short)) == rounds && len(a.heard(plain)) == rounds })
		worst = max(worst, time.Since(sent))
		if rounds == 1 {
			close(goOn)
		}
	}
	t.Logf("%d messages were read in %v; meanwhile others came %d times, within %v at worst", n, time.Since(began), rounds, worst)
	a.hears(long, numbers(1, n)...)
	if worst > soon {
		t.Errorf("others came within %v at worst", worst)
	}
}
