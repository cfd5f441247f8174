package fallback_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pealhq/peal/edge/fallback"
	"github.com/pealhq/peal/tenants"
)

// TestRefusals looks at why somebody may not come in, by both ways to receive. The end follows the opening; before it
// pusher-js would not hear it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	e.apps.set("tls", func() *tenants.App {
		app := newApp("5", true)
		app.Features.TLSOnly = true
		return app
	}())
	for name, c := range map[string]struct{ key, query, origin, want string }{
		"unknown app":  {"nobody", query, "", `c[4001,"App key nobody not in this cluster. Did you forget to specify the cluster?"]`},
		"escaped key":  {"a%2Fb", query, "", `c[4001,"App key a/b not in this cluster. Did you forget to specify the cluster?"]`},
		"disabled app": {"disabled", query, "", `c[4003,"Application disabled"]`},
		"not over TLS": {"tls", query, "", `c[4000,`},
		"old protocol": {"key", "?protocol=3", "", `c[4007,`},
		"no protocol":  {"key", "?protocol=", "", `c[4008,`},
		"other origin": {"other", query, "https://evil.example", `c[4009,"Connections from the origin https://evil.example are not allowed by this app"]`},
		"null origin":  {"other", query, "null", `c[4009,`},
	} {
		at := "/pusher/app/" + c.key + "/1/session1"
		streamed := e.do("POST", at+"/xhr_streaming"+c.query, "", "Origin", c.origin)
		if got, ok := strings.CutPrefix(streamed.body, strings.Repeat("h", 2048)+"\no\n"); !ok || !strings.HasPrefix(got, c.want) || streamed.status != 200 {
			t.Errorf("%s, streaming: %d %q", name, streamed.status, got)
		}
		opened := e.do("POST", at+"/xhr"+c.query, "", "Origin", c.origin)
		refused := e.do("POST", at+"/xhr"+c.query, "", "Origin", c.origin)
		if opened.body != "o\n" || !strings.HasPrefix(refused.body, c.want) || !strings.HasSuffix(refused.body, "]\n") || refused.status != 200 {
			t.Errorf("%s, polling: %q %q", name, opened.body, refused.body)
		}
		for _, r := range []reply{streamed, opened, refused} {
			if got := r.header.Get("Access-Control-Allow-Origin"); got != "*" && got != c.origin {
				t.Errorf("%s: a page cannot read the refusal, which is for %q", name, got)
			}
		}
	}
}

// TestSendToNobody sends where there is only a refusal to fetch.
func TestSendToNobody(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	e.do("POST", "/app/nobody/1/a/xhr"+query, "")
	if r := e.do("POST", "/app/nobody/1/a/xhr_send", "[]"); r.status != 404 || r.body != "Unknown session." {
		t.Errorf("got %+v", r)
	}
}

func TestConnectionQuota(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	app := newApp("1", true)
	app.Limits.Connections = 1
	e.apps.set("key", app)
	e.join(at)
	s := e.stream("/app/key/1/second")
	s.want("o\n")
	if line := s.line(); !strings.HasPrefix(line, "c[4004,") {
		t.Errorf("got %q", line)
	}
	s.wantEOF()
	const poller = "/app/key/1/third"
	if first, second := e.poll(poller), e.poll(poller); first != "o\n" || !strings.HasPrefix(second, "c[4004,") {
		t.Errorf("got %q, %q", first, second)
	}
}

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.MaxSessions = 2 })
	e.join("/app/key/1/a")
	e.join("/app/key/1/b").drop()
	full := e.do("POST", "/app/key/1/c/xhr_streaming"+query, "").body
	if !strings.HasSuffix(full, "h\no\nc[4100,\"Over capacity, try again in a moment\"]\n") {
		t.Errorf("got %q", full[max(0, len(full)-100):])
	}
	if got := e.poll("/app/key/1/d"); got != "o\nc[4100,\"Over capacity, try again in a moment\"]\n" {
		t.Errorf("got %q", got)
	}
}

func TestShortMemory(t *testing.T) {
	t.Parallel()
	var used atomic.Int64
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.Memory = func() float64 { return float64(used.Load()) / 100 } })
	e.join(at)
	used.Store(90)
	e.say(at, `{"event":"pusher:ping"}`)
	if got := e.do("POST", "/app/key/1/late/xhr_streaming"+query, "").body; !strings.Contains(got, "o\nc[4100,") {
		t.Errorf("got %q", got)
	}
}

// TestMaxRefused shows that refusals take a bounded memory.
func TestMaxRefused(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.MaxRefused, cfg.CloseTimeout = 2, 2*time.Second })
	for i := range 4 {
		want := "o\n"
		if i >= 2 {
			want = "o\nc[4003,\"Application disabled\"]\n"
		}
		if got := e.poll(fmt.Sprintf("/app/disabled/1/s%d", i)); got != want {
			t.Errorf("%d: got %q, want %q", i, got, want)
		}
	}
	e.wantMetric("peal_fallback_sessions_closed_total", 4)
	if got := e.poll("/app/disabled/1/s0"); got != "c[4003,\"Application disabled\"]\n" {
		t.Errorf("got %q", got)
	}
	eventually(t, "there is room again", func() bool { return e.poll("/app/disabled/1/s9") == "o\n" })
}

func TestCORS(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	e.join("/app/key/1/open")
	fenced := e.stream("/app/other/1/fenced", "Origin", site)
	for name, c := range map[string]struct {
		method, path, body, origin string
		status                     int
		allow                      string
	}{
		"preflight":              {"OPTIONS", at + "/xhr_send", "", site, 204, "*"},
		"preflight of a stream":  {"OPTIONS", at + "/xhr_streaming", "", site, 204, "*"},
		"preflight of evil":      {"OPTIONS", "/app/other/1/fenced/xhr_send", "", "https://evil.example", 204, "*"},
		"send":                   {"POST", "/app/key/1/open/xhr_send", "[]", "https://any.example", 204, "*"},
		"send by a list":         {"POST", "/app/other/1/fenced/xhr_send", "[]", site, 204, site},
		"send nonsense":          {"POST", "/app/other/1/fenced/xhr_send", "x", site, 400, site},
		"send from elsewhere":    {"POST", "/app/other/1/fenced/xhr_send", "[]", "https://evil.example", 404, "*"},
		"send to nobody":         {"POST", "/app/key/1/nobody/xhr_send", "[]", site, 404, "*"},
		"no such path":           {"POST", "/app/key/1000/x/xhr_send", "[]", site, 404, "*"},
		"no such method":         {"GET", "/app/key/1/open/xhr", "", site, 405, "*"},
		"another such method":    {"PUT", "/app/key/1/open/xhr_send", "[]", site, 405, "*"},
		"no program of a page":   {"POST", "/app/other/1/fenced/xhr_send", "[]", "", 204, ""},
		"receive from elsewhere": {"POST", "/app/other/1/fenced/xhr", "", "https://evil.example", 200, "https://evil.example"},
	} {
		r := e.do(c.method, c.path, c.body, "Origin", c.origin)
		allow, vary := r.header.Get("Access-Control-Allow-Origin"), r.header.Get("Vary")
		if r.status != c.status || allow != c.allow || (allow != "*") != (vary == "Origin") {
			t.Errorf("%s: %d for %q, vary %q, want %d for %q", name, r.status, allow, vary, c.status, c.allow)
		}
		if c.method == "OPTIONS" && (r.header.Get("Access-Control-Allow-Methods") != "OPTIONS, POST" ||
			r.header.Get("Access-Control-Allow-Headers") != "content-type" || r.header.Get("Access-Control-Max-Age") == "") {
			t.Errorf("%s: %v", name, r.header)
		}
		if r.status == 405 && r.header.Get("Allow") != "OPTIONS, POST" {
			t.Errorf("%s: %v", name, r.header)
		}
	}
	// The page that came from elsewhere was told so, and the conversation is as it was.
	if got := e.do("POST", "/app/other/1/fenced/xhr"+query, "", "Origin", "https://evil.example").body; !strings.HasPrefix(got, "o\nc[4009,") {
		t.Errorf("got %q", got)
	}
	fenced.want("o\n")
	fenced.hello()
	fenced.want("a[]\n")
	if got := fenced.header.Get("Access-Control-Allow-Origin"); got != site {
		t.Errorf("the stream is for %q", got)
	}
}
