//go:build conformance

package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// session is a client of the HTTP fallbacks: one conversation over many requests, each of them in the hands of the test.
type session struct {
	t    *testing.T
	app  app
	path string // up to the session's name
	n    atomic.Int64

	// incoming are the lines of the answers that came, but for the prelude.
	body     io.Closer
	incoming *bufio.Reader
	read     int // bytes of the answer that is being read
}

func newSession(t *testing.T, a app, name string) *session {
	t.Helper()
	return &session{t: t, app: a, path: "/pusher/app/" + a.key + "/982/" + name}
}

// sessionName is 8 characters as pusher-js makes them.
func sessionName() string { return fmt.Sprintf("c%07d", (startedAt+counter.Add(1))%1e7) }

// post sends what pusher-js would.
func (s *session) post(ctx context.Context, kind, body string) *http.Response {
	s.t.Helper()
	query := fmt.Sprintf("?t=%d&n=%d", time.Now().UnixMilli(), s.n.Add(1))
	if kind != "xhr_send" {
		query = "?" + strings.TrimSuffix(js.query, "&flash=false") + "&" + query[1:]
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+server.addr+s.path+"/"+kind+query, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "https://page.example")
	resp, err := streamClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s: %v", kind, err)
	}
	return resp
}

// streamClient has no limit on time: a stream stays open.
var streamClient = &http.Client{Transport: &http.Transport{}}

// receive opens a stream or a poll.
func (s *session) receive(kind string) {
	s.t.Helper()
	if s.body != nil {
		s.body.Close()
	}
	resp := s.post(s.t.Context(), kind, "")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Origin") == "" {
		s.t.Fatalf("%s answered %s with %v", kind, resp.Status, resp.Header)
	}
	s.body, s.incoming, s.read = resp.Body, bufio.NewReader(resp.Body), 0
	s.t.Cleanup(func() { resp.Body.Close() })
}

// line returns the next line of the answer, without its end; "" at the end of the answer.
func (s *session) line() string {
	s.t.Helper()
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := s.incoming.ReadString('\n')
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return ""
		}
		if s.read += len(r.text); strings.HasPrefix(r.text, "hhh") {
			return s.line() // the prelude of a stream
		}
		return strings.TrimSuffix(r.text, "\n")
	case <-time.After(patience):
		s.t.Fatal("no line came")
		return ""
	}
}

// wantLine fails unless the next line is this one.
func (s *session) wantLine(want string) {
	s.t.Helper()
	if got := s.line(); got != want {
		s.t.Fatalf("received %.200q, want %q", got, want)
	}
}

// frames returns the frames of the next line.
func (s *session) frames() []frame {
	s.t.Helper()
	line := s.line()
	var texts []string
	if !strings.HasPrefix(line, "a") || json.Unmarshal([]byte(line[1:]), &texts) != nil {
		s.t.Fatalf("received %.200q, want a line of frames", line)
	}
	var frames []frame
	for _, text := range texts {
		f, err := js.parse([]byte(text))
		if err != nil {
			s.t.Fatalf("pusher-js cannot read %s: %v", text, err)
		}
		frames = append(frames, f)
	}
	return frames
}

// send hands frames over, or a heartbeat when there are none, and wants the answer that pusher-js ignores.
func (s *session) send(frames ...string) {
	s.t.Helper()
	quoted := make([]string, len(frames))
	for i, f := range frames {
		quoted[i] = quote(f)
	}
	resp := s.post(s.t.Context(), "xhr_send", "["+strings.Join(quoted, ",")+"]")
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusOK || len(text) > 0 {
		s.t.Errorf("xhr_send answered %s %q", resp.Status, text)
	}
}

func (s *session) subscribe(channel string) {
	s.t.Helper()
	s.send(`{"event":"pusher:subscribe","data":{"auth":"","channel":` + quote(channel) + `}}`)
}

// streaming opens a session over a stream and reads the greeting.
func streaming(t *testing.T, a app) *session {
	t.Helper()
	s := newSession(t, a, sessionName())
	s.receive("xhr_streaming")
	s.wantLine("o")
	if f := s.frames(); len(f) != 1 || f[0].event != evEstablished {
		t.Fatalf("greeted with %v", f)
	}
	return s
}

func TestTrap65_TheFallbacksHaveTheirRoutes(t *testing.T) {
	t.Parallel()
	a := plain(t)
	t.Run("preflight", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []string{"xhr", "xhr_send", "xhr_streaming"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+server.addr+"/pusher/app/"+a.key+"/7/abcdefgh/"+kind+"?t=1&n=1", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{
				"Origin": {"https://page.example"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"},
			}
			r := send(t, req)
			if r.status/100 != 2 || r.header.Get("Access-Control-Allow-Origin") == "" ||
				!strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "POST") ||
				!strings.Contains(strings.ToLower(r.header.Get("Access-Control-Allow-Headers")), "content-type") {
				t.Errorf("%s: %d %v", kind, r.status, r.header)
			}
		}
	})
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		s, channel := streaming(t, a), unique("")
		s.subscribe(channel)
		if f := s.frames(); f[0].event != evSucceeded || f[0].channel != channel {
			t.Errorf("received %+v", f)
		}
		// Each line is there at once, though the answer goes on.
		for _, data := range []string{"1", "2"} {
			a.trigger(t, channel, "e", data)
			if f := s.frames(); f[0].data != data {
				t.Errorf("received %+v", f)
			}
		}
	})
	t.Run("poll", func(t *testing.T) {
		t.Parallel()
		s, channel := newSession(t, a, sessionName()), unique("")
		s.receive("xhr")
		s.wantLine("o")
		s.wantLine("") // each answer ends with its batch
		s.receive("xhr")
		if f := s.frames(); f[0].event != evEstablished {
			t.Fatalf("greeted with %+v", f)
		}
		s.subscribe(channel)
		s.receive("xhr")
		if f := s.frames(); f[0].event != evSucceeded {
			t.Errorf("received %+v", f)
		}
		a.trigger(t, channel, "e", "between two polls")
		s.receive("xhr")
		if f := s.frames(); f[0].data != "between two polls" {
			t.Errorf("received %+v", f)
		}
	})
	t.Run("strangers", func(t *testing.T) {
		t.Parallel()
		s := newSession(t, a, sessionName())
		resp := s.post(t.Context(), "xhr_send", `["x"]`)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("an unknown session: %s %v", resp.Status, resp.Header)
		}
		// The same name under another app's key is another session.
		mine := streaming(t, a)
		theirs := newSession(t, prepared(t, "other"), mine.path[strings.LastIndexByte(mine.path, '/')+1:])
		resp = theirs.post(t.Context(), "xhr_send", `["x"]`)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("another app's session: %s", resp.Status)
		}
		for _, body := range []string{"", "{", "{}", "[7]", `"x"`} {
			resp := mine.post(t.Context(), "xhr_send", body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("a body of %q: %s", body, resp.Status)
			}
		}
		mine.send("{") // A broken frame is a matter of the conversation.
		if f := mine.frames(); f[0].event != evError {
			t.Errorf("received %+v", f)
		}
		for _, kind := range []string{"xhr", "xhr_send", "xhr_streaming"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.addr+mine.path+"/"+kind, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := send(t, req); r.status/100 != 4 {
				t.Errorf("GET %s: %d", kind, r.status)
			}
		}
	})
}

func TestTrap66_ASessionOpensOnce(t *testing.T) {
	t.Parallel()
	t.Run("the stream is opened anew", func(t *testing.T) {
		t.Parallel()
		s, channel := streaming(t, plain(t)), unique("")
		s.subscribe(channel)
		s.frames()
		data := strings.Repeat("x", 9000)
		const events = 90 // three streams' worth
		var publishing sync.WaitGroup
		defer publishing.Wait()
		publishing.Go(func() {
			for i := range events {
				s.app.trigger(t, channel, fmt.Sprintf("e%d", i), data)
			}
		})
		opened := 1
		for i := 0; i < events; {
			for _, f := range s.frames() {
				if want := fmt.Sprintf("e%d", i); f.event != want || f.data != data {
					t.Fatalf("received %.80s, want %s", f.raw, want)
				}
				i++
			}
			if s.read > 256<<10 { // as pusher-js does, as soon as it has read that much
				s.receive("xhr_streaming")
				opened++
			}
		}
		if opened < 3 {
			t.Errorf("the stream was opened %d times", opened)
		}
		s.subscribe(channel)
		if f := s.frames(); f[0].event != evError || !strings.Contains(f[0].message, "Existing subscription") {
			t.Errorf("the session forgot what it was on: %+v", f)
		}
	})
	for name, c := range map[string]struct {
		app  func(t *testing.T) app
		code int
	}{
		"an unknown key": {func(*testing.T) app { return app{key: "no-such-key"} }, 4001},
		"a disabled app": {func(t *testing.T) app { return prepared(t, "disabled") }, 4003},
		"an origin":      {func(t *testing.T) app { return prepared(t, "origins") }, 4009},
	} {
		t.Run(name+" is told after o", func(t *testing.T) {
			t.Parallel()
			stream := newSession(t, c.app(t), sessionName())
			stream.receive("xhr_streaming")
			stream.wantLine("o")
			stream.wantRefusal(c.code)
			poll := newSession(t, c.app(t), sessionName())
			poll.receive("xhr")
			poll.wantLine("o")
			poll.wantLine("")
			poll.receive("xhr")
			poll.wantRefusal(c.code)
		})
	}
}

// wantRefusal reads up to the close line, which must have this code. An error frame may come before it.
func (s *session) wantRefusal(code int) {
	s.t.Helper()
	line := s.line()
	for strings.HasPrefix(line, "a") {
		line = s.line()
	}
	if !strings.HasPrefix(line, fmt.Sprintf("c[%d,", code)) {
		s.t.Errorf("received %q, want the end with %d", line, code)
	}
}

func TestTrap67_AHeartbeatIsAnsweredAndDoesNotLoop(t *testing.T) {
	t.Parallel()
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		s := streaming(t, plain(t))
		for range 3 {
			s.send()
			s.wantLine("a[]")
		}
	})
	t.Run("poll", func(t *testing.T) {
		t.Parallel()
		s := newSession(t, plain(t), sessionName())
		s.receive("xhr")
		s.wantLine("o")
		s.receive("xhr")
		s.frames()
		s.send()
		s.receive("xhr")
		s.wantLine("a[]")
	})
	t.Run("a silent stream hears h", func(t *testing.T) {
		t.Parallel()
		s := streaming(t, prepared(t, "brief"))
		began := time.Now()
		for range 3 {
			s.wantLine("h")
			s.send() // as pusher-js answers it
			s.wantLine("a[]")
		}
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("three heartbeats within %v", took)
		}
	})
}
