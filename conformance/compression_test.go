//go:build conformance

package conformance

import (
	"context"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestCompression: an app that has it on speaks permessage-deflate to who asks for it, and plainly to everybody else.
func TestCompression(t *testing.T) {
	t.Parallel()
	a := prepared(t, "compressed")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws://"+server.addr+"/app/"+a.key+"?"+js.query, &websocket.DialOptions{
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := resp.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(got, "permessage-deflate") {
		t.Errorf("agreed on %q", got)
	}
	conn.SetReadLimit(1 << 20)
	next := func(event string) frame {
		t.Helper()
		_, text, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f, err := js.parse(text)
		if err != nil || f.event != event {
			t.Fatalf("received %s (%v), want %s", text, err, event)
		}
		return f
	}
	next(evEstablished)
	channel := unique("")
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"event":"pusher:subscribe","data":{"channel":`+quote(channel)+`}}`)); err != nil {
		t.Fatal(err)
	}
	next(evSucceeded)
	other := connect(t, a, java)
	other.subscribe(channel)
	for _, data := range []string{"short", strings.Repeat("long ", 2000)} {
		a.trigger(t, channel, "e", data)
		if f := next("e"); f.data != data {
			t.Errorf("received %.50q", f.data)
		}
		other.wantData("e", channel, data)
	}
}
