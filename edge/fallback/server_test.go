package fallback_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/edge/fallback"
)

const at = "/pusher/app/key/982/7f56mhf8"

func TestStreaming(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at, "there")
	for name, want := range map[string]string{
		"Content-Type":                "application/javascript; charset=UTF-8",
		"Cache-Control":               "no-store",
		"X-Accel-Buffering":           "no",
		"X-Content-Type-Options":      "nosniff",
		"Access-Control-Allow-Origin": "*",
		"Set-Cookie":                  "",
	} {
		if got := s.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	e.deliver(`{"event":"e","data":"\"1\" <&>"}`)
	s.want(`a["{\"event\":\"e\",\"data\":\"\\\"1\\\" <&>\"}"]` + "\n")
	e.deliver("Grüße \u2028 😀 \x01 \xff")
	s.want("a[\"Grüße \u2028 😀 \\u0001 \ufffd\"]\n")
	e.say(at, `{"event":"pusher:ping"}`)
	s.want(messages(`{"event":"pusher:pong","data":"{}"}`))
	e.say(at, `no JSON`)
	if got := s.line(); !strings.HasPrefix(got, `a["{\"event\":\"pusher:error\",\"data\":{\"code\":null,\"message\":\"Invalid message: `) {
		t.Errorf("got %q", got)
	}
	e.wantMetric("peal_fallback_messages_received_total", 3)
	e.wantMetric("peal_fallback_sessions", 1)
}

func TestPolling(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	r := e.do("POST", at+"/xhr"+query, "")
	if r.body != "o\n" || r.header.Get("Content-Type") != "application/javascript; charset=UTF-8" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("first answer: %q %v", r.body, r.header)
	}
	if got, want := withoutIDs(e.poll(at)), messages(`{"event":"pusher:connection_established","data":"{\"socket_id\":\"ID\",\"activity_timeout\":120}"}`); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.say(at, subscribe("there"))
	if got, want := e.poll(at), succeeded("there"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.deliver("1")
	e.deliver("2")
	e.deliver("3")
	if got, want := e.poll(at), messages("1", "2", "3"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	time.AfterFunc(50*time.Millisecond, func() { e.deliver("4") })
	if got, want := e.poll(at), messages("4"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryBase walks the paths that may stand before /app/.
func TestEveryBase(t *testing.T) {
	t.Parallel()
	for prefix, paths := range map[string]map[string]int{
		"":     {"/app/key/0/a": 200, "/pusher/app/key/0/b": 200, "/rt/app/key/0/c": 404},
		"/rt":  {"/rt/app/key/0/a": 200, "/rt/pusher/app/key/0/b": 200, "/pusher/app/key/0/c": 200, "/app/key/0/d": 404},
		"/a/b": {"/a/b/app/key/0/a": 200, "/a/app/key/0/b": 404},
		"/app": {"/app/app/key/0/a": 200},
	} {
		e := onLoopback(t, func(cfg *fallback.Config) { cfg.PathPrefix = prefix })
		for path, want := range paths {
			if got := e.do("POST", path+"/xhr"+query, ""); got.status != want {
				t.Errorf("prefix %q, path %q: %d %q, want %d", prefix, path, got.status, got.body, want)
			}
			if got := e.server.Serves(path + "/xhr"); got != (want == 200) {
				t.Errorf("prefix %q serves %q: %v", prefix, path, got)
			}
		}
	}
}

func TestHostnameAndCookie(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.Hostname, cfg.Node = "edge-7.example", "b0a1" })
	const open = `o{"hostname":"edge-7.example"}` + "\n"
	s := e.stream(at)
	s.want(open)
	if got := s.header.Get("Set-Cookie"); got != "peal_edge=b0a1; Path=/; HttpOnly" {
		t.Errorf("cookie %q", got)
	}
	const other = "/pusher/app/key/1/poller"
	r := e.do("POST", other+"/xhr"+query, "", "X-Forwarded-Proto", "https")
	if got := r.header.Get("Set-Cookie"); r.body != open || got != "peal_edge=b0a1; Path=/; HttpOnly; Secure; SameSite=None" {
		t.Errorf("%q, cookie %q", r.body, got)
	}
	if r = e.do("POST", other+"/xhr"+query, ""); r.header.Get("Set-Cookie") != "" {
		t.Error("a second cookie")
	}
	if r = e.do("POST", "/pusher/app/nobody/1/stranger/xhr"+query, ""); r.body != open {
		t.Errorf("refused with %q", r.body)
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.PathPrefix = "/rt" })
	for _, path := range []string{"/timeline/v2/xhr/2?session=MQ%3D%3D", "/rt/timeline/v2/jsonp/1?session=MQ%3D%3D"} {
		r := e.do("GET", path, "")
		if r.status != 200 || r.body != "{}" || r.header.Get("Content-Type") != "application/json" || r.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	if !e.server.Serves("/timeline/v2/xhr/2") || e.server.Serves("/app/key") || e.server.Serves("/rt/app/key") || e.server.Serves("/rt/apps/1/events") || e.server.Serves("/") {
		t.Error("serves what is not its own, or not what is")
	}
}

// TestNewestReceiverWins also shows that a conversation may change its way to receive.
func TestNewestReceiverWins(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	old := e.join(at, "there")
	s := e.stream(at)
	old.wantEnd(`c[2010,"Another connection still open"]` + "\n")
	e.deliver("1")
	s.want(messages("1"))
	polled := make(chan string)
	go func() { polled <- e.poll(at) }()
	s.wantEnd(`c[2010,"Another connection still open"]` + "\n")
	again := e.stream(at)
	if got := <-polled; got != `c[2010,"Another connection still open"]`+"\n" {
		t.Errorf("the poll got %q", got)
	}
	e.deliver("2")
	again.want(messages("2"))
	e.wantMetric("peal_fallback_sessions", 1)
	e.wantMetric("peal_fallback_sessions_accepted_total", 1)
}

// TestAppsAreApart uses one session name with two keys.
func TestAppsAreApart(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	e.apps.set("third", newApp("4", true))
	const theirs = "/pusher/app/third/982/7f56mhf8"
	s := e.join(at, "there")
	other := e.join(theirs, "there")
	e.deliver("ours")
	s.want(messages("ours"))
	e.say(theirs, `{"event":"pusher:ping"}`)
	other.want(messages(`{"event":"pusher:pong","data":"{}"}`))
	// A key may be escaped, and is the same key.
	e.say("/pusher/app/k%65y/982/7f56mhf8", `{"event":"pusher:ping"}`)
	s.want(messages(`{"event":"pusher:pong","data":"{}"}`))
}

func TestPanicEndsOneConversation(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	bystander := e.join("/app/key/1/bystander", "there")
	s := e.join(at, "there")
	e.say(at, subscribe("bomb"))
	s.wantEnd(`c[1011,"Internal error"]` + "\n")
	e.wantMetric("peal_fallback_panics_total", 1)
	e.deliver("1")
	bystander.want(messages("1"))
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at, "there")
	e.apps.set("key", newApp("1", false))
	e.deliver("before")
	e.registry.Recheck(t.Context(), "1")
	s.want(messages("before"))
	s.wantEnd(`c[4003,"Application disabled"]` + "\n")
	if r := e.do("POST", at+"/xhr_send", "[]"); r.status != 404 {
		t.Errorf("afterwards: %+v", r)
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at, "there")
	const poller, away = "/app/key/1/poller", "/app/key/2/away"
	e.poll(poller)
	e.poll(poller)
	e.poll(away)
	polled := make(chan string)
	go func() { polled <- e.poll(poller) }()
	eventually(t, "the poll waits", func() bool { return e.metric("peal_fallback_sessions") == 3 })
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	e.shutdown()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	const bye = `c[4200,"Server is shutting down, please reconnect"]` + "\n"
	s.wantEnd(bye)
	if got := <-polled; got != bye {
		t.Errorf("the poll got %q", got)
	}
	if r := e.do("POST", "/app/key/3/late/xhr_streaming"+query, ""); r.status != 503 || r.header.Get("Retry-After") == "" || r.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a newcomer got %+v", r)
	}
}
