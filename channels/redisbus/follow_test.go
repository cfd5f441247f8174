package redisbus

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

// holdBack has an edge's follow of a topic held back as if a worker had it, and returns it.
func (e *edge) holdBack(topic channels.Topic) *follow {
	e.t.Helper()
	e.Bus.mu.Lock()
	f := e.interests[topic].follow.Load()
	e.Bus.mu.Unlock()
	e.eventually("nobody has it", f.claim)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = true
	return f
}

// cutBefore has a follow lose what was held back, as if the topic had not been heard until now.
func cutBefore(f *follow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.letGo()
}

// TestEachHoleIsTold has more published than the log remembers, and that once more before the edge has caught up. What comes on
// the connection meanwhile is in its hand although no log has it any more.
func TestEachHoleIsTold(t *testing.T) {
	t.Parallel()
	url, prefix := testenv.Redis(t)
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, url, prefix, long)), run(t, newBusAt(t, url, prefix, long))
	rule := channels.Log{Size: 300, TTL: time.Minute}
	a.follow(rule, news)
	b.log(rule, news, "1")
	a.hears(news, "1")
	f := a.holdBack(news)
	b.log(rule, news, numbers(2, 600)...)
	a.eventually("all came", func() bool { return count(a.metrics.received) >= 600 })
	cutBefore(f)
	// A turn reads a page, 301 to 556. What follows is partly missed, partly held, and the log has the last 300 of it.
	if current, lost, err := a.readOn(t.Context(), f); current || !lost || err != nil {
		t.Fatalf("current %v, lost %v, %v", current, lost, err)
	}
	b.log(rule, news, numbers(601, 700)...)
	a.eventually("all came", func() bool { return count(a.metrics.received) >= 700 })
	cutBefore(f)
	b.log(rule, news, numbers(701, 1200)...)
	a.eventually("all came", func() bool { return count(a.metrics.received) >= 1200 })
	a.laggards.add(f)
	want := append([]string{"1", "LOST"}, numbers(301, 556)...)
	a.hears(news, append(append(want, "LOST"), numbers(701, 1200)...)...)
	if n := count(a.metrics.lost); n != 2 {
		t.Errorf("a loss was told of %d times", n)
	}
}

// TestHolesInWhatIsHeldAreTold merges what was held back, with a hole, with what the log still has, after another hole.
func TestHolesInWhatIsHeldAreTold(t *testing.T) {
	t.Parallel()
	b := newBus(t, func(c *Config) { c.Notices = testNotices() })
	t.Cleanup(func() { _ = b.client.Close() })
	var heard []string
	b.deliver = func(m channels.Message) { heard = append(heard, string(m.Frame)) }
	at := func(offset uint64) letter {
		return letter{stamp: offset, Message: channels.Message{
			Topic: news, Frame: []byte(strconv.FormatUint(offset, 10)), Position: channels.Position{Epoch: "e", Offset: offset},
		}}
	}
	f := &follow{bus: b, topic: news, at: mark{"e", 2, 2}, behind: true, queued: true, told: true}
	for _, offset := range []uint64{2, 4, 5, 7, 11} {
		l := at(offset)
		f.take(&l)
	}
	p := &page{epoch: "e", top: 11, first: 10, letters: []letter{at(10), at(11)}}
	if current, lost := f.merge(f.wants(), p); !current || !lost {
		t.Errorf("current %v, lost %v", current, lost)
	}
	// Of what is missing after 2 the sockets had been told already.
	if want := []string{"4", "5", "LOST", "7", "LOST", "10", "11"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

// TestHeardAnewWhileAWorkerHasIt has the connection of a topic replaced between a worker's look at the log and what it makes of
// it. What was published in between is in the log only.
func TestHeardAnewWhileAWorkerHasIt(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	a.follow(longLog, news)
	a.log(longLog, news, "1")
	a.hears(news, "1")
	a.Bus.mu.Lock()
	in := a.interests[news]
	a.Bus.mu.Unlock()
	f := in.follow.Load()
	a.eventually("nobody has it", f.claim)
	logs, err := a.positions(t.Context(), []*follow{f})
	if err != nil {
		t.Fatal(err)
	}
	a.putUnheard(news, "2")
	old := in.link.Load()
	old.kill(errDeaf)
	a.eventually("it is heard on another connection", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.on != old && f.behind
	})
	if f.compare(&logs[0]) {
		t.Error("the worker is done with it")
	}
	a.laggards.add(f)
	a.hears(news, "1", "2")
}

// putUnheard puts a message into the log of a topic that nobody is sent.
func (e *edge) putUnheard(topic channels.Topic, frame string) {
	e.t.Helper()
	tag, element := e.names.app(topic.App), string(seal(&channels.Message{Frame: []byte(frame)}, time.Now()))
	e.client.RPush(e.t.Context(), tag+"h:"+topic.Channel, "\x00\x00\x00\x00\x00\x00\x00\x09"+element)
	if err := e.client.HIncrBy(e.t.Context(), tag+"g:"+topic.Channel, "o", 1).Err(); err != nil {
		e.t.Fatal(err)
	}
}

// TestFirstConfirmationIsFollowedByALook has something published between the look at the log and when the topic is heard.
func TestFirstConfirmationIsFollowedByALook(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	in, _ := a.want(news)
	if err := a.beginToFollow(t.Context(), in, longLog); err != nil {
		t.Fatal(err)
	}
	a.log(longLog, news, "1", "2")
	if err := a.place(t.Context(), in, &op{name: in.name, tag: in.tag, on: true}); err != nil {
		t.Fatal(err)
	}
	a.hears(news, "1", "2")
}

// TestWhatIsHeldByAllIsBounded has a follow hold back when others hold all that may be. The log has what it could not.
func TestWhatIsHeldByAllIsBounded(t *testing.T) {
	t.Parallel()
	a := run(t, newBus(t, func(c *Config) { c.Notices = testNotices() }))
	a.follow(longLog, news, room)
	f := a.holdBack(news)
	others := int64(maxHeldByAll - 5)
	a.laggards.held.Add(others)
	a.log(longLog, news, numbers(1, 400)...)
	a.eventually("all came", func() bool { return count(a.metrics.received) >= 400 })
	f.mu.Lock()
	if len(f.held) != 5 || !f.missed {
		t.Errorf("%d are held, not all %v", len(f.held), f.missed)
	}
	f.mu.Unlock()
	a.laggards.add(f)
	a.hears(news, numbers(1, 400)...)
	a.eventually("nothing is held", func() bool { return a.laggards.held.Load() == others })
	g := a.holdBack(room)
	a.log(longLog, room, "1")
	a.eventually("it is held", func() bool { return a.laggards.held.Load() == others+1 })
	g.end()
	if n := a.laggards.held.Load(); n != others {
		t.Errorf("after its end %d bytes are counted, want %d", n, others)
	}
}

// TestWhoGetsNoAnswerTakesNoTurn has Redis not answer for an app. It comes back after a pause, with what still is wanted.
func TestWhoGetsNoAnswerTakesNoTurn(t *testing.T) {
	t.Parallel()
	b := newBus(t, nil)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	wanted, gone := &follow{bus: b, topic: news, queued: true}, &follow{bus: b, topic: room, queued: true}
	b.catchUpSome(t.Context(), []*follow{wanted, gone})
	gone.end()
	if list := b.laggards.some(); list != nil || !b.laggards.inDoubt(news.App) {
		t.Errorf("%d are back at once", len(list))
	}
	time.Sleep(2 * catchUpPause)
	var list []*follow
	for began := time.Now(); list == nil && time.Since(began) < patience; time.Sleep(time.Millisecond) {
		list = b.laggards.some()
	}
	if !slices.Equal(list, []*follow{wanted}) {
		t.Errorf("%d are back", len(list))
	}
	b.laggards.answered("2", false)
	b.laggards.answered("3", true)
	if !b.laggards.inDoubt(news.App) {
		t.Error("another server's answer says nothing of it")
	}
	b.laggards.answered(news.App, true)
	if b.laggards.inDoubt(news.App) || b.laggards.inDoubt("2") {
		t.Error("it is in doubt after an answer")
	}
}
