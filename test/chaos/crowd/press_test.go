package crowd

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// publishOne runs a press against a server until one event has its outcome, and returns that with all requests.
func publishOne(t *testing.T, addr string, keys bool) (ledger.Publish, []Try) {
	t.Helper()
	p := Start(t.Context(), PressConfig{
		Clock: NewClock(), Apps: []App{{"1", "k", "s"}}, Channels: map[uint16]string{0: "a"}, Publishers: 1, Rate: 100, Keys: keys,
		Addr: func(int) string { return addr }, Timeout: 300 * time.Millisecond,
	})
	eventually(t, "an event has its outcome", func() bool { return len(p.Publishes()) > 0 })
	p.Stop()
	return p.Publishes()[0], p.Tries()
}

func TestWhatAnAnswerProves(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]ledger.Outcome{
		200: ledger.OK, 401: ledger.Failed, 413: ledger.Failed, 429: ledger.Failed, 409: ledger.Unknown, 500: ledger.Unknown, 503: ledger.Unknown,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(status)
		}))
		e, tries := publishOne(t, srv.Listener.Addr().String(), false)
		if e.Outcome != want || e.Status != status || e.Tries != 1 || !tries[0].RetryAfter && status != 200 {
			t.Errorf("%d: %+v, %+v", status, e, tries[0])
		}
		srv.Close()
	}
}

func TestWhatNoAnswerProves(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// Who is accepted and hears nothing does not know; who is not accepted knows that nothing was done.
	if e, _ := publishOne(t, l.Addr().String(), false); e.Outcome != ledger.Unknown || e.Status != 0 {
		t.Errorf("silence: %+v", e)
	}
	l.Close()
	if e, _ := publishOne(t, l.Addr().String(), false); e.Outcome != ledger.Failed {
		t.Errorf("nobody there: %+v", e)
	}
}

func TestAKeyIsTriedAgainUntilItIsOut(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	keys := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := r.Header.Get("Idempotency-Key")
		if keys[key]++; keys[key] < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	e, _ := publishOne(t, srv.Listener.Addr().String(), true)
	if e.Outcome != ledger.OK || e.Tries != 3 {
		t.Errorf("%+v", e)
	}
	for key, n := range keys {
		if key == "" || n > 3 {
			t.Errorf("the key %q came %d times", key, n)
		}
	}
}

// TestAWrongSignatureStaysRefused: an answer that is lost before the refusal leaves nothing unknown, but for who signs well.
func TestAWrongSignatureStaysRefused(t *testing.T) {
	t.Parallel()
	for every, want := range map[int]ledger.Outcome{1: ledger.Failed, 0: ledger.Unknown} {
		var mu sync.Mutex
		tries := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if tries++; tries == 1 {
				panic(http.ErrAbortHandler) // the connection ends without an answer
			}
			w.WriteHeader(http.StatusUnauthorized)
		}))
		p := Start(t.Context(), PressConfig{
			Clock: NewClock(), Apps: []App{{"1", "k", "s"}}, Channels: map[uint16]string{0: "a"}, Publishers: 1, Rate: 100, Keys: true,
			BadEvery: every, Addr: func(int) string { return srv.Listener.Addr().String() },
		})
		eventually(t, "an event has its outcome", func() bool { return len(p.Publishes()) > 0 })
		p.Stop()
		if e := p.Publishes()[0]; e.Outcome != want || e.Tries != 2 {
			t.Errorf("every %d: %+v", every, e)
		}
		srv.Close()
	}
}
