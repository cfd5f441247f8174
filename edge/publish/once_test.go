package publish_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
)

// house is a publisher on a real bus, and somebody who hears the channels a and b of the apps 1 and 2.
type house struct {
	*publish.Publisher
	t *testing.T

	mu    sync.Mutex
	heard []string // guarded by mu
}

func newHouse(t *testing.T) *house {
	t.Helper()
	bus := channels.NewMemoryBus(channels.MemoryConfig{})
	h := &house{Publisher: publish.New(publish.Config{Bus: bus, Limiter: limits.NewLimiter(limits.NewMemoryRates(), nil)}), t: t}
	for _, topic := range []channels.Topic{{App: "1", Channel: "a"}, {App: "1", Channel: "b"}, {App: "2", Channel: "a"}} {
		if err := bus.Subscribe(t.Context(), topic, channels.Log{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx, h.hear) })
	t.Cleanup(func() { cancel(); running.Wait() })
	for bus.Publish(ctx, channels.Message{Topic: channels.Topic{App: "0", Channel: "ready"}}) != nil {
		time.Sleep(time.Millisecond) // Run has no other way to say that it is ready.
	}
	return h
}

func (h *house) hear(m channels.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, m.Topic.App+" "+string(m.Frame))
}

// wants expects these to have been heard since the last call, as app, channel and data.
func (h *house) wants(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var got []string
	for _, text := range h.heard {
		text = strings.NewReplacer(`{"event":"e","channel":"`, "", `","data":"`, " ", `"}`, "").Replace(text)
		got = append(got, text)
	}
	if h.heard = nil; !slices.Equal(got, want) {
		h.t.Errorf("heard %q, want %q", got, want)
	}
}

// gives expects receipts like "first +" for what was published and "first -" for what had been.
func (h *house) gives(app *tenants.App, want string, parcels ...publish.Parcel) {
	h.t.Helper()
	receipts, err := h.PublishOnce(h.t.Context(), app, parcels...)
	if err != nil {
		h.t.Error(err)
		return
	}
	var got []string
	for _, r := range receipts {
		sign := "+"
		if r.Repeated {
			sign = "-"
		}
		got = append(got, string(r.Answer)+sign)
	}
	if text := strings.Join(got, " "); text != want {
		h.t.Errorf("receipts %q, want %q", text, want)
	}
}

func saying(answer string) func() []byte { return func() []byte { return []byte(answer) } }

func one(key, channel, data, answer string) publish.Parcel {
	return publish.Parcel{Key: key, Answer: saying(answer), Events: []publish.Event{{Channels: []string{channel}, Name: "e", Data: data}}}
}

func TestPublishOnce(t *testing.T) {
	t.Parallel()
	h, app, other := newHouse(t), newApp(), newApp()
	other.ID = "2"
	h.gives(app, "first+", one("k", "a", "1", "first"))
	h.wants("1 a 1")
	h.gives(app, "first-", one("k", "a", "1", "second"))
	h.wants()
	// Of several, those that are known are left out. One without a key is always published.
	h.gives(app, "first- x+ y+", one("k", "a", "1", ""), one("", "a", "2", "x"), one("l", "b", "3", "y"))
	h.wants("1 a 2", "1 b 3")
	h.gives(app, "x2+ y-", one("", "a", "2", "x2"), one("l", "b", "3", ""))
	h.wants("1 a 2")
	// A key is its app's own.
	h.gives(other, "theirs+", one("k", "a", "9", "theirs"))
	h.wants("2 a 9")
	// Several events under one key are all published, or none is.
	both := publish.Parcel{Key: "m", Answer: saying(""), Events: slices.Concat(one("", "a", "4", "").Events, one("", "b", "5", "").Events)}
	h.gives(app, "+", both)
	h.gives(app, "-", both)
	h.wants("1 a 4", "1 b 5")
}

func TestAKeyIsForgottenAfterItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, app := newHouse(t), newApp()
		h.gives(app, "first+", one("k", "a", "1", "first"))
		time.Sleep(channels.OnceFor - time.Millisecond)
		h.gives(app, "first-", one("k", "a", "1", "second"))
		time.Sleep(2 * time.Millisecond)
		h.gives(app, "third+", one("k", "a", "1", "third"))
		h.wants("1 a 1", "1 a 1")
	})
}

// TestAKeyStandsForOneThing changes each part that subscribers or the customer could notice.
func TestAKeyStandsForOneThing(t *testing.T) {
	t.Parallel()
	h, app := newHouse(t), newApp()
	h.gives(app, "ok+", one("k", "a", "1", "ok"))
	h.wants("1 a 1")
	for name, change := range map[string]func(*publish.Parcel){
		"data":     func(p *publish.Parcel) { p.Events[0].Data = "2" },
		"name":     func(p *publish.Parcel) { p.Events[0].Name = "f" },
		"channel":  func(p *publish.Parcel) { p.Events[0].Channels[0] = "b" },
		"channels": func(p *publish.Parcel) { p.Events[0].Channels = []string{"a", "b"} },
		"socket":   func(p *publish.Parcel) { p.Events[0].Except = "1.2" },
		"one more": func(p *publish.Parcel) { p.Events = append(p.Events, p.Events[0]) },
		"question": func(p *publish.Parcel) { p.Question = "user_count" },
		// The same letters, parted otherwise.
		"borders": func(p *publish.Parcel) { p.Events[0].Name, p.Events[0].Data = "e1", "" },
	} {
		p := one("k", "a", "1", "")
		change(&p)
		var used *publish.KeyUsedError
		_, err := h.PublishOnce(t.Context(), app, one("", "b", "x", ""), one("", "b", "y", ""), p)
		if !errors.As(err, &used) || used.Event != 2 || used.Key != "k" || !strings.Contains(err.Error(), `"k"`) {
			t.Errorf("%s: %v", name, err)
		}
		h.wants()
	}
}

// TestARefusalNotesNothing sends the same key again after each way of being refused.
func TestARefusalNotesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, refusalsNoteNothing)
}

func refusalsNoteNothing(t *testing.T) {
	h, app := newHouse(t), newApp()
	app.Limits.MessagesPerSecond = 3
	wide := publish.Parcel{Key: "k", Events: []publish.Event{{Channels: []string{"a", "b", "c", "d"}, Name: "e"}}}
	for name, c := range map[string]struct {
		parcels []publish.Parcel
		field   string
		event   int
	}{
		"an event that is wrong": {[]publish.Parcel{one("k", "a", "1", ""), one("l", "#", "2", "")}, "channels", 1},
		"one that is too large":  {[]publish.Parcel{one("k", "a", strings.Repeat("x", 10241), "")}, "data", 0},
		"too many ever":          {[]publish.Parcel{wide}, "channels", 0},
		"too many events":        {slices.Repeat([]publish.Parcel{one("k", "a", "1", "")}, 11), "batch", 0},
		"none":                   {nil, "batch", 0},
		"a key twice":            {[]publish.Parcel{one("", "a", "1", ""), one("k", "a", "1", ""), one("k", "a", "1", "")}, "id", 2},
		"a key that is too long": {[]publish.Parcel{one("k", "a", "1", ""), one(strings.Repeat("l", 129), "a", "1", "")}, "id", 1},
		"a key that is no text":  {[]publish.Parcel{one("k\n", "a", "1", "")}, "id", 0},
	} {
		for i := range c.parcels {
			c.parcels[i].Answer = func() []byte { t.Errorf("%s: an answer was asked for", name); return nil }
		}
		var wrong *publish.EventError
		if _, err := h.PublishOnce(t.Context(), app, c.parcels...); !errors.As(err, &wrong) || wrong.Field != c.field || wrong.Event != c.event || wrong.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.gives(app, "ok+", one("k", "a", "1", "ok"))
	h.wants("1 a 1")
	// What is repeated counts as well, so that the third and the fourth find the rate used up.
	h.gives(app, "ok-", one("k", "a", "1", ""))
	h.gives(app, "ok-", one("k", "a", "1", ""))
	var limited *publish.LimitError
	for _, key := range []string{"k", "l"} {
		if _, err := h.PublishOnce(t.Context(), app, one(key, "a", "1", "")); !errors.As(err, &limited) {
			t.Errorf("over the rate: %v", err)
		}
	}
	app.Limits.MessagesPerSecond = 0
	h.gives(app, "ok- l+", one("k", "a", "1", ""), one("l", "a", "1", "l"))
	h.wants("1 a 1")
}

// TestTwoAtOnce hands one parcel over from many sides at the same time.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	h, app := newHouse(t), newApp()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if r, err := h.PublishOnce(t.Context(), app, one("k", "a", "1", "ok")); err != nil || string(r[0].Answer) != "ok" {
				t.Errorf("%v, %v", r, err)
			}
		})
	}
	all.Wait()
	h.wants("1 a 1")
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	for key, ok := range map[string]bool{
		"a": true, " !~": true, `"quoted"`: true, strings.Repeat("k", 128): true, "": false, strings.Repeat("k", 129): false,
		"é": false, "a\x7f": false, "a\tb": false, "a\x00": false,
	} {
		if err := publish.CheckKey(key); (err == nil) != ok {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// failing is a bus that is away, or that answers what makes no sense.
type failing struct {
	publish.Bus
	err error
}

func (b failing) PublishOnce(context.Context, string, ...channels.Parcel) ([]channels.Receipt, error) {
	return nil, b.err
}

func TestPublishOnceWhenTheBusIsAway(t *testing.T) {
	t.Parallel()
	for _, wrong := range []error{channels.ErrUnavailable, nil} {
		p := publish.New(publish.Config{Bus: failing{err: wrong}})
		if _, err := p.PublishOnce(t.Context(), newApp(), one("k", "a", "1", "")); !errors.Is(err, publish.ErrUnavailable) {
			t.Errorf("%v became %v", wrong, err)
		}
	}
	p := publish.New(publish.Config{Bus: failing{err: channels.ErrTooManyKeys}})
	if _, err := p.PublishOnce(t.Context(), newApp(), one("k", "a", "1", "")); !errors.Is(err, publish.ErrTooManyKeys) || errors.Is(err, publish.ErrUnavailable) {
		t.Errorf("too many keys became %v", err)
	}
}

func TestPublishOnceCounts(t *testing.T) {
	t.Parallel()
	h, app := newHouse(t), newApp()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(h.Collectors()...)
	h.gives(app, "+ +", one("k", "a", "1", ""), one("", "b", "2", ""))
	h.gives(app, "- +", one("k", "a", "1", ""), one("l", "b", "2", ""))
	h.gives(app, "- -", one("k", "a", "1", ""), one("l", "b", "2", ""))
	if _, err := h.PublishOnce(t.Context(), app, one("k", "a", "other", "")); err == nil {
		t.Error("another parcel under the same key")
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP peal_publish_total Publishes of any number of events, by result.
# TYPE peal_publish_total counter
peal_publish_total{result="invalid"} 0
peal_publish_total{result="key_used"} 1
peal_publish_total{result="limited"} 0
peal_publish_total{result="ok"} 2
peal_publish_total{result="repeated"} 1
peal_publish_total{result="too_large"} 0
peal_publish_total{result="unavailable"} 0
# HELP peal_published_messages_total Messages handed to the bus, one for each channel of each event.
# TYPE peal_published_messages_total counter
peal_published_messages_total 3
`)); err != nil {
		t.Error(err)
	}
}
