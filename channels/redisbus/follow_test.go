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
	f.held, f.bytes = nil, 0
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
