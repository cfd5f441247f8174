package channels_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pealhq/peal/channels"
)

// listener is a subscriber that remembers what it was sent.
type listener struct {
	id     string
	mu     sync.Mutex
	frames []string // guarded by mu
}

func (l *listener) ID() string { return l.id }

func (l *listener) Send(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, string(frame))
}

func (l *listener) Terminate() { l.Send([]byte("terminated")) }

func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.frames)
}

// recordingBus notes what the hub asks of it, and fails when it is told to.
type recordingBus struct {
	mu     sync.Mutex
	calls  []string               // guarded by mu
	inside map[channels.Topic]int // guarded by mu
	fail   atomic.Bool
	// during runs inside every Subscribe.
	during func(channels.Topic)
	t      *testing.T
}

var errBus = errors.New("the bus has failed")

func (b *recordingBus) note(call string, topic channels.Topic, change int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call+" "+topic.Channel)
	if b.fail.Load() {
		return errBus
	}
	if b.inside == nil {
		b.inside = map[channels.Topic]int{}
	}
	b.inside[topic] += change
	if n := b.inside[topic]; n != 0 && n != 1 {
		b.t.Errorf("%s: %d subscriptions of the edge to one topic", call, n)
	}
	return nil
}

func (b *recordingBus) Subscribe(_ context.Context, topic channels.Topic, _ channels.Log) error {
	if b.during != nil {
		b.during(topic)
	}
	return b.note("subscribe", topic, 1)
}

func (b *recordingBus) Unsubscribe(_ context.Context, topic channels.Topic) error {
	return b.note("unsubscribe", topic, -1)
}

func (b *recordingBus) Publish(context.Context, ...channels.Message) error { return nil }

func (b *recordingBus) PublishOnce(context.Context, string, ...channels.Parcel) ([]channels.Receipt, error) {
	return nil, nil
}

func (b *recordingBus) Run(context.Context, func(channels.Message)) error { return nil }

func TestHubFirstComesAndLastLeaves(t *testing.T) {
	t.Parallel()
	bus := &recordingBus{t: t}
	hub := channels.NewHub(bus)
	topic := channels.Topic{App: "1", Channel: "c"}
	a, b := &listener{id: "1.1"}, &listener{id: "1.2"}
	sa := subscribe(t, hub, topic, a, "hello")
	sb := subscribe(t, hub, topic, b, "hello")
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("both")})
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("only a"), Except: b.id})
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("all"), Except: "9.9"})
	hub.Deliver(channels.Message{Topic: channels.Topic{App: "2", Channel: "c"}, Frame: []byte("nobody's")})
	unsubscribe(t, hub, sa)
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("only b")})
	unsubscribe(t, hub, sb)
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("too late")})

	if got := a.heard(); !slices.Equal(got, []string{"hello", "both", "only a", "all"}) {
		t.Errorf("a heard %q", got)
	}
	if got := b.heard(); !slices.Equal(got, []string{"hello", "both", "all", "only b"}) {
		t.Errorf("b heard %q", got)
	}
	if !slices.Equal(bus.calls, []string{"subscribe c", "unsubscribe c"}) {
		t.Errorf("the bus was asked %q", bus.calls)
	}
	if hub.Topics() != 0 || hub.Subscriptions() != 0 {
		t.Errorf("left behind: %d topics, %d subscriptions", hub.Topics(), hub.Subscriptions())
	}
}

// saying returns a greeting of one frame.
func saying(text string) func() (channels.Greeting, error) {
	return func() (channels.Greeting, error) { return channels.Greeting{Frames: [][]byte{[]byte(text)}}, nil }
}

func subscribe(t *testing.T, hub *channels.Hub, topic channels.Topic, sub channels.Subscriber, greeting string) *channels.Subscription {
	t.Helper()
	s, err := hub.Subscribe(t.Context(), topic, channels.Log{}, sub, saying(greeting))
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return s
}

func unsubscribe(t *testing.T, hub *channels.Hub, s *channels.Subscription) {
	t.Helper()
	if err := hub.Unsubscribe(t.Context(), s); err != nil {
		t.Fatalf("unsubscribe: %v", err)
	}
}

func TestHubWhenTheBusFails(t *testing.T) {
	t.Parallel()
	bus := &recordingBus{t: t}
	hub := channels.NewHub(bus)
	topic := channels.Topic{App: "1", Channel: "c"}
	l := &listener{id: "1.1"}
	bus.fail.Store(true)
	if _, err := hub.Subscribe(t.Context(), topic, channels.Log{}, l, saying("hello")); !errors.Is(err, errBus) {
		t.Errorf("subscribe: %v", err)
	}
	if len(l.heard()) != 0 || hub.Topics() != 0 || hub.Subscriptions() != 0 {
		t.Errorf("after a failed subscription: heard %q, %d topics", l.heard(), hub.Topics())
	}
	bus.fail.Store(false)
	s := subscribe(t, hub, topic, l, "hello")
	bus.fail.Store(true)
	if err := hub.Unsubscribe(t.Context(), s); !errors.Is(err, errBus) {
		t.Errorf("unsubscribe: %v", err)
	}
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("too late")})
	if got := l.heard(); !slices.Equal(got, []string{"hello"}) || hub.Topics() != 0 {
		t.Errorf("after a failed unsubscription: heard %q, %d topics", got, hub.Topics())
	}
}

// TestHubDeliversWhileTheBusIsAsked would hang if delivery waited for a call to the bus: a bus that reads its
// answers and its messages in one goroutine could then never answer.
func TestHubDeliversWhileTheBusIsAsked(t *testing.T) {
	t.Parallel()
	bus := &recordingBus{t: t}
	hub := channels.NewHub(bus)
	bus.during = func(topic channels.Topic) { hub.Deliver(channels.Message{Topic: topic, Frame: []byte("early")}) }
	l := &listener{id: "1.1"}
	s := subscribe(t, hub, channels.Topic{App: "1", Channel: "c"}, l, "hello")
	if got := l.heard(); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("heard %q; nothing may come before the greeting", got)
	}
	unsubscribe(t, hub, s)
}

// TestHubOrderIsOneForAll delivers from many goroutines and expects every subscriber to hear the same order.
func TestHubOrderIsOneForAll(t *testing.T) {
	t.Parallel()
	hub := channels.NewHub(&recordingBus{t: t})
	topic := channels.Topic{App: "1", Channel: "c"}
	listeners := make([]*listener, 20)
	for i := range listeners {
		listeners[i] = &listener{id: fmt.Sprintf("1.%d", i)}
		subscribe(t, hub, topic, listeners[i], "hello")
	}
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for i := range 200 {
				hub.Deliver(channels.Message{Topic: topic, Frame: fmt.Appendf(nil, "%d-%d", p, i)})
			}
		})
	}
	wg.Wait()
	want := listeners[0].heard()
	if len(want) != 1+8*200 {
		t.Fatalf("%d frames", len(want))
	}
	for _, l := range listeners {
		if !slices.Equal(l.heard(), want) {
			t.Errorf("%s heard another order", l.id)
		}
	}
}

// TestHubUnderChurn lets subscribers come and go while messages are delivered: each hears its greeting first,
// then messages in order without a gap, and the bus is asked for each topic in turn.
func TestHubUnderChurn(t *testing.T) {
	t.Parallel()
	bus := &recordingBus{t: t}
	hub := channels.NewHub(bus)
	topic := channels.Topic{App: "1", Channel: "c"}
	var publisher, churn sync.WaitGroup
	stop := make(chan struct{})
	publisher.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				hub.Deliver(channels.Message{Topic: topic, Frame: fmt.Appendf(nil, "%09d", i)})
			}
		}
	})
	for w := range 8 {
		churn.Go(func() {
			for i := range 100 {
				l := &listener{id: fmt.Sprintf("%d.%d", w, i)}
				s, err := hub.Subscribe(t.Context(), topic, channels.Log{}, l, saying("hello"))
				if err != nil {
					t.Errorf("subscribe: %v", err)
					return
				}
				if err := hub.Unsubscribe(t.Context(), s); err != nil {
					t.Errorf("unsubscribe: %v", err)
				}
				checkRun(t, l.heard())
			}
		})
	}
	churn.Wait()
	close(stop)
	publisher.Wait()
	if hub.Topics() != 0 || hub.Subscriptions() != 0 || bus.inside[topic] != 0 {
		t.Errorf("left behind: %d topics, %d subscriptions, %d on the bus", hub.Topics(), hub.Subscriptions(), bus.inside[topic])
	}
}

// checkRun expects a greeting and then numbers that count up by one.
func checkRun(t *testing.T, heard []string) {
	t.Helper()
	if len(heard) == 0 || heard[0] != "hello" {
		t.Errorf("heard %q", heard)
		return
	}
	for i := 2; i < len(heard); i++ {
		before, err1 := strconv.Atoi(heard[i-1])
		after, err2 := strconv.Atoi(heard[i])
		if err1 != nil || err2 != nil || after != before+1 {
			t.Errorf("%q came after %q", heard[i], heard[i-1])
			return
		}
	}
}

// TestHubLeavesInAnyOrder takes subscribers out of the middle of a large topic.
func TestHubLeavesInAnyOrder(t *testing.T) {
	t.Parallel()
	hub := channels.NewHub(&recordingBus{t: t})
	topic := channels.Topic{App: "1", Channel: "c"}
	const n = 1000
	listeners := make([]*listener, n)
	subscriptions := make([]*channels.Subscription, n)
	for i := range n {
		listeners[i] = &listener{id: fmt.Sprintf("1.%d", i)}
		subscriptions[i] = subscribe(t, hub, topic, listeners[i], "hello")
	}
	for i := range n {
		if i%7 != 0 {
			unsubscribe(t, hub, subscriptions[(i*531)%n]) // 531 and 1000 have no common factor
		}
	}
	hub.Deliver(channels.Message{Topic: topic, Frame: []byte("x")})
	for i := range n {
		at := (i * 531) % n
		if want, got := i%7 == 0, len(listeners[at].heard()) == 2; want != got {
			t.Errorf("listener %d: heard %v, subscribed %v", at, got, want)
		}
	}
	if got := hub.Subscriptions(); got != (n+6)/7 {
		t.Errorf("%d subscriptions", got)
	}
}

// idle is a subscriber whose Send costs as little as a Send can.
type idle struct {
	id string
	n  int
}

func (l *idle) ID() string { return l.id }

func (l *idle) Send([]byte) { l.n++ }

func (l *idle) Terminate() {}

// TestHubDeliverAllocatesNothing keeps the cost of a message from growing with those who hear it.
func TestHubDeliverAllocatesNothing(t *testing.T) {
	hub := channels.NewHub(&recordingBus{t: t})
	topic := channels.Topic{App: "1", Channel: "my-channel"}
	for i := range 100 {
		subscribe(t, hub, topic, &idle{id: fmt.Sprintf("1.%d", i)}, "")
	}
	m := channels.Message{Topic: topic, Frame: []byte("frame"), Except: "1.7"}
	if n := testing.AllocsPerRun(100, func() { hub.Deliver(m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHubDeliver(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		for _, except := range []string{"", "1.0"} {
			b.Run(fmt.Sprintf("subscribers=%d/except=%v", n, except != ""), func(b *testing.B) {
				hub := channels.NewHub(&recordingBus{})
				topic := channels.Topic{App: "1", Channel: "my-channel"}
				for i := range n {
					if _, err := hub.Subscribe(b.Context(), topic, channels.Log{}, &idle{id: fmt.Sprintf("1.%d", i)}, saying("hello")); err != nil {
						b.Fatal(err)
					}
				}
				m := channels.Message{Topic: topic, Frame: []byte("frame"), Except: except}
				b.ReportAllocs()
				for b.Loop() {
					hub.Deliver(m)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/subscriber")
			})
		}
	}
}
