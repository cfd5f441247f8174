package bustest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// RunLog tests what the buses that newBoth makes do with topics that have a log, as RunPresence does with the rest of them.
func RunLog(t *testing.T, newBoth func(*testing.T, channels.Notices) Both) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *house){
		"PlacesRiseByOne":         placesRiseByOne,
		"EachTopicHasItsOwn":      eachTopicHasItsOwn,
		"KeptAndInTheLog":         keptAndInTheLog,
		"OnceAndInTheLog":         onceAndInTheLog,
		"NoticesAreInTheLog":      noticesAreInTheLog,
		"TheRuleAppears":          theRuleAppears,
		"TheRuleVanishes":         theRuleVanishes,
		"AnEpochThatEndedIsOver":  anEpochThatEndedIsOver,
		"LoggedWhileManyComeToIt": loggedWhileManyComeToIt,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHouse(t, newBoth(t, notices())))
		})
	}
}

var someLog = channels.Log{Size: 100, TTL: time.Minute}

func logged(t channels.Topic, frame string) channels.Message {
	return channels.Message{Topic: t, Frame: []byte(frame), Log: someLog}
}

// cameOn returns what came on a topic once there are n.
func (e *edge) cameOn(topic channels.Topic, n int) (list []channels.Message) {
	e.t.Helper()
	e.await(topic, n)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.messages {
		if m.Topic == topic {
			list = append(list, m)
		}
	}
	return list
}

// inOrder checks that places begin where they are said to and rise by one in one epoch, and returns that. A message without
// a place is passed over.
func inOrder(t *testing.T, list []channels.Message, first uint64) (epoch string) {
	t.Helper()
	next := first
	for i, m := range list {
		if m.Position == (channels.Position{}) {
			continue
		}
		if epoch == "" {
			epoch = m.Position.Epoch
		}
		if epoch == "" || m.Position.Epoch != epoch || m.Position.Offset != next {
			t.Fatalf("message %d (%q) is at %+v, want %d in epoch %q", i, m.Frame, m.Position, next, epoch)
		}
		if m.Log.Kept() {
			t.Errorf("message %d still carries its rule", i)
		}
		next++
	}
	return epoch
}

func placesRiseByOne(t *testing.T, h *house) {
	room := topic("a")
	h.follow(room, someLog)
	for i := range 300 { // more than the log remembers
		h.publish(logged(room, fmt.Sprint(i)), logged(topic("elsewhere"), "x"))
	}
	list := h.cameOn(room, 300)
	inOrder(t, list, 1)
	for i, m := range list {
		if string(m.Frame) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Frame)
		}
	}
}

func eachTopicHasItsOwn(t *testing.T, h *house) {
	epochs := map[string]bool{}
	for _, room := range []channels.Topic{topic("a"), topic("b"), {App: "2", Channel: "a"}} {
		h.follow(room, someLog)
		h.publish(logged(room, "1"))
		h.publish(logged(room, "2"))
		epochs[inOrder(t, h.cameOn(room, 2), 1)] = true
	}
	if len(epochs) != 3 {
		t.Errorf("three topics share epochs: %v", epochs)
	}
}

func keptAndInTheLog(t *testing.T, h *house) {
	room := topic("cache-a")
	h.follow(room, someLog)
	for _, text := range []string{"one", "two"} {
		m := logged(room, text)
		m.Keep = time.Minute
		h.publish(m)
	}
	list := h.cameOn(room, 2)
	inOrder(t, list, 1)
	w := h.join(room, "1.1", nil)
	if string(w.Kept.Frame) != "two" || w.Offset == 0 || w.Offset != list[1].Offset {
		t.Errorf("welcomed with %q at %d, heard up to %d", w.Kept.Frame, w.Offset, list[1].Offset)
	}
}

func onceAndInTheLog(t *testing.T, h *house) {
	room := topic("a")
	h.follow(room, someLog)
	p := parcel("k", "x", logged(room, "1"), logged(room, "2"))
	h.once(p)
	h.once(p, parcel("l", "y", logged(room, "3")))
	h.expect(room, "1", "2", "3")
	inOrder(t, h.cameOn(room, 3), 1)
}

func noticesAreInTheLog(t *testing.T, h *house) {
	room := topic("presence-a")
	h.follow(room, someLog)
	a := channels.Arrival{Topic: room, Socket: "1.1", Member: &channels.Member{ID: "ann", Info: "1"}, MaxMembers: 9, Log: someLog}
	if _, err := h.Join(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	h.publish(logged(room, "hello"))
	h.leave(room, "1.1", "ann")
	h.expect(room, "+ann 1", "hello", "-ann")
	list := h.cameOn(room, 3)
	inOrder(t, list, 1)
	for _, m := range list {
		if m.Position.Offset == 0 {
			t.Errorf("%q is in no log", m.Frame)
		}
	}
}

// theRuleAppears has publishers know of a log before the edge does.
func theRuleAppears(t *testing.T, h *house) {
	room := topic("a")
	h.subscribe(room)
	h.publish(message(room, "1"))
	h.publish(logged(room, "2"))
	h.publish(message(room, "3"), logged(room, "4"))
	h.expect(room, "1", "2", "3", "4")
	inOrder(t, h.cameOn(room, 4), 1)
}

func theRuleVanishes(t *testing.T, h *house) {
	room := topic("a")
	h.follow(room, someLog)
	h.publish(logged(room, "1"))
	h.publish(message(room, "2"))
	h.publish(message(room, "3"))
	h.publish(logged(room, "4")) // and comes back
	h.expect(room, "1", "2", "3", "4")
	inOrder(t, h.cameOn(room, 4), 1)
}

// anEpochThatEndedIsOver leaves a topic and comes back to it: places go on as if nothing had been, or begin anew.
func anEpochThatEndedIsOver(t *testing.T, h *house) {
	room := topic("a")
	seen := map[channels.Position]string{}
	for round := range 5 {
		h.follow(room, someLog)
		h.publish(logged(room, fmt.Sprint(round)))
		h.await(room, round+1)
		h.unsubscribe(room)
		h.publish(logged(room, "unheard"))
	}
	for _, m := range h.cameOn(room, 5) {
		if before, there := seen[m.Position]; there {
			t.Errorf("%q and %q are both at %v", before, m.Frame, m.Position)
		}
		seen[m.Position] = string(m.Frame)
	}
	h.expect(room, "0", "1", "2", "3", "4")
}

// loggedWhileManyComeToIt publishes from several sides to a presence channel on which people come and go.
func loggedWhileManyComeToIt(t *testing.T, h *house) {
	room := topic("presence-a")
	h.follow(room, someLog)
	const each = 50
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range each {
				a := channels.Arrival{
					Topic: room, Socket: fmt.Sprintf("%d.%d", w, i), Member: &channels.Member{ID: fmt.Sprint(w)}, MaxMembers: 9, Log: someLog,
				}
				if _, err := h.Join(t.Context(), a); err != nil {
					t.Error(err)
				}
				h.publish(logged(room, "x"))
				if _, err := h.Leave(t.Context(), channels.Departure{Topic: room, Socket: a.Socket, Member: a.Member.ID}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	inOrder(t, h.cameOn(room, 3*4*each), 1)
}

func oneLogOnAllEdges(t *testing.T, a, b *house) {
	const publishers, each = 4, 100
	room := topic("a")
	a.follow(room, someLog)
	b.follow(room, someLog)
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			from := []*house{a, b}[p%2]
			for i := range each {
				if err := from.bus.Publish(t.Context(), logged(room, fmt.Sprintf("%d %03d", p, i))); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	here, there := a.cameOn(room, publishers*each), b.cameOn(room, publishers*each)
	if inOrder(t, here, 1) != inOrder(t, there, 1) {
		t.Error("the edges are in different epochs")
	}
	if !slices.EqualFunc(here, there, func(a, b channels.Message) bool { return string(a.Frame) == string(b.Frame) }) {
		t.Error("the edges heard different things, or in different order")
	}
}

// logsOutliveSubscribers has nobody listen for a while: whoever comes then hears what follows, and its places go on.
func logsOutliveSubscribers(t *testing.T, a, b *house) {
	room := topic("a")
	a.publish(logged(room, "unheard"))
	b.follow(room, someLog)
	a.publish(logged(room, "1"))
	b.expect(room, "1")
	first := inOrder(t, b.cameOn(room, 1), 2)
	b.unsubscribe(room)
	a.publish(logged(room, "unheard"))
	a.follow(room, someLog)
	a.publish(logged(room, "2"))
	a.expect(room, "2")
	if again := inOrder(t, a.cameOn(room, 1), 4); again != first {
		t.Errorf("the epoch was %q and is %q", first, again)
	}
}
