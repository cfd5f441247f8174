package bustest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// RunOnce tests the PublishOnce of the buses that newBoth makes, as RunPresence does with the rest of them.
func RunOnce(t *testing.T, newBoth func(*testing.T, channels.Notices) Both) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *house){
		"OnceIsOnce":           onceIsOnce,
		"WithoutAKey":          withoutAKey,
		"AKeyForSomethingElse": aKeyForSomethingElse,
		"TwiceInOneCall":       twiceInOneCall,
		"KeysOfApps":           keysOfApps,
		"SomeAreNew":           someAreNew,
		"OnceAndKept":          onceAndKept,
		"ManyAtATime":          manyAtATime,
		"ABatchInEveryOrder":   aBatchInEveryOrder,
		"NothingOfAnotherApp":  nothingOfAnotherApp,
		"AnswersAreCarried":    answersAreCarried,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHouse(t, newBoth(t, notices())))
		})
	}
}

// parcel has the key for its digest, too, unless the text says otherwise.
func parcel(key, text string, messages ...channels.Message) channels.Parcel {
	return channels.Parcel{Key: key, Digest: text, Answer: []byte("answer to " + text), Messages: messages}
}

func (h *house) once(parcels ...channels.Parcel) []channels.Receipt {
	h.t.Helper()
	receipts, err := h.edge.bus.PublishOnce(h.t.Context(), topic("").App, parcels...)
	if err != nil {
		h.t.Fatalf("publish once: %v", err)
	}
	if len(receipts) != len(parcels) {
		h.t.Fatalf("%d receipts for %d parcels", len(receipts), len(parcels))
	}
	return receipts
}

// told writes receipts down: a plus for what was published, a minus for what had been.
func told(receipts []channels.Receipt) (list []string) {
	for _, r := range receipts {
		sign := "+"
		if r.Repeated {
			sign = "-"
		}
		list = append(list, sign+string(r.Answer))
	}
	return list
}

func wantTold(t *testing.T, receipts []channels.Receipt, want ...string) {
	t.Helper()
	if got := told(receipts); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func onceIsOnce(t *testing.T, h *house) {
	a, b := topic("a"), topic("b")
	h.subscribe(a)
	h.subscribe(b)
	p := parcel("k", "x", message(a, "1"), message(b, "2"), message(a, "3"))
	wantTold(t, h.once(p), "+answer to x")
	again := p
	again.Answer = []byte("what would be said now")
	wantTold(t, h.once(again), "-answer to x")
	h.expect(a, "1", "3")
	h.expect(b, "2")
}

func withoutAKey(t *testing.T, h *house) {
	h.subscribe(topic("a"))
	p := parcel("", "x", message(topic("a"), "1"))
	wantTold(t, h.once(p, p), "+answer to x", "+answer to x")
	h.expect(topic("a"), "1", "1")
	if r := h.once(); len(r) != 0 {
		t.Errorf("receipts for nothing: %v", r)
	}
}

func aKeyForSomethingElse(t *testing.T, h *house) {
	h.subscribe(topic("a"))
	h.once(parcel("k", "x", message(topic("a"), "1")))
	_, err := h.edge.bus.PublishOnce(t.Context(), topic("").App,
		parcel("fresh", "z", message(topic("a"), "2")), parcel("", "", message(topic("a"), "3")), parcel("k", "y", message(topic("a"), "4")))
	var used *channels.KeyUsedError
	if !errors.As(err, &used) || used.Parcel != 2 {
		t.Errorf("got %v", err)
	}
	// Nothing of it was done, so the fresh key is still fresh.
	wantTold(t, h.once(parcel("fresh", "w", message(topic("a"), "5"))), "+answer to w")
	h.expect(topic("a"), "1", "5")
}

func twiceInOneCall(t *testing.T, h *house) {
	h.subscribe(topic("a"))
	p := parcel("k", "x", message(topic("a"), "1"))
	wantTold(t, h.once(p, parcel("l", "y", message(topic("a"), "2")), p), "+answer to x", "+answer to y", "-answer to x")
	_, err := h.edge.bus.PublishOnce(t.Context(), topic("").App, parcel("m", "x", message(topic("a"), "3")), parcel("m", "y"))
	var used *channels.KeyUsedError
	if !errors.As(err, &used) || used.Parcel != 1 {
		t.Errorf("got %v", err)
	}
	h.expect(topic("a"), "1", "2")
}

func keysOfApps(t *testing.T, h *house) {
	other := channels.Topic{App: "2", Channel: "a"}
	h.subscribe(other)
	h.once(parcel("k", "x"))
	r, err := h.edge.bus.PublishOnce(t.Context(), other.App, parcel("k", "y", message(other, "1")))
	if err != nil {
		t.Fatal(err)
	}
	wantTold(t, r, "+answer to y")
	h.expect(other, "1")
}

func someAreNew(_ *testing.T, h *house) {
	h.subscribe(topic("a"))
	var parcels []channels.Parcel
	for i := range 10 {
		parcels = append(parcels, parcel(fmt.Sprint("k", i), fmt.Sprint(i), message(topic("a"), fmt.Sprint(i))))
	}
	h.once(parcels[3], parcels[7])
	h.once(parcels...)
	h.expect(topic("a"), "3", "7", "0", "1", "2", "4", "5", "6", "8", "9")
}

func onceAndKept(t *testing.T, h *house) {
	room := topic("cache-a")
	h.subscribe(room)
	p := parcel("k", "x", channels.Message{Topic: room, Frame: []byte("one"), Keep: time.Minute})
	h.once(p)
	h.once(parcel("l", "y", channels.Message{Topic: room, Frame: []byte("two"), Keep: time.Minute}))
	h.once(p)
	h.expect(room, "one", "two")
	if w := h.join(room, "1.1", nil); string(w.Kept.Frame) != "two" || w.Offset == 0 {
		t.Errorf("welcomed with %q at %d", w.Kept.Frame, w.Offset)
	}
}

// manyAtATime has the same parcel handed over by many: one of them publishes it, and the others are told when it is out.
func manyAtATime(t *testing.T, h *house) { onceOnAll(t, h) }

func onceOnAll(t *testing.T, edges ...*house) {
	const rounds, callers = 40, 8
	room := topic("a")
	for _, e := range edges {
		e.subscribe(room)
	}
	for i := range rounds {
		var all sync.WaitGroup
		var mu sync.Mutex
		fresh := 0
		for c := range callers {
			all.Go(func() {
				e := edges[c%len(edges)]
				key := fmt.Sprint(i)
				r, err := e.edge.bus.PublishOnce(t.Context(), room.App, parcel(key, key, message(room, key)))
				if err != nil {
					t.Errorf("publish once: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if !r[0].Repeated {
					fresh++
				}
				if string(r[0].Answer) != "answer to "+key {
					t.Errorf("told %q", r[0].Answer)
				}
			})
		}
		all.Wait()
		if fresh != 1 {
			t.Errorf("round %d: %d have published it", i, fresh)
		}
	}
	for _, e := range edges {
		e.await(room, rounds)
		e.flush()
		if got := e.await(room, rounds); len(got) != rounds {
			t.Errorf("%d messages of %d", len(got), rounds)
		}
	}
}

// aBatchInEveryOrder has callers hand over the same parcels in different orders at a time, which must not have them wait for
// one another.
func aBatchInEveryOrder(t *testing.T, h *house) {
	const rounds, n = 50, 4
	room := topic("a")
	h.subscribe(room)
	var all sync.WaitGroup
	for c := range n {
		all.Go(func() {
			for i := range rounds {
				var parcels []channels.Parcel
				for p := range n {
					key := fmt.Sprintf("%d.%d", i, (p+c)%n)
					parcels = append(parcels, parcel(key, key, message(room, key)))
				}
				if _, err := h.edge.bus.PublishOnce(t.Context(), room.App, parcels...); err != nil {
					t.Errorf("publish once: %v", err)
				}
			}
		})
	}
	all.Wait()
	h.await(room, rounds*n)
	h.flush()
	if got := h.await(room, rounds*n); len(got) != rounds*n {
		t.Errorf("%d messages of %d", len(got), rounds*n)
	}
}

func nothingOfAnotherApp(t *testing.T, h *house) {
	other := channels.Topic{App: "2", Channel: "a"}
	h.subscribe(other)
	if _, err := h.edge.bus.PublishOnce(t.Context(), "1", parcel("k", "x", message(other, "1"))); err == nil {
		t.Error("it was taken")
	}
	h.flush()
	if got := h.await(other, 0); len(got) != 0 {
		t.Errorf("heard %q", got)
	}
}

func answersAreCarried(t *testing.T, h *house) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	p := channels.Parcel{Key: "k \x00 " + string(every), Digest: "12 " + string(every), Answer: every}
	empty := channels.Parcel{Key: "empty"}
	h.once(p, empty)
	for i, r := range h.once(p, empty) {
		if want := [][]byte{every, nil}[i]; !r.Repeated || !slices.Equal(r.Answer, want) {
			t.Errorf("parcel %d: told %+v", i, r)
		}
	}
}
