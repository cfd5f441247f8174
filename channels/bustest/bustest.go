// Package bustest is the suite that every [channels.Bus] and every [channels.Presence] must pass. It is imported by
// tests only.
//
// Start with [Run], [RunPresence], [RunOnce] and [RunLog], and [RunShared] for what several edges share.
package bustest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// patience bounds how long a message may take. It is reached only by a bus that is broken.
const patience = 10 * time.Second

// Run tests the buses that newBus makes. Each is one edge's, not running yet, and shares messages with none of
// the others.
func Run(t *testing.T, newBus func(t *testing.T) channels.Bus) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *edge){
		"DeliversWhatIsSubscribed":     deliversWhatIsSubscribed,
		"KeepsAppsApart":               keepsAppsApart,
		"CarriesFramesAsTheyAre":       carriesFramesAsTheyAre,
		"ManyMessagesInOnePublish":     manyMessagesInOnePublish,
		"KeepsTheOrderOfAPublisher":    keepsTheOrderOfAPublisher,
		"NothingTwice":                 nothingTwice,
		"StopsAfterUnsubscribe":        stopsAfterUnsubscribe,
		"SubscribeIsNotCounted":        subscribeIsNotCounted,
		"SubscribeAgain":               subscribeAgain,
		"UnsubscribeOfTheUnknown":      unsubscribeOfTheUnknown,
		"PublishToNobody":              publishToNobody,
		"PublishWithAContextThatEnded": publishWithAContextThatEnded,
		"SubscriptionsComeAndGo":       subscriptionsComeAndGo,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newEdge(t, newBus(t)))
		})
	}
	t.Run("RunEndsWithItsContext", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := newBus(t).Run(ctx, func(channels.Message) {}); err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

// edge is a running bus and what it has delivered.
type edge struct {
	t   *testing.T
	bus channels.Bus

	mu       sync.Mutex
	others   func(channels.Message) // guarded by mu; who else gets what is delivered, or nil
	messages []channels.Message     // guarded by mu
	changed  chan struct{}          // guarded by mu; closed and replaced with every message
}

func newEdge(t *testing.T, bus channels.Bus) *edge {
	t.Helper()
	e := &edge{t: t, bus: bus, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := bus.Run(ctx, e.deliver); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	e.untilItRuns()
	return e
}

func (e *edge) deliver(m channels.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages = append(e.messages, m)
	close(e.changed)
	e.changed = make(chan struct{})
	if e.others != nil {
		e.others(m)
	}
}

// also has others get what is delivered.
func (e *edge) also(others func(channels.Message)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.others = others
}

// untilItRuns publishes to nobody until the bus takes it: Run has no other way to say that it is ready.
func (e *edge) untilItRuns() {
	e.t.Helper()
	deadline := time.Now().Add(patience)
	for e.bus.Publish(e.t.Context(), channels.Message{Topic: channels.Topic{App: "0", Channel: "ready"}}) != nil {
		if time.Now().After(deadline) {
			e.t.Fatal("the bus does not begin to run")
		}
		time.Sleep(time.Millisecond)
	}
}

// await returns the frames that came on a topic once there are n.
func (e *edge) await(topic channels.Topic, n int) []string {
	e.t.Helper()
	timeout := time.After(patience)
	for {
		e.mu.Lock()
		var frames []string
		for _, m := range e.messages {
			if m.Topic == topic {
				frames = append(frames, string(m.Frame))
			}
		}
		changed := e.changed
		e.mu.Unlock()
		if len(frames) >= n {
			return frames
		}
		select {
		case <-changed:
		case <-timeout:
			e.t.Fatalf("%d of %d messages came on %v", len(frames), n, topic)
		}
	}
}

func (e *edge) publish(messages ...channels.Message) {
	e.t.Helper()
	if err := e.bus.Publish(e.t.Context(), messages...); err != nil {
		e.t.Fatalf("publish: %v", err)
	}
}

func (e *edge) subscribe(topic channels.Topic) {
	e.t.Helper()
	if err := e.bus.Subscribe(e.t.Context(), topic, channels.Log{}); err != nil {
		e.t.Fatalf("subscribe: %v", err)
	}
}

// follow subscribes to a topic with a log.
func (e *edge) follow(topic channels.Topic, log channels.Log) {
	e.t.Helper()
	if err := e.bus.Subscribe(e.t.Context(), topic, log); err != nil {
		e.t.Fatalf("subscribe: %v", err)
	}
}

func (e *edge) unsubscribe(topic channels.Topic) {
	e.t.Helper()
	if err := e.bus.Unsubscribe(e.t.Context(), topic); err != nil {
		e.t.Fatalf("unsubscribe: %v", err)
	}
}

// flush returns when all that was published before has been delivered, as well as can be told: what comes after it on
// topics that only this call knows must come later, on a bus that reads all topics in one line. One that has several
// lines has, most likely, one of these topics in each.
func (e *edge) flush() {
	e.t.Helper()
	var last []channels.Message
	for i := range 12 {
		t := topic(fmt.Sprintf("flush-%d-%d", time.Now().UnixNano(), i))
		e.subscribe(t)
		last = append(last, message(t, "flush"))
	}
	e.publish(last...)
	for _, m := range last {
		e.await(m.Topic, 1)
		e.unsubscribe(m.Topic)
	}
}

func topic(channel string) channels.Topic { return channels.Topic{App: "1", Channel: channel} }

func message(t channels.Topic, frame string) channels.Message {
	return channels.Message{Topic: t, Frame: []byte(frame)}
}

func deliversWhatIsSubscribed(t *testing.T, e *edge) {
	e.subscribe(topic("a"))
	e.publish(message(topic("a"), "1"))
	e.publish(message(topic("b"), "2"))
	if got := e.await(topic("a"), 1); !slices.Equal(got, []string{"1"}) {
		t.Errorf("on a: %q", got)
	}
	e.flush()
	if got := e.await(topic("b"), 0); len(got) != 0 {
		t.Errorf("on b, which nobody subscribed: %q", got)
	}
}

func keepsAppsApart(t *testing.T, e *edge) {
	other := channels.Topic{App: "2", Channel: "a"}
	e.subscribe(topic("a"))
	e.publish(message(other, "of the other app"), message(topic("a"), "ours"))
	if got := e.await(topic("a"), 1); !slices.Equal(got, []string{"ours"}) {
		t.Errorf("got %q", got)
	}
	e.flush()
	if got := e.await(other, 0); len(got) != 0 {
		t.Errorf("the other app's: %q", got)
	}
}

func carriesFramesAsTheyAre(t *testing.T, e *edge) {
	name := topic("a-Z_0=@,.;")
	e.subscribe(name)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	e.publish(
		channels.Message{Topic: name, Frame: every, Except: "123.456"},
		channels.Message{Topic: name, Frame: []byte{}},
	)
	e.await(name, 2)
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.messages[0]; !slices.Equal(m.Frame, every) || m.Except != "123.456" || m.Topic != name {
		t.Errorf("got %+v", m)
	}
	if m := e.messages[1]; len(m.Frame) != 0 || m.Except != "" {
		t.Errorf("got %+v", m)
	}
}

func manyMessagesInOnePublish(t *testing.T, e *edge) {
	const n = 100
	var messages []channels.Message
	for i := range n {
		name := topic(fmt.Sprintf("c%d", i%10))
		if i < 10 {
			e.subscribe(name)
		}
		messages = append(messages, message(name, fmt.Sprint(i)))
	}
	e.publish(messages...)
	for c := range 10 {
		var want []string
		for i := c; i < n; i += 10 {
			want = append(want, fmt.Sprint(i))
		}
		if got := e.await(topic(fmt.Sprintf("c%d", c)), n/10); !slices.Equal(got, want) {
			t.Errorf("channel %d: %q", c, got)
		}
	}
}

func keepsTheOrderOfAPublisher(t *testing.T, e *edge) {
	const publishers, each = 4, 250
	e.subscribe(topic("a"))
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				if err := e.bus.Publish(t.Context(), message(topic("a"), fmt.Sprintf("%d %03d", p, i))); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
	}
	wg.Wait()
	got := e.await(topic("a"), publishers*each)
	for p := range publishers {
		var own []string
		for _, frame := range got {
			if frame[:1] == fmt.Sprint(p) {
				own = append(own, frame)
			}
		}
		if len(own) != each || !slices.IsSorted(own) {
			t.Errorf("publisher %d: %d messages, in order: %v", p, len(own), slices.IsSorted(own))
		}
	}
}

func nothingTwice(t *testing.T, e *edge) {
	e.subscribe(topic("a"))
	for i := range 100 {
		e.publish(message(topic("a"), fmt.Sprint(i)))
	}
	e.await(topic("a"), 100)
	e.flush()
	if got := e.await(topic("a"), 100); len(got) != 100 {
		t.Errorf("%d messages of 100", len(got))
	}
}

func stopsAfterUnsubscribe(t *testing.T, e *edge) {
	e.subscribe(topic("a"))
	e.publish(message(topic("a"), "1"))
	e.await(topic("a"), 1)
	e.unsubscribe(topic("a"))
	e.publish(message(topic("a"), "2"))
	e.flush()
	if got := e.await(topic("a"), 1); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %q", got)
	}
}

func subscribeIsNotCounted(t *testing.T, e *edge) {
	e.subscribe(topic("a"))
	e.subscribe(topic("a"))
	e.publish(message(topic("a"), "1"))
	e.unsubscribe(topic("a"))
	e.publish(message(topic("a"), "2"))
	e.flush()
	if got := e.await(topic("a"), 1); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %q", got)
	}
}

func subscribeAgain(t *testing.T, e *edge) {
	for i := range 20 {
		e.subscribe(topic("a"))
		e.publish(message(topic("a"), fmt.Sprint(i)))
		if got := e.await(topic("a"), i+1); len(got) != i+1 {
			t.Fatalf("round %d: %q", i, got)
		}
		e.unsubscribe(topic("a"))
	}
}

func unsubscribeOfTheUnknown(_ *testing.T, e *edge) { e.unsubscribe(topic("never subscribed")) }

func publishToNobody(_ *testing.T, e *edge) {
	e.publish(message(topic("nobody"), "1"))
	e.publish()
}

func publishWithAContextThatEnded(t *testing.T, e *edge) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.bus.Publish(ctx, message(topic("a"), "1")); err == nil {
		t.Error("it was taken")
	}
}

// subscriptionsComeAndGo checks that a subscription holds from the moment that Subscribe returns, while others
// come and go.
func subscriptionsComeAndGo(t *testing.T, e *edge) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				name := topic(fmt.Sprintf("w%d-%d", w, i))
				if err := e.bus.Subscribe(t.Context(), name, channels.Log{}); err != nil {
					t.Errorf("subscribe: %v", err)
				}
				if err := e.bus.Publish(t.Context(), message(name, "1")); err != nil {
					t.Errorf("publish: %v", err)
				}
				if i%2 == 0 {
					if err := e.bus.Unsubscribe(t.Context(), name); err != nil {
						t.Errorf("unsubscribe: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for w := range 8 {
		for i := 1; i < 25; i += 2 {
			if got := e.await(topic(fmt.Sprintf("w%d-%d", w, i)), 1); len(got) != 1 {
				t.Errorf("worker %d, topic %d: %q", w, i, got)
			}
		}
	}
}
