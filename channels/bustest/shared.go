package bustest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// RunShared tests edges that share everything. newPlatform returns what makes one edge after another of a platform on
// which nobody is yet; none of them runs.
func RunShared(t *testing.T, newPlatform func(*testing.T, channels.Notices) (newEdge func() Both)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, a, b *house){
		"OneOrderOnAllEdges":        oneOrderOnAllEdges,
		"OnlyWhoIsInterested":       onlyWhoIsInterested,
		"TerminateCrosses":          terminateCrosses,
		"AMemberOnTwoEdges":         aMemberOnTwoEdges,
		"FullOnAllEdges":            fullOnAllEdges,
		"FullOfSocketsOnAllEdges":   fullOfSocketsOnAllEdges,
		"TheSameAnswersEverywhere":  theSameAnswersEverywhere,
		"KeptForAllEdges":           keptForAllEdges,
		"FromOneEdgeToAnother":      fromOneEdgeToAnother,
		"ManyComeAndGoEverywhere":   manyComeAndGoEverywhere,
		"OneOfManyIsTheFirst":       oneOfManyIsTheFirst,
		"NothingBetweenTheTwoEdges": nothingBetweenTheTwoEdges,
		"OnceOnAllEdges":            onceOnAllEdges,
		"OneLogOnAllEdges":          oneLogOnAllEdges,
		"LogsOutliveSubscribers":    logsOutliveSubscribers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newBoth := newPlatform(t, notices())
			test(t, newHouse(t, newBoth()), newHouse(t, newBoth()))
		})
	}
}

func newHouse(t *testing.T, both Both) *house {
	t.Helper()
	return &house{edge: newEdge(t, both), Both: both, hub: channels.NewHub(both)}
}

func oneOrderOnAllEdges(t *testing.T, a, b *house) {
	const publishers, each = 4, 100
	room := topic("a")
	a.subscribe(room)
	b.subscribe(room)
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			from := []*house{a, b}[p%2]
			for i := range each {
				if err := from.bus.Publish(t.Context(), message(room, fmt.Sprintf("%d %03d", p, i))); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	here, there := a.await(room, publishers*each), b.await(room, publishers*each)
	if !slices.Equal(here, there) {
		t.Error("the edges heard different things, or in different order")
	}
}

func onlyWhoIsInterested(t *testing.T, a, b *house) {
	a.subscribe(topic("a"))
	b.subscribe(topic("b"))
	a.publish(message(topic("b"), "1"))
	b.publish(message(topic("a"), "2"))
	a.expect(topic("a"), "2")
	b.expect(topic("b"), "1")
	if got := append(a.await(topic("b"), 0), b.await(topic("a"), 0)...); len(got) > 0 {
		t.Errorf("heard without having asked: %q", got)
	}
}

func terminateCrosses(t *testing.T, a, b *house) {
	user := channels.UserTopic("1", "ann")
	b.subscribe(user)
	a.publish(channels.Message{Topic: user, Terminate: true, Except: "1.1"})
	b.await(user, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.messages[0]; !m.Terminate || m.Except != "1.1" || len(m.Frame) != 0 {
		t.Errorf("got %+v", m)
	}
}

func aMemberOnTwoEdges(_ *testing.T, a, b *house) {
	room, ann, bo := topic("presence-a"), &channels.Member{ID: "ann", Info: "1"}, &channels.Member{ID: "bo", Info: "2"}
	a.subscribe(room)
	b.subscribe(room)
	a.join(room, "1.1", ann)
	b.join(room, "2.1", ann)
	b.join(room, "2.2", bo)
	a.leave(room, "1.1", "ann")
	a.leave(room, "1.1", "ann")
	b.leave(room, "2.2", "bo")
	b.leave(room, "2.1", "ann")
	want := []string{"+ann 1", "+bo 2", "-bo", "-ann"}
	a.expect(room, want...)
	b.expect(room, want...)
}

func fullOnAllEdges(t *testing.T, a, b *house) {
	room := topic("presence-a")
	come := func(h *house, socket, id string) error {
		_, err := h.Join(t.Context(), channels.Arrival{Topic: room, Socket: socket, Member: &channels.Member{ID: id}, MaxMembers: 2})
		return err
	}
	if err := errors.Join(come(a, "1.1", "a"), come(b, "2.1", "b"), come(b, "2.2", "a")); err != nil {
		t.Fatal(err)
	}
	for socket, h := range map[string]*house{"1.9": a, "2.9": b} {
		if err := come(h, socket, "c"); !errors.Is(err, channels.ErrFull) {
			t.Errorf("a third: %v", err)
		}
	}
	b.leave(room, "2.1", "b")
	if err := come(a, "1.9", "c"); err != nil {
		t.Errorf("after one had left: %v", err)
	}
}

// Many come at a time on two edges, and exactly as many get in as may.
func fullOfSocketsOnAllEdges(t *testing.T, a, b *house) {
	const most, each = 10, 15
	all := channels.SocketsTopic(topic("").App)
	var arrivals sync.WaitGroup
	var in atomic.Int32
	for i, h := range []*house{a, b} {
		for n := range each {
			arrivals.Go(func() {
				_, err := h.Join(t.Context(), channels.Arrival{Topic: all, Socket: fmt.Sprintf("%d.%d", i+1, n), MaxSubscribers: most})
				switch {
				case err == nil:
					in.Add(1)
				case !errors.Is(err, channels.ErrFull):
					t.Error(err)
				}
			})
		}
	}
	arrivals.Wait()
	for _, h := range []*house{a, b} {
		if o, err := h.Channel(t.Context(), all); err != nil || o.Subscribers != most || in.Load() != most {
			t.Errorf("%d got in, and there are %d, %v", in.Load(), o.Subscribers, err)
		}
	}
}

func theSameAnswersEverywhere(t *testing.T, a, b *house) {
	room := topic("presence-a")
	a.join(room, "1.1", &channels.Member{ID: "ann", Info: "1"})
	if w := b.join(room, "2.1", &channels.Member{ID: "bo", Info: "2"}); w.Subscribers != 2 || !slices.Equal(ids(w.Members), []string{"ann", "bo"}) {
		t.Errorf("welcomed with %+v", w)
	}
	a.join(topic("news"), "1.1", nil)
	b.join(topic("news"), "2.1", nil)
	b.join(topic("alone"), "2.1", nil)
	if left := a.leave(topic("news"), "1.1", ""); left != 1 {
		t.Errorf("%d are left of one on another edge", left)
	}
	for _, h := range []*house{a, b} {
		list, err := h.Channels(t.Context(), topic("").App, "")
		var text strings.Builder
		for _, o := range list {
			fmt.Fprintf(&text, "%s %d %d;", o.Channel, o.Subscribers, o.Members)
		}
		if got := text.String(); err != nil || got != "alone 1 0;news 1 0;presence-a 2 2;" {
			t.Errorf("channels: %s, %v", got, err)
		}
		if o, err := h.Channel(t.Context(), room); err != nil || o.Subscribers != 2 || o.Members != 2 {
			t.Errorf("the room: %+v, %v", o, err)
		}
		if m, err := h.Members(t.Context(), room); err != nil || !slices.Equal(ids(m), []string{"ann", "bo"}) {
			t.Errorf("members: %v, %v", m, err)
		}
	}
}

func keptForAllEdges(t *testing.T, a, b *house) {
	room := topic("cache-a")
	b.subscribe(room)
	a.publish(channels.Message{Topic: room, Frame: []byte("one"), Keep: time.Minute})
	b.await(room, 1)
	w := b.join(room, "2.1", nil)
	b.mu.Lock()
	heard := b.messages[0].Offset
	b.mu.Unlock()
	if string(w.Kept.Frame) != "one" || w.Offset != heard || heard == 0 {
		t.Errorf("welcomed with %q at %d, having heard up to %d", w.Kept.Frame, w.Offset, heard)
	}
	if k, err := b.Kept(t.Context(), room); err != nil || string(k.Frame) != "one" {
		t.Errorf("kept %q, %v", k.Frame, err)
	}
}

func fromOneEdgeToAnother(_ *testing.T, a, b *house) {
	user, watchers := channels.UserTopic("1", "ann"), channels.WatchTopic("1", "ann")
	a.subscribe(watchers)
	b.subscribe(watchers)
	a.join(user, "1.1", nil)
	a.leave(user, "1.1", "")
	b.join(user, "2.1", nil)
	time.Sleep(2 * grace)
	a.expect(watchers, "came")
	b.leave(user, "2.1", "")
	a.expect(watchers, "came", "went")
	b.expect(watchers, "came", "went")
}

// manyComeAndGoEverywhere is manyComeAndGo with users whose sockets are on both edges.
func manyComeAndGoEverywhere(t *testing.T, a, b *house) {
	comeAndGo(t, a, b)
}

// oneOfManyIsTheFirst has each of some users come and go on both edges at once, again and again.
func oneOfManyIsTheFirst(t *testing.T, a, b *house) {
	room := topic("presence-a")
	a.subscribe(room)
	member := &channels.Member{ID: "ann"}
	const rounds = 50
	for i := range rounds {
		var both sync.WaitGroup
		for _, h := range []*house{a, b} {
			both.Go(func() {
				_, err := h.Join(t.Context(), channels.Arrival{Topic: room, Socket: fmt.Sprintf("%p.%d", h, i), Member: member, MaxMembers: 9})
				if err != nil {
					t.Errorf("join: %v", err)
				}
			})
		}
		both.Wait()
		for _, h := range []*house{a, b} {
			both.Go(func() {
				_, err := h.Leave(t.Context(), channels.Departure{Topic: room, Socket: fmt.Sprintf("%p.%d", h, i), Member: "ann"})
				if err != nil {
					t.Errorf("leave: %v", err)
				}
			})
		}
		both.Wait()
	}
	a.await(room, 2*rounds)
	a.flush()
	got := a.await(room, 2*rounds)
	if len(got) != 2*rounds {
		t.Fatalf("%d notices of %d", len(got), 2*rounds)
	}
	for i, notice := range got {
		if (notice[0] == '+') != (i%2 == 0) {
			t.Fatalf("notice %d is %q", i, notice)
		}
	}
}

// nothingBetweenTheTwoEdges is nothingBetweenTheLines with the publisher on another edge.
func nothingBetweenTheTwoEdges(t *testing.T, a, b *house) {
	subscribeBetweenMessages(t, a, b)
}

func onceOnAllEdges(t *testing.T, a, b *house) { onceOnAll(t, a, b) }
