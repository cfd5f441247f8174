package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/channels"
)

// TestRateLimit publishes more than app 8 may, which is two messages in a second.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, "")
		const event = `{"name":"e","channel":"a","data":"x"}`
		two := []func() *httptest.ResponseRecorder{
			func() *httptest.ResponseRecorder {
				return a.post("/apps/8/events", `{"name":"e","channels":["a","b"],"data":"x"}`)
			},
			func() *httptest.ResponseRecorder {
				return a.post("/apps/8/batch_events", `{"batch":[`+event+`,`+event+`]}`)
			},
		}
		for i, publish := range two {
			checkAnswer(t, publish(), "{}")
			for _, w := range []*httptest.ResponseRecorder{
				publish(), a.post("/apps/8/events", event), two[1-i](), a.ask("POST", "/apps/8/channels/a/events", "name=e", "x"),
				a.ask("POST", "/apps/8/events", "channel=a&data=x&name=e", ""),
			} {
				checkRefusal(t, w, 429, "Rate limit exceeded: the app has published the 2 messages that it may in a second")
				checkRateLimit(t, w.Header(), "1", `"app";r=0;t=1`)
			}
			time.Sleep(time.Second)
		}
		w := a.post("/apps/8/events", `{"name":"e","channels":["a","b","c"],"data":"x"}`)
		checkRefusal(t, w, 400, "Invalid channels: this makes 3 messages, one for each channel of each event, and the app may publish 2 in a second")
		if got := a.bus.frames(); len(got) != 4 {
			t.Errorf("published %q", got)
		}
		// Asking is not publishing, and other apps are other apps.
		checkAnswer(t, a.get("/apps/8/channels", ""), `{"channels":{}}`)
		for range 10 {
			checkAnswer(t, a.post("/apps/3/events", event), "{}")
		}
	})
}

func checkRateLimit(t *testing.T, h http.Header, after, limit string) {
	t.Helper()
	if h.Get("Retry-After") != after || h.Get("RateLimit-Policy") != `"app";q=2;w=1` || h.Get("RateLimit") != limit {
		t.Errorf("headers %v", h)
	}
}

// slow is a presence that answers a list when it is told to.
type slow struct {
	*bus
	asked, answer chan struct{}
}

func (s slow) Channels(ctx context.Context, app, prefix string) ([]channels.Occupancy, error) {
	if app != "3" {
		return s.bus.Channels(ctx, app, prefix)
	}
	s.asked <- struct{}{}
	select {
	case <-s.answer:
		return s.bus.Channels(ctx, app, prefix)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestListsTakeTurns asks for many lists at once.
func TestListsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, "")
		presence := slow{a.bus, make(chan struct{}), make(chan struct{})}
		a.serve(presence)

		var answers sync.WaitGroup
		for range 17 { // one is answered and sixteen wait
			answers.Go(func() { checkAnswer(t, a.get("/apps/3/channels", ""), `{"channels":{}}`) })
		}
		<-presence.asked
		synctest.Wait()
		checkRefusal(t, a.get("/apps/3/channels", ""), 429, "Too many lists of channels are asked for at once")
		// Whom it costs is the app alone.
		checkAnswer(t, a.get("/apps/7/channels", ""), `{"channels":{}}`)
		checkAnswer(t, a.get("/apps/3/channels/a", ""), `{"occupied":false}`)
		for range 16 {
			presence.answer <- struct{}{}
			<-presence.asked
		}
		presence.answer <- struct{}{}
		answers.Wait()

		// Who waits too long is told to come again, and who has gone waits no more.
		answers.Go(func() { checkAnswer(t, a.get("/apps/3/channels", ""), `{"channels":{}}`) })
		<-presence.asked
		answers.Go(func() {
			start := time.Now()
			checkRefusal(t, a.get("/apps/3/channels", ""), 429, "Too many lists of channels are asked for at once")
			if waited := time.Since(start); waited != 5*time.Second {
				t.Errorf("waited for %v", waited)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		answers.Go(func() {
			r := request("GET", "/apps/3/channels", signedQuery("GET", "/apps/3/channels", "", "key3", "secret3", time.Now()), "").WithContext(ctx)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			checkRefusal(t, w, 503, "Temporarily unavailable")
		})
		synctest.Wait()
		cancel()
		time.Sleep(6 * time.Second)
		presence.answer <- struct{}{}
		answers.Wait()

		// And nothing is left behind.
		answers.Go(func() { checkAnswer(t, a.get("/apps/3/channels", ""), `{"channels":{}}`) })
		<-presence.asked
		presence.answer <- struct{}{}
		answers.Wait()
	})
}

// broken is an answer that nobody reads.
type broken struct{ http.ResponseWriter }

func (broken) Write([]byte) (int, error) { return 0, fmt.Errorf("gone") }

// TestListThatNobodyReads gives the turn on.
func TestListThatNobodyReads(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for i := range 5_000 {
		a.join("3", fmt.Sprint("channel-", i), "1.1", "")
	}
	for range 3 {
		w := httptest.NewRecorder()
		a.Server.ServeHTTP(broken{w}, request("GET", "/apps/3/channels", signedQuery("GET", "/apps/3/channels", "", "key3", "secret3", time.Now()), ""))
	}
	if w := a.get("/apps/3/channels", "filter_by_prefix=channel-4999"); w.Body.String() != `{"channels":{"channel-4999":{}}}` {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
