package fallback_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pealhq/peal/edge/fallback"
)

func TestSendRefuses(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *fallback.Config) { cfg.MaxFrames = 3 })
	s := e.join(at)
	const broken = "Broken JSON encoding."
	for name, c := range map[string]struct {
		path, body string
		status     int
		text       string
	}{
		"unknown session": {"/pusher/app/key/982/7f56mhf9", "[]", 404, "Unknown session."},
		"other server":    {"/pusher/app/key/983/7f56mhf8", "[]", 404, "Unknown session."},
		"other key":       {"/pusher/app/other/982/7f56mhf8", "[]", 404, "Unknown session."},
		"empty":           {at, "", 400, "Payload expected."},
		"no JSON":         {at, "x", 400, broken},
		"half":            {at, `["x"`, 400, broken},
		"two":             {at, `["x"]["y"]`, 400, broken},
		"object":          {at, `{"0":"x"}`, 400, broken},
		"string":          {at, `"x"`, 400, broken},
		"null":            {at, `null`, 400, broken},
		"null inside":     {at, `[null]`, 400, broken},
		"number inside":   {at, `["x",1]`, 400, broken},
		"array inside":    {at, `[["x"]]`, 400, broken},
		"bad UTF-8":       {at, "[\"\xff\"]", 400, broken},
		"deep":            {at, strings.Repeat("[", 100_000), 400, broken},
		"too many":        {at, `["1","2","3","4"]`, 413, "Too many messages."},
		"too long":        {at, `["` + strings.Repeat("x", 200<<10) + `"]`, 413, "Payload too large."},
	} {
		r := e.do("POST", c.path+"/xhr_send", c.body)
		if r.status != c.status || r.body != c.text || r.header.Get("Content-Type") != "text/plain; charset=UTF-8" || r.header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: %+v, want %d %q", name, r, c.status, c.text)
		}
	}
	e.wantMetric("peal_fallback_messages_received_total", 0)
	e.wantMetric("peal_fallback_sends_refused_total", 17)
	e.say(at, `{"event":"pusher:ping"}`)
	s.want(messages(`{"event":"pusher:pong","data":"{}"}`))
}

func TestSendInOrder(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at)
	body := `[ "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"\u00e4\"}}" , "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"b\"}}","{\"event\":\"pusher:ping\"}"]`
	if r := e.do("POST", at+"/xhr_send", body); r.status != 204 {
		t.Fatalf("got %+v", r)
	}
	var got string
	for !strings.Contains(got, "pusher:pong") {
		got += s.line()
	}
	if a, b := strings.Index(got, "Invalid channel name"), strings.Index(got, `\"channel\":\"b\"`); a < 0 || b < a {
		t.Errorf("got %q", got)
	}
}

// TestSendsAtOnce sends from many sides; the session must see one frame at a time.
func TestSendsAtOnce(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at)
	const clients, each = 20, 10
	var sending sync.WaitGroup
	for range clients {
		sending.Go(func() {
			for range each {
				if r, err := e.try("POST", at+"/xhr_send", `["{\"event\":\"pusher:ping\"}"]`); err != nil || r.status != 204 {
					t.Errorf("send: %+v, %v", r, err)
				}
			}
		})
	}
	for pongs := 0; pongs < clients*each; {
		pongs += strings.Count(s.line(), "pusher:pong")
	}
	sending.Wait()
}

// TestHalfABody has a client that never ends what it sends. It must hold nobody up.
func TestHalfABody(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	s := e.join(at)
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[", at)
	time.Sleep(20 * time.Millisecond)
	e.say(at, `{"event":"pusher:ping"}`)
	s.want(messages(`{"event":"pusher:pong","data":"{}"}`))
}

// TestReceiveWithABody has a client that sends where pusher-js sends nothing.
func TestReceiveWithABody(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	if r := e.do("POST", at+"/xhr", "[]"); r.status != 200 || r.body != "o\n" {
		t.Errorf("got %+v", r)
	}
	if r := e.do("POST", at+"/xhr", strings.Repeat("x", 1<<20)); r.status != 400 {
		t.Errorf("got %+v", r)
	}
}

// TestWireIsExact reads one poll byte by byte, for what a client library hides.
func TestWireIsExact(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s/xhr%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", at, query)
	text, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200 OK\r\n") || !strings.Contains(string(text), "\r\nContent-Length: 2\r\n") ||
		!strings.HasSuffix(string(text), "\r\n\r\no\n") {
		t.Errorf("got %q, %v", text, err)
	}
}
