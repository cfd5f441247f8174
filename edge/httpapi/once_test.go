package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
)

// under sends a publish under a key in the header, signed at some time.
func (a *api) under(path, params, body string, at time.Time, keys ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	app, _, _ := strings.Cut(strings.TrimPrefix(path, "/apps/"), "/")
	r := request("POST", a.prefix+path, sign("POST", path, params, body, "key"+app, "secret"+app, at), body)
	if keys != nil {
		r.Header["Idempotency-Key"] = keys
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// checkOnce expects an answer, and that it says whether it was given before.
func checkOnce(t *testing.T, w *httptest.ResponseRecorder, body string, replayed bool) {
	t.Helper()
	checkAnswer(t, w, body)
	want := ""
	if replayed {
		want = "true"
	}
	if got := w.Header().Get("Idempotent-Replayed"); got != want {
		t.Errorf("Idempotent-Replayed: %q, want %q", got, want)
	}
}

// heard expects the frames of these events, of channel and data.
func (a *api) heard(want ...string) {
	a.t.Helper()
	var got []string
	for _, frame := range a.bus.frames() {
		got = append(got, strings.NewReplacer(`{"event":"e","channel":"`, "", `","data":"`, " ", `"}`, "").Replace(frame))
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("published %q, want %q", got, want)
	}
}

const (
	anEvent = `{"name":"e","channels":["a","b"],"data":"1"}`
	aBatch  = `{"batch":[{"name":"e","channel":"a","data":"1"},{"name":"e","channel":"b","data":"2"}]}`
)

func TestPublishUnderAKey(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		path, params, body string
		want               []string
	}{
		"an event":     {"/apps/3/events", "", anEvent, []string{"a 1", "b 1"}},
		"in the query": {"/apps/3/events", "channel=a&data=1&name=e", "", []string{"a 1"}},
		"a batch":      {"/apps/3/batch_events", "", aBatch, []string{"a 1", "b 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			checkOnce(t, a.under(c.path, c.params, c.body, now, "k"), "{}", false)
			a.heard(c.want...)
			// A retry is signed anew.
			checkOnce(t, a.under(c.path, c.params, c.body, now.Add(-time.Minute), "k"), "{}", true)
			a.heard()
			checkOnce(t, a.under(c.path, c.params, c.body, now, "l"), "{}", false)
			checkOnce(t, a.under(c.path, c.params, c.body, now), "{}", false)
			a.heard(slices.Concat(c.want, c.want)...)
		})
	}
	a := newAPI(t, "")
	for _, replayed := range []string{"", "true"} {
		w := a.under("/apps/3/channels/a/events", "name=e", "1", now, "k")
		if w.Code != 202 || w.Body.Len() > 0 || w.Header().Get("Idempotent-Replayed") != replayed {
			t.Errorf("the old route: %d %q %v", w.Code, w.Body, w.Header())
		}
	}
	a.heard("a 1")
}

// TestARetryGetsTheFirstAnswer has people come between the first and the second.
func TestARetryGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct{ path, key, body, first, later string }{
		"an event": {
			"/apps/7/events", "k", `{"name":"e","data":"x","channels":["news","presence-a"],"info":"user_count,subscription_count"}`,
			`{"channels":{"news":{"subscription_count":1},"presence-a":{"user_count":0}}}`, `{"channels":{"news":{"subscription_count":2},"presence-a":{"user_count":1}}}`,
		},
		"a batch": {
			"/apps/7/batch_events", "k", `{"batch":[{"name":"e","data":"x","channel":"news","info":"subscription_count"},{"name":"e","data":"x","channel":"news"}]}`,
			`{"batch":[{"subscription_count":1},{}]}`, `{"batch":[{"subscription_count":2},{}]}`,
		},
		"a batch with ids": {
			"/apps/7/batch_events", "", `{"batch":[{"name":"e","data":"x","channel":"news","info":"subscription_count","id":"k"},{"name":"e","data":"x","channel":"news","id":"k2"}]}`,
			`{"batch":[{"subscription_count":1},{}]}`, `{"batch":[{"subscription_count":2},{}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			a.join("7", "news", "1.1", "")
			send := func(app, key, body string) *httptest.ResponseRecorder {
				t.Helper()
				if key == "" {
					return a.under(app, "", body, now)
				}
				return a.under(app, "", body, now, key)
			}
			checkOnce(t, send(c.path, c.key, c.body), c.first, false)
			a.join("7", "news", "1.2", "")
			a.join("7", "presence-a", "1.2", "ann")
			checkOnce(t, send(c.path, c.key, c.body), c.first, true)
			other := c.key
			if other != "" {
				other = "other"
			}
			checkOnce(t, send(c.path, other, strings.ReplaceAll(c.body, `"id":"k`, `"id":"other`)), c.later, false)
		})
	}
}

// TestTheCountsOfAKeyedPublish are taken before it, because nobody could give them to a retry otherwise.
func TestTheCountsOfAKeyedPublish(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.bus.after = func() { a.join("3", "presence-a", "1.1", "ann") }
	body := `{"name":"e","data":"x","channel":"presence-a","info":"user_count","id":"k"}`
	checkOnce(t, a.post("/apps/3/events", body), `{"channels":{"presence-a":{"user_count":0}}}`, false)
	checkOnce(t, a.post("/apps/3/events", body), `{"channels":{"presence-a":{"user_count":0}}}`, true)
}

// TestARefusedPublishLooksIntoNoChannel: its names may be no channels', and who is over the rate is not to cost a question.
func TestARefusedPublishLooksIntoNoChannel(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.bus.failPresence(channels.ErrUnavailable) // which is logged where somebody looks
	for path, body := range map[string]string{
		"events":       `{"name":"e","data":"x","channel":"presence-a:b","info":"user_count","id":"k"}`,
		"batch_events": `{"batch":[{"name":"e","data":"x","channel":"presence-a:b","info":"user_count","id":"k"}]}`,
	} {
		if w := a.post("/apps/3/"+path, body); w.Code != 400 || strings.Contains(a.log.String(), "without the counts") {
			t.Errorf("%s: %d, logged %q", path, w.Code, a.log)
		}
		if w := a.post("/apps/3/"+path, strings.ReplaceAll(body, "a:b", "ab")); w.Code != 200 || !strings.Contains(a.log.String(), "without the counts") {
			t.Errorf("%s, good: %d, logged %q", path, w.Code, a.log)
		}
		a = newAPI(t, "")
		a.bus.failPresence(channels.ErrUnavailable)
	}
}

func TestIDsOfEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	one := func(id, channel, data string) string {
		return `{"name":"e","channel":"` + channel + `","data":"` + data + `","id":"` + id + `"}`
	}
	batch := func(events ...string) string { return `{"batch":[` + strings.Join(events, ",") + `]}` }
	first := one("1", "a", "1")
	checkOnce(t, a.post("/apps/3/batch_events", batch(first, one("2", "b", "2"))), "{}", false)
	a.heard("a 1", "b 2")
	// A batch that is put together otherwise: what is known is left out.
	checkOnce(t, a.post("/apps/3/batch_events", batch(one("3", "a", "3"), first, `{"name":"e","channel":"b","data":"4"}`)), "{}", false)
	a.heard("a 3", "b 4")
	checkOnce(t, a.post("/apps/3/batch_events", batch(one("3", "a", "3"), first)), "{}", true)
	// By another way it is the same event: alone, in the query, and under the header.
	checkOnce(t, a.post("/apps/3/events", first), "{}", true)
	checkOnce(t, a.ask("POST", "/apps/3/events", "channel=a&data=1&id=1&name=e", ""), "{}", true)
	checkOnce(t, a.under("/apps/3/events", "", `{"data":"1", "channels":["a"], "name":"e"}`, time.Now(), "1"), "{}", true)
	a.heard()
	// Another app has its own.
	checkOnce(t, a.post("/apps/7/events", first), "{}", false)
	a.heard("a 1")
	// Counts of some events.
	asking := `{"name":"e","channel":"presence-x","data":"5","id":"5","info":"user_count"}`
	checkOnce(t, a.post("/apps/3/batch_events", batch(first, asking)), `{"batch":[{},{"user_count":0}]}`, false)
	a.join("3", "presence-x", "1.1", "ann")
	checkOnce(t, a.post("/apps/3/batch_events", batch(first, asking)), `{"batch":[{},{"user_count":0}]}`, true)
	a.heard("presence-x 5")
	checkOnce(t, a.ask("POST", "/apps/3/events", "channel=a&data=1&id=null&name=e", ""), "{}", false)
	checkOnce(t, a.post("/apps/3/events", `{"name":"e","channel":"a","data":"1","id":null}`), "{}", false)
	a.heard("a 1", "a 1")
}

func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	const good, event = `{"name":"e","channel":"a","data":"x"}`, `{"name":"e","channel":"a","data":"x","id":"k"}`
	const characters = "it must have from 1 to 128 printable ASCII characters"
	long := strings.Repeat("k", 129)
	now := time.Now()
	for name, c := range map[string]struct {
		path, params, body string
		keys               []string
		status             int
		text               string
	}{
		"empty":             {"events", "", good, []string{""}, 400, "Invalid Idempotency-Key: " + characters},
		"long":              {"events", "", good, []string{long}, 400, "Invalid Idempotency-Key: " + characters},
		"no ASCII":          {"batch_events", "", aBatch, []string{"é"}, 400, "Invalid Idempotency-Key: " + characters},
		"a tabulator":       {"channels/a/events", "name=e", "x", []string{"a\tb"}, 400, "Invalid Idempotency-Key: " + characters},
		"two":               {"events", "", good, []string{"a", "a"}, 400, "Invalid Idempotency-Key: it must be sent once"},
		"header and id":     {"events", "", event, []string{"l"}, 400, "Invalid Idempotency-Key: an event of this request has an id"},
		"header and ids":    {"batch_events", "", `{"batch":[` + good + `,` + event + `]}`, []string{"l"}, 400, "Invalid Idempotency-Key: an event"},
		"empty id":          {"events", "", `{"name":"e","channel":"a","data":"x","id":""}`, nil, 400, "Invalid id: " + characters},
		"long id":           {"events", "", `{"name":"e","channel":"a","data":"x","id":"` + long + `"}`, nil, 400, "Invalid id: " + characters},
		"number as id":      {"batch_events", "", `{"batch":[` + good + `,{"name":"e","channel":"a","data":"x","id":7}]}`, nil, 400, "batch[1]: Invalid id: it must be a string"},
		"id twice":          {"batch_events", "", `{"batch":[` + good + `,` + event + `,` + event + `]}`, nil, 400, "batch[2]: Invalid id: event 1 has the same"},
		"id in the query":   {"events", "channel=a&data=x&id=%C3%A9&name=e", "", nil, 400, "Invalid id: " + characters},
		"used":              {"events", "", `{"name":"e","channel":"a","data":"y"}`, []string{"k"}, 422, `Idempotency key used: the key "k" stands for another publish: repeat that one as it was, or send this one under a new key`},
		"used by another":   {"events", "", `{"name":"e","channel":"a","data":"x","info":"user_count"}`, []string{"k"}, 422, `Idempotency key used: the key "k"`},
		"used, batch":       {"batch_events", "", aBatch, []string{"k"}, 422, `Idempotency key used: the key "k"`},
		"used, one event":   {"batch_events", "", `{"batch":[` + good + `,{"name":"e","channel":"a","data":"y","id":"k"}]}`, nil, 422, `batch[1]: Idempotency key used: the key "k"`},
		"used, old route":   {"channels/a/events", "name=e", "y", []string{"k"}, 422, `Idempotency key used: the key "k"`},
		"a bad event, too":  {"events", "", `{"name":"e","channel":"a:b","data":"x"}`, []string{"k"}, 400, "Invalid channels"},
		"one bad event":     {"batch_events", "", `{"batch":[` + event + `,{"name":"e","channel":"a:b","data":"x"}]}`, nil, 400, "batch[1]: Invalid channels"},
		"one, under a key":  {"batch_events", "", `{"batch":[` + good + `,{"name":"e","channel":"a:b","data":"x"}]}`, []string{"k"}, 400, "batch[1]: Invalid channels"},
		"too large, too":    {"events", "", `{"name":"e","channel":"a","data":"` + strings.Repeat("x", 10241) + `","id":"k"}`, nil, 413, "The data content"},
		"wrong, old route":  {"channels/a/events", "name=pusher:e", "y", []string{"k"}, 400, "Invalid name"},
		"an id and no data": {"events", "", `{"name":"e","channel":"a","id":"k"}`, nil, 400, "Invalid data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			checkOnce(t, a.post("/apps/3/events", event), "{}", false)
			a.heard("a x")
			checkRefusal(t, a.under("/apps/3/"+c.path, c.params, c.body, now, c.keys...), c.status, c.text)
			a.heard()
			checkOnce(t, a.post("/apps/3/events", event), "{}", true)
		})
	}
}

// TestARetryAfterTrouble sends the same again after each answer that is not 200, until it is.
func TestARetryAfterTrouble(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct{ path, body string }{
		"a key": {"/apps/3/events", `{"name":"e","channel":"a","data":"1"}`},
		"ids":   {"/apps/3/batch_events", `{"batch":[{"name":"e","channel":"a","data":"1","id":"k"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			send := func() *httptest.ResponseRecorder {
				t.Helper()
				if strings.Contains(c.body, "batch") {
					return a.under(c.path, "", c.body, now)
				}
				return a.under(c.path, "", c.body, now, "k")
			}
			a.bus.fail(channels.ErrUnavailable)
			checkRefusal(t, send(), 503, "Temporarily unavailable, try again")
			a.heard()
			a.bus.fail(nil)
			a.bus.fail(channels.ErrTooManyKeys)
			checkRefusal(t, send(), 429, "Too many idempotency keys: the keys of the last ten minutes take all the room")
			a.bus.fail(nil)
			// It is published, but nobody learns of it.
			a.bus.deaf = true
			checkRefusal(t, send(), 503, "Temporarily unavailable, try again")
			a.heard("a 1")
			a.bus.deaf = false
			checkOnce(t, send(), "{}", true)
			a.heard()
		})
	}
}

// TestOverTheRateNothingIsNoted publishes under a key as long as it is refused, which must be as if it had never come.
func TestOverTheRateNothingIsNoted(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	body := `{"name":"e","channels":["a","b"],"data":"1"}`
	if w := a.post("/apps/8/events", body); w.Code != 200 {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	a.heard("a 1", "b 1")
	w := a.under("/apps/8/events", "", body, time.Now(), "k")
	checkRefusal(t, w, 429, "Rate limit exceeded")
	a.heard()
	for deadline := time.Now().Add(10 * time.Second); w.Code == http.StatusTooManyRequests && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		w = a.under("/apps/8/events", "", body, time.Now(), "k")
	}
	checkOnce(t, w, "{}", false)
	a.heard("a 1", "b 1")
}

// TestOneKeyFromManySides sends one request many times at once.
func TestOneKeyFromManySides(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	var all sync.WaitGroup
	var fresh sync.Map
	for i := range 8 {
		all.Go(func() {
			w := a.under("/apps/3/events", "", anEvent, time.Now(), "k")
			checkAnswer(t, w, "{}")
			if w.Header().Get("Idempotent-Replayed") == "" {
				fresh.Store(i, true)
			}
		})
	}
	all.Wait()
	a.heard("a 1", "b 1")
	n := 0
	fresh.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 8 say that they published", n)
	}
}
