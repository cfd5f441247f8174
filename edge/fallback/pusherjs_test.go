package fallback_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// official is the official library in a process of its own.
type official struct {
	t     testing.TB
	stdin io.WriteCloser
	told  chan string
}

// official starts pusher-js over one transport.
func (e *edge) official(key, transport, options string) *official {
	e.t.Helper()
	library, err := filepath.Abs("../../dashboard/node_modules/pusher-js/dist/node/pusher.js")
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := os.Stat(library); err != nil {
		e.t.Fatal("pusher-js is not installed; `make test` and `scripts/npm.sh dashboard` install it")
	}
	u, err := url.Parse(e.url)
	if err != nil {
		e.t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/client.cjs", library, u.Port(), key, transport, options)
	cmd.Stderr = e.t.Output()
	o := &official{t: e.t, told: make(chan string, 10_000)}
	o.stdin, err = cmd.StdinPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			o.told <- lines.Text()
		}
	}()
	e.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	return o
}

// next returns what the library tells next, or "" when it tells nothing for so long.
func (o *official) next(patience time.Duration) string {
	select {
	case line := <-o.told:
		return line
	case <-time.After(patience):
		return ""
	}
}

func (o *official) want(lines ...string) {
	o.t.Helper()
	for _, want := range lines {
		if got := o.next(20 * time.Second); got != want {
			o.t.Fatalf("pusher-js tells %q, want %q", got, want)
		}
	}
}

// event is the frame of an event with a number and a text.
func event(n int, text string) string {
	data, _ := json.Marshal(map[string]any{"n": n, "text": text})
	frame, _ := json.Marshal(map[string]string{"event": "e", "channel": "there", "data": string(data)})
	return string(frame)
}

var transports = []string{"xhr_streaming", "xhr_polling"}

func TestOfficialClient(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, nil)
			o := e.official("key", transport, "{}")
			o.want(`["state","connected"]`, `["subscribed"]`)
			for i := range 200 {
				e.deliver(event(i, "Grüße 😀 \"<&> \u2028"))
				if i%10 == 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
			for i := range 200 {
				o.want(fmt.Sprintf(`["event",%d,15]`, i))
			}
			_, _ = io.WriteString(o.stdin, "disconnect\n")
			o.want(`["state","disconnected"]`)
			eventually(t, "the conversation is over", func() bool { return e.metric("peal_fallback_sessions") == 0 })
			e.wantMetric("peal_fallback_sessions_accepted_total", 1)
		})
	}
}

// TestOfficialClientReadsMuch sends several times what the library reads from one stream.
func TestOfficialClientReadsMuch(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, nil)
			o := e.official("key", transport, "{}")
			o.want(`["state","connected"]`, `["subscribed"]`)
			const events = 600
			for i := range events {
				e.deliver(event(i, strings.Repeat("ä😀xy", 1000))) // 5,000 units
				time.Sleep(time.Millisecond)
			}
			for i := range events {
				o.want(fmt.Sprintf(`["event",%d,5000]`, i))
			}
			e.wantMetric("peal_fallback_sessions_accepted_total", 1)
			if n := e.metric("peal_fallback_handovers_total"); (n >= 10) != (transport == "xhr_streaming") {
				t.Errorf("%v times another stream", n)
			}
		})
	}
}

// TestOfficialClientStaysConnected has the library ask again and again whether anybody is there, and the server ask it.
func TestOfficialClientStaysConnected(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, nil)
			app := newApp("1", true)
			app.Limits.ActivityTimeout = time.Second
			e.apps.set("key", app)
			o := e.official("key", transport, `{"pongTimeout":1000}`)
			o.want(`["state","connected"]`, `["subscribed"]`)
			if got := o.next(5 * time.Second); got != "" {
				t.Errorf("pusher-js tells %q", got)
			}
			e.deliver(event(1, ""))
			o.want(`["event",1,0]`)
			e.wantMetric("peal_fallback_sessions_accepted_total", 1)
		})
	}
}

// TestOfficialClientStops has the library see why it may not come in, and not try again.
func TestOfficialClientStops(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, nil)
			o := e.official("nobody", transport, "{}")
			var told []string
			for line := o.next(20 * time.Second); line != ""; line = o.next(3 * time.Second) {
				told = append(told, line)
			}
			if want := []string{`["error",4001]`, `["state","disconnected"]`}; !slices.Equal(told, want) {
				t.Errorf("pusher-js tells %q, want %q", told, want)
			}
			e.wantMetric("peal_fallback_sessions_closed_total", 1)
		})
	}
}

// TestOfficialClientReconnects has the server stop: the library looks for another one.
func TestOfficialClientReconnects(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			e := onLoopback(t, nil)
			o := e.official("key", transport, "{}")
			o.want(`["state","connected"]`, `["subscribed"]`)
			e.shutdown()
			told := []string{o.next(20 * time.Second)}
			for strings.Contains(told[len(told)-1], "error") {
				told = append(told, o.next(20*time.Second))
			}
			if !slices.Contains(told, `["error",4200]`) || told[len(told)-1] != `["state","connecting"]` {
				t.Errorf("pusher-js tells %q", told)
			}
		})
	}
}
