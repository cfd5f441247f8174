package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestHalfHeaders has five hundred clients send half a request each and then nothing. Others are answered all the same,
// and the half ones are cut off.
func TestHalfHeaders(t *testing.T) {
	t.Parallel()
	d, err := openDoor(t.Context(), "edge", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- d.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "served")
		}), slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		_ = d.server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	var half []net.Conn
	for range 500 {
		conn, err := net.Dial("tcp", d.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET /app/key HTTP/1.1\r\nHost: edge.test\r\nX-"); err != nil {
			t.Fatal(err)
		}
		half = append(half, conn)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 5 {
		resp, err := client.Get(d.url().String())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || string(text) != "served" {
			t.Errorf("got %q, %v", text, err)
		}
		_ = resp.Body.Close()
	}
	for i, conn := range half {
		_ = conn.SetReadDeadline(time.Now().Add(4 * readHeaderTimeout))
		if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
			t.Fatalf("half a request, number %d, is still waited for: %v", i, err)
		}
	}
}

// TestLongHeaders sends more headers than a door takes.
func TestLongHeaders(t *testing.T) {
	t.Parallel()
	d, err := openDoor(t.Context(), "edge", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.serve(http.NotFoundHandler(), slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		_ = d.server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url().String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 2*maxHeaderBytes))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}
