package publish_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bus keeps what is published, until it is told to fail.
type bus struct {
	publish.Bus // nobody calls the rest of it

	mu       sync.Mutex
	messages []channels.Message // guarded by mu
	calls    int                // guarded by mu
	err      error
}

func (b *bus) Publish(_ context.Context, messages ...channels.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.err != nil {
		return b.err
	}
	b.messages = append(b.messages, messages...)
	return nil
}

func newApp() *tenants.App {
	return &tenants.App{ID: "1", Enabled: true, Limits: tenants.DefaultLimits()}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	b := &bus{}
	p := publish.New(publish.Config{Bus: b})
	err := p.Publish(t.Context(), newApp(),
		publish.Event{Channels: []string{"a", "b", "a"}, Name: "one", Data: `{"x":"<1>"}`, Except: "1.2"},
		publish.Event{Channels: []string{"a"}, Name: "client-two", Data: ""})
	if err != nil {
		t.Fatal(err)
	}
	want := []channels.Message{
		{Topic: channels.Topic{App: "1", Channel: "a"}, Frame: []byte(`{"event":"one","channel":"a","data":"{\"x\":\"<1>\"}"}`), Except: "1.2"},
		{Topic: channels.Topic{App: "1", Channel: "b"}, Frame: []byte(`{"event":"one","channel":"b","data":"{\"x\":\"<1>\"}"}`), Except: "1.2"},
		{Topic: channels.Topic{App: "1", Channel: "a"}, Frame: []byte(`{"event":"client-two","channel":"a","data":""}`)},
	}
	if diff := cmp.Diff(want, b.messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if b.calls != 1 {
		t.Errorf("%d calls to the bus for one publish", b.calls)
	}
}

func TestPublishIntoLogs(t *testing.T) {
	t.Parallel()
	b, app := &bus{}, newApp()
	app.ChannelRules = tenants.ChannelRules{
		{Pattern: "a*", Log: tenants.ChannelLog{Size: 5, TTL: time.Minute}}, {Pattern: "ab", Log: tenants.ChannelLog{Size: 1, TTL: time.Hour}},
	}
	names := []string{"ab", "b", "#server-to-user-a"}
	p := publish.New(publish.Config{Bus: b})
	if err := p.Publish(t.Context(), app, publish.Event{Channels: names, Name: "e"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Terminate(t.Context(), app, "a"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []channels.Log{{Size: 5, TTL: time.Minute}, {}, {}, {}} {
		if got := b.messages[i]; got.Log != want {
			t.Errorf("%s: %v, want %v", got.Topic.Channel, got.Log, want)
		}
	}
}

// many returns n different channel names.
func many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return names
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	good := publish.Event{Channels: []string{"c"}, Name: "e", Data: "d"}
	with := func(change func(*publish.Event)) []publish.Event {
		e := good
		change(&e)
		return []publish.Event{good, e}
	}
	for name, c := range map[string]struct {
		events []publish.Event
		event  int
		field  string
		kind   error
	}{
		"no event":                 {nil, 0, "batch", publish.ErrInvalid},
		"eleven events":            {make([]publish.Event, 11), 0, "batch", publish.ErrInvalid},
		"no name":                  {with(func(e *publish.Event) { e.Name = "" }), 1, "name", publish.ErrInvalid},
		"long name":                {with(func(e *publish.Event) { e.Name = strings.Repeat("é", 201) }), 1, "name", publish.ErrInvalid},
		"broken name":              {with(func(e *publish.Event) { e.Name = "a\xff" }), 1, "name", publish.ErrInvalid},
		"reserved name":            {with(func(e *publish.Event) { e.Name = "pusher:ping" }), 1, "name", publish.ErrInvalid},
		"internal name":            {with(func(e *publish.Event) { e.Name = "pusher_internal:x" }), 1, "name", publish.ErrInvalid},
		"no channel":               {with(func(e *publish.Event) { e.Channels = nil }), 1, "channels", publish.ErrInvalid},
		"101 channels":             {with(func(e *publish.Event) { e.Channels = many(101) }), 1, "channels", publish.ErrInvalid},
		"bad channel":              {with(func(e *publish.Event) { e.Channels = []string{"a", "a:b"} }), 1, "channels", publish.ErrInvalid},
		"empty channel":            {with(func(e *publish.Event) { e.Channels = []string{""} }), 1, "channels", publish.ErrInvalid},
		"user's channel of nobody": {with(func(e *publish.Event) { e.Channels = []string{"#server-to-user-"} }), 1, "channels", publish.ErrInvalid},
		"long channel":             {with(func(e *publish.Event) { e.Channels = []string{strings.Repeat("c", 165)} }), 1, "channels", publish.ErrInvalid},
		"encrypted of two":         {with(func(e *publish.Event) { e.Channels = []string{"a", "private-encrypted-x"} }), 1, "channels", publish.ErrInvalid},
		"bad socket id":            {with(func(e *publish.Event) { e.Except = "abc" }), 1, "socket_id", publish.ErrInvalid},
		"large data":               {with(func(e *publish.Event) { e.Data = strings.Repeat("x", 10241) }), 1, "data", publish.ErrTooLarge},
		"broken data":              {with(func(e *publish.Event) { e.Data = "\xed\xa0\x80" }), 1, "data", publish.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bus{}
			p := publish.New(publish.Config{Bus: b})
			err := p.Publish(t.Context(), newApp(), c.events...)
			var wrong *publish.EventError
			if !errors.As(err, &wrong) || !errors.Is(err, c.kind) || wrong.Event != c.event || wrong.Field != c.field || wrong.Reason == "" {
				t.Errorf("got %v", err)
			}
			if b.calls != 0 {
				t.Error("something was published")
			}
		})
	}
}

func TestPublishAtTheLimits(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]publish.Event{
		"name":      {Channels: []string{"c"}, Name: strings.Repeat("é", 200)},
		"data":      {Channels: []string{"c"}, Name: "e", Data: strings.Repeat("\x00", 10240)},
		"channels":  {Channels: many(100), Name: "e"},
		"channel":   {Channels: []string{strings.Repeat("c", 164)}, Name: "e"},
		"encrypted": {Channels: []string{"private-encrypted-x"}, Name: "e"},
		"backslash": {Channels: []string{"c"}, Name: `App\Events\OrderShipped`},
	} {
		p := publish.New(publish.Config{Bus: &bus{}})
		if err := p.Publish(t.Context(), newApp(), e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPublishWhenTheBusIsAway(t *testing.T) {
	t.Parallel()
	p := publish.New(publish.Config{Bus: &bus{err: channels.ErrUnavailable}})
	err := p.Publish(t.Context(), newApp(), publish.Event{Channels: []string{"c"}, Name: "e"})
	if !errors.Is(err, publish.ErrUnavailable) || !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestPublishCounts(t *testing.T) {
	t.Parallel()
	b := &bus{}
	p := publish.New(publish.Config{Bus: b})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(p.Collectors()...)
	app := newApp()
	_ = p.Publish(t.Context(), app, publish.Event{Channels: []string{"a", "b"}, Name: "e"})
	_ = p.Publish(t.Context(), app, publish.Event{Channels: []string{"a"}})
	_ = p.Publish(t.Context(), app, publish.Event{Channels: []string{"a"}, Name: "e", Data: strings.Repeat("x", 20_000)})
	b.err = channels.ErrUnavailable
	_ = p.Publish(t.Context(), app, publish.Event{Channels: []string{"a"}, Name: "e"})
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP peal_publish_total Publishes of any number of events, by result.
# TYPE peal_publish_total counter
peal_publish_total{result="invalid"} 1
peal_publish_total{result="key_used"} 0
peal_publish_total{result="limited"} 0
peal_publish_total{result="ok"} 1
peal_publish_total{result="repeated"} 0
peal_publish_total{result="too_large"} 1
peal_publish_total{result="unavailable"} 1
# HELP peal_published_messages_total Messages handed to the bus, one for each channel of each event.
# TYPE peal_published_messages_total counter
peal_published_messages_total 2
`)); err != nil {
		t.Error(err)
	}
}

// forget is a bus that costs nothing.
type forget struct{ publish.Bus }

func (forget) Publish(context.Context, ...channels.Message) error { return nil }

func BenchmarkPublish(b *testing.B) {
	for _, c := range []struct{ channels, rules int }{{1, 0}, {100, 0}, {1, 1}, {1, 50}, {100, 50}} {
		n := c.channels
		b.Run(fmt.Sprintf("channels=%d,rules=%d", n, c.rules), func(b *testing.B) {
			p := publish.New(publish.Config{Bus: forget{}})
			app := newApp()
			for i := range c.rules {
				app.ChannelRules = append(app.ChannelRules, tenants.ChannelRule{Pattern: fmt.Sprintf("private-%d-*", i), Log: tenants.ChannelLog{Size: 1, TTL: time.Second}})
			}
			e := publish.Event{Channels: many(n), Name: "my-event", Data: strings.Repeat("x", 128)}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Publish(b.Context(), app, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
