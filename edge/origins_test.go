package edge_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/tenants"
)

// TestOneListOfOriginsForEveryWayIn holds the same origins against the same lists by WebSocket and by the HTTP fallbacks: both let
// the same in, and a page that a fallback refuses may read that and nothing else.
func TestOneListOfOriginsForEveryWayIn(t *testing.T) {
	e := newEdge(t)
	list := tenants.Origins{"https://example.com", "https://*.example.org", "http://localhost:3000", "capacitor://localhost"}
	for i, c := range []struct {
		list   tenants.Origins
		origin string
		want   bool
	}{
		{nil, "https://anything.example", true},
		{nil, "null", true},
		{nil, "", true},
		{tenants.Origins{}, "https://anything.example", true},
		{list, "", true}, // no browser
		{list, "https://example.com", true},
		{list, "https://EXAMPLE.com", true},
		{list, "https://example.com:443", true},
		{list, "https://a.example.org", true},
		{list, "http://localhost:3000", true},
		{list, "capacitor://localhost", true},
		{list, "null", false},
		{list, "https://evil.example", false},
		{list, "https://evil-example.com", false},
		{list, "https://example.com.evil.example", false},
		{list, "https://exampleXcom", false},
		{list, "https://example.com@evil.example", false},
		{list, "https://evil.example#https://example.com", false},
		{list, "https://evil.example?https://example.com", false},
		{list, "https://evil.example/https://example.com", false},
		{list, "https://example.org", false},
		{list, "https://a.b.example.org", false},
		{list, "https://.example.org", false},
		{list, "https://*.example.org", false},
		{list, "https://evil-example.org", false},
		{list, "https://a.example.org.evil.example", false},
		{list, "https://a.example.org:8443", false},
		{list, "http://a.example.org", false},
		{list, "http://localhost:3001", false},
		{list, "https://localhost:3000", false},
		{list, "ionic://localhost", false},
		{list, "https://example.com https://evil.example", false},
	} {
		e.app.Origins = c.list
		if got := c.list.Allow(c.origin); got != c.want {
			t.Errorf("%q in %q is %v", c.origin, c.list, got)
		}
		if got := e.opensSocket(t, c.origin); strings.Contains(got, "connection_established") != c.want || !c.want && !strings.Contains(got, "4009") {
			t.Errorf("%q in %q by WebSocket: %s", c.origin, c.list, got)
		}
		body, header := e.opensFallback(t, c.origin, i)
		if !strings.HasPrefix(body, "o\n") || strings.Contains(body, "4009") == c.want || c.want && !strings.Contains(body, "connection_established") {
			t.Errorf("%q in %q by the fallbacks: %s", c.origin, c.list, body)
		}
		wantHeader := c.origin
		if len(c.list) == 0 {
			wantHeader = "*"
		}
		if got := header.Get("Access-Control-Allow-Origin"); got != wantHeader {
			t.Errorf("%q in %q may be read by %q", c.origin, c.list, got)
		}
		if header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q in %q comes with credentials", c.origin, c.list)
		}
	}
}

// opensSocket returns the first frame of a WebSocket that a page of this origin opens.
func (e *edge) opensSocket(t *testing.T, origin string) string {
	t.Helper()
	url := "ws" + strings.TrimPrefix(e.http.URL, "http") + "/app/" + e.app.Keys[0].Public + "?protocol=7&client=js"
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: e.http.Client(), HTTPHeader: originHeader(origin)})
	if err != nil {
		t.Fatalf("%q: %v", origin, err)
	}
	defer conn.CloseNow()
	_, text, err := conn.Read(t.Context())
	if err != nil {
		t.Fatalf("%q: %v", origin, err)
	}
	return string(text)
}

// opensFallback returns what a page of this origin gets that opens a conversation by xhr_streaming, up to its first frame.
func (e *edge) opensFallback(t *testing.T, origin string, n int) (string, http.Header) {
	t.Helper()
	url := fmt.Sprintf("%s/pusher/app/%s/%d/origins/xhr_streaming?protocol=7&client=js", e.http.URL, e.app.Keys[0].Public, n)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = originHeader(origin)
	resp, err := e.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	buffer := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buffer)
		text.Write(buffer[:n])
		got := strings.TrimLeft(text.String(), "h\n")
		if strings.Contains(got, "connection_established") || strings.Contains(got, "c[") || err == io.EOF {
			return got, resp.Header
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func originHeader(origin string) http.Header {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	return h
}
