package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/httpapi"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/usage"
)

// discard is a response writer that costs nothing and, like the one of net/http, takes strings.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) Write(p []byte) (int, error)       { return len(p), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }
func (d *discard) WriteHeader(status int)            { d.status = status }

// forget is a bus that costs nothing.
type forget struct{ publish.Bus }

func (forget) Publish(context.Context, ...channels.Message) error { return nil }

// again sends one request to a handler over and over. It reuses what is not the handler's own: the request,
// its body and the answer.
type again struct {
	handler http.Handler
	r       *http.Request
	body    string
	reader  *strings.Reader
	w       *discard
}

func newAgain(h http.Handler, path, body string) *again {
	method := "POST"
	if body == "" {
		method = "GET"
	}
	reader := strings.NewReader(body)
	r := httptest.NewRequest(method, path+"?"+signedQuery(method, path, body, "key3", "secret3", time.Now()), nil)
	r.ContentLength, r.Body = int64(len(body)), io.NopCloser(reader)
	return &again{handler: h, r: r, body: body, reader: reader, w: &discard{header: http.Header{}}}
}

func (a *again) send() {
	a.reader.Reset(a.body)
	clear(a.w.header)
	a.w.status = http.StatusOK
	a.handler.ServeHTTP(a.w, a.r)
}

// server returns an API that hands what is published to nobody, and counts for whom there is a meter.
func server(meter *usage.Meter) *httpapi.Server {
	return httpapi.NewServer(httpapi.Config{
		Apps:      newApps(),
		Publisher: publish.New(publish.Config{Bus: forget{}, Usage: meter}),
		Usage:     meter,
		Logger:    slog.New(slog.DiscardHandler),
	})
}

// bare is what any server has to do: it reads the same body and answers the same.
var bare = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
})

func eventBody(channels int) string {
	return `{"name":"my-event","channels":` + manyChannels(channels) + `,"data":"` + strings.Repeat("x", 128) + `"}`
}

func batchBody(events int) string {
	event := `{"name":"my-event","channel":"my-channel","data":"` + strings.Repeat("x", 128) + `"}`
	return `{"batch":[` + strings.Repeat(event+",", events-1) + event + `]}`
}

// TestAllocationsOfAPublish counts them over the whole handler, from the request that net/http hands over to
// the answer. The bounds leave room for the race detector, under which pools drop a part of what they are given.
func TestAllocationsOfAPublish(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		most             float64
	}{
		{"an event", "/apps/3/events", eventBody(1), 15},
		{"an event for ten channels", "/apps/3/events", eventBody(10), 15 + 10*2},
		{"a batch of ten", "/apps/3/batch_events", batchBody(10), 15 + 10*4},
	} {
		a := newAgain(server(usage.NewMeter(usage.Config{})), c.path, c.body)
		got := testing.AllocsPerRun(200, a.send)
		if t.Logf("%s: %.0f allocations", c.name, got); got > c.most || a.w.status != 200 {
			t.Errorf("%s: %.1f allocations, want at most %.0f; status %d", c.name, got, c.most, a.w.status)
		}
	}
}

// BenchmarkHandler is the handler alone, without net/http: as it runs, and where nobody counts what apps use.
func BenchmarkHandler(b *testing.B) {
	for _, c := range []struct{ name, path, body string }{
		{"events", "/apps/3/events", eventBody(1)},
		{"events-10KB", "/apps/3/events", strings.Replace(eventBody(1), "xx", strings.Repeat("x", 10_000), 1)},
		{"events-100-channels", "/apps/3/events", eventBody(100)},
		{"batch-10", "/apps/3/batch_events", batchBody(10)},
	} {
		for suffix, meter := range map[string]*usage.Meter{"": usage.NewMeter(usage.Config{}), "-uncounted": nil} {
			b.Run(c.name+suffix, func(b *testing.B) {
				a := newAgain(server(meter), c.path, c.body)
				b.ReportAllocs()
				for b.Loop() {
					a.send()
				}
				if a.w.status != 200 {
					b.Fatalf("status %d", a.w.status)
				}
			})
		}
	}
}

// BenchmarkQueries asks an app with many channels, on an edge where another app has as many.
func BenchmarkQueries(b *testing.B) {
	const many = 100_000
	bus := channels.NewMemoryBus(channels.MemoryConfig{})
	for _, app := range []string{"3", "4"} {
		for i := range many {
			arrival := channels.Arrival{Topic: channels.Topic{App: app, Channel: fmt.Sprint("channel-", i)}, Socket: "1.2"}
			if _, err := bus.Join(b.Context(), arrival); err != nil {
				b.Fatal(err)
			}
		}
	}
	api := httpapi.NewServer(httpapi.Config{Apps: newApps(), Presence: bus, Logger: slog.New(slog.DiscardHandler)})
	for _, c := range []struct{ name, path string }{
		{"channel", "/apps/3/channels/channel-1"},
		{"channels-100000", "/apps/3/channels"},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := newAgain(api, c.path, "")
			b.ReportAllocs()
			for b.Loop() {
				a.send()
			}
			if a.w.status != 200 {
				b.Fatalf("status %d", a.w.status)
			}
		})
	}
}
