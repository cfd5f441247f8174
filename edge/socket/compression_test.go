package socket_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/channels"
)

// TestCompression offers permessage-deflate to an app that wants it and to one that does not.
func TestCompression(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	compressed := newApp("4", true)
	compressed.Features.Compression = true
	e.apps.set("compressed", compressed)
	dial := func(key string, mode websocket.CompressionMode) (*websocket.Conn, *http.Response) {
		conn, resp, err := websocket.Dial(t.Context(), e.url+"/app/"+key, &websocket.DialOptions{CompressionMode: mode})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.CloseNow() })
		conn.SetReadLimit(1 << 20)
		return conn, resp
	}
	extensions := func(resp *http.Response) string { return resp.Header.Get("Sec-WebSocket-Extensions") }

	if _, resp := dial("key", websocket.CompressionContextTakeover); extensions(resp) != "" {
		t.Errorf("an app that does not want it is offered %q", extensions(resp))
	}
	if _, resp := dial("compressed", websocket.CompressionDisabled); extensions(resp) != "" {
		t.Errorf("who does not ask for it is given %q", extensions(resp))
	}
	conn, resp := dial("compressed", websocket.CompressionContextTakeover)
	if !strings.Contains(extensions(resp), "permessage-deflate") {
		t.Fatalf("who asks for it is given %q", extensions(resp))
	}
	read := func() string {
		t.Helper()
		_, text, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	read() // hello
	if err := conn.Write(t.Context(), websocket.MessageText, subscribeTo("a")); err != nil {
		t.Fatal(err)
	}
	read()
	large := strings.Repeat("payload ", 4096)
	e.hub.Deliver(channels.Message{Topic: channels.Topic{App: "4", Channel: "a"}, Frame: []byte(large)})
	if got := read(); got != large {
		t.Errorf("%d bytes came of %d", len(got), len(large))
	}

	// Twenty mebibytes of zeros are twenty kilobytes on the wire.
	if err := conn.Write(t.Context(), websocket.MessageText, make([]byte, 20<<20)); err != nil {
		t.Logf("write: %v", err) // The server may close before all of it is out.
	}
	_, _, err := conn.Read(t.Context())
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.StatusMessageTooBig {
		t.Errorf("the bomb was answered with %v", err)
	}
	e.join("other").ping()
}

func subscribeTo(channel string) []byte {
	return []byte(`{"event":"pusher:subscribe","data":{"channel":"` + channel + `"}}`)
}
