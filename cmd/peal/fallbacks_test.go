package main

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestFallbackShare(t *testing.T) {
	for descriptors, want := range map[int][2]int{0: {0, 0}, 2: {0, 1}, 768: {672, 48}, 1 << 20: {917504, 65536}} {
		if sockets, sessions := fallbackShare(descriptors); [2]int{sockets, sessions} != want {
			t.Errorf("of %d: %d sockets and %d sessions, want %v", descriptors, sockets, sessions, want)
		}
	}
}

func TestNodesHaveDifferentIDs(t *testing.T) {
	if a, b := newNodeID(), newNodeID(); a == b || len(a) != 8 {
		t.Errorf("%q, %q", a, b)
	}
}

// TestFallbacks receives over plain HTTP, by both ways, what the official library publishes, until the platform stops.
func TestFallbacks(t *testing.T) {
	t.Parallel()
	p := startDev(t, t.TempDir(), "--edge-path-prefix", "/rt", "--fallback-hostname", "localhost", "--fallback-cookie")
	post := func(path, body string) *http.Response {
		t.Helper()
		resp, err := http.Post(p.info.EdgeURL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	const question = "?protocol=7&client=js&version=8.6.0&t=1&n=1"
	subscribe := func(at string) {
		t.Helper()
		if resp := post(at+"/xhr_send?t=1&n=2", `["{\"event\":\"pusher:subscribe\",\"data\":{\"auth\":\"\",\"channel\":\"my-channel\"}}"]`); resp.StatusCode != 204 {
			t.Fatalf("subscribe: %s", resp.Status)
		}
	}
	wantLine := func(r *bufio.Reader, begins string) {
		t.Helper()
		if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, begins) {
			t.Fatalf("got %q, %v, want %s", line, err, begins)
		}
	}
	streamer, poller := "/rt/app/"+p.info.Key+"/1/streamer", "/pusher/app/"+p.info.Key+"/2/poller"
	const established, succeeded = `a["{\"event\":\"pusher:connection_established\"`, `a["{\"event\":\"pusher_internal:subscription_succeeded\"`

	resp := post(streamer+"/xhr_streaming"+question, "")
	if cookie := resp.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "peal_edge=") {
		t.Errorf("cookie %q", cookie)
	}
	stream := bufio.NewReader(resp.Body)
	wantLine(stream, "hhh")
	wantLine(stream, `o{"hostname":"localhost"}`)
	wantLine(stream, established)
	subscribe(streamer)
	wantLine(stream, succeeded)

	poll := func() *bufio.Reader { return bufio.NewReader(post(poller+"/xhr"+question, "").Body) }
	wantLine(poll(), `o{"hostname":"localhost"}`)
	wantLine(poll(), established)
	subscribe(poller)
	wantLine(poll(), succeeded)

	library := library(p.info)
	library.Host += "/rt"
	if err := library.Trigger("my-channel", "my-event", "hello"); err != nil {
		t.Fatal(err)
	}
	const event = `a["{\"event\":\"my-event\",\"channel\":\"my-channel\",\"data\":\"hello\"}"]`
	wantLine(stream, event)
	wantLine(poll(), event)

	if code := p.stop(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantLine(stream, "c[4200,")
	if more, err := io.ReadAll(stream); err != nil || len(more) > 0 {
		t.Errorf("got %q, %v, want the end", more, err)
	}
}
