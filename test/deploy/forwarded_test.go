package deploy

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestHAProxyTellsOfClients: what the edge is told of a client, once, by HAProxy and by nobody before it.
func TestHAProxyTellsOfClients(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 1)
	edge := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			seen <- r.Header
		}
	}))
	defer edge.Close()
	addr := edge.Listener.Addr().String()
	_, ops, _ := net.SplitHostPort(addr)
	client, dashboard := free(t), free(t)
	cmd := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", config)
	cmd.Env = []string{
		"PEAL_BIND=127.0.0.1", "PEAL_PORT=" + client, "PEAL_CONTROL=" + dashboard, "PEAL_OPS_1=" + ops, "PEAL_OPS_2=" + ops,
		"PEAL_EDGE_1=" + addr, "PEAL_EDGE_2=" + addr, "PEAL_CONTROL_1=" + addr, "PEAL_CONTROL_2=" + addr,
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: scripts/need.sh haproxy=haproxy installs it", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // It is killed.
	}()
	defer func() {
		_ = cmd.Process.Kill() // It may have ended already.
		<-ended
	}()
	for name, url := range map[string]string{
		"publish": "http://127.0.0.1:" + client + "/apps/7/events", "dashboard": "http://127.0.0.1:" + dashboard + "/",
		"fallback": "http://127.0.0.1:" + client + "/pusher/app/abc/982/session1/xhr",
	} {
		resp := told(t, url, ended, &log)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", name, resp.Status)
		}
		got := <-seen
		if addr := strings.Join(got.Values("X-Forwarded-For"), "|"); addr != "127.0.0.1" {
			t.Errorf("%s: X-Forwarded-For is %q", name, addr)
		}
		if proto := strings.Join(got.Values("X-Forwarded-Proto"), "|"); proto != "http" {
			t.Errorf("%s: X-Forwarded-Proto is %q", name, proto)
		}
	}
}

// told asks with lies in the head, until somebody answers.
func told(t *testing.T, url string, ended <-chan struct{}, log *bytes.Buffer) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header["X-Forwarded-For"] = []string{"203.0.113.9, 198.51.100.1", "192.0.2.1"}
		req.Header["X-Forwarded-Proto"] = []string{"https", "https"}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			return resp
		}
		select {
		case <-ended:
			t.Fatalf("haproxy has ended:\n%s", log)
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// free returns a port that was free a moment ago.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
