package wire_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/bench/wire"
)

// FuzzWalker lets coder/websocket write messages, and the walker read them in pieces.
func FuzzWalker(f *testing.F) {
	f.Add(uint64(1), uint16(1), uint16(40))
	f.Add(uint64(2), uint16(125), uint16(1))
	f.Add(uint64(3), uint16(126), uint16(7))
	f.Add(uint64(4), uint16(65535), uint16(4096))
	f.Fuzz(func(t *testing.T, seed uint64, longest, piece uint16) {
		rng := rand.New(rand.NewPCG(seed, seed))
		var want [][]byte
		for range 8 {
			want = append(want, bytes.Repeat([]byte{'a' + byte(len(want))}, rng.IntN(int(longest)+1)))
		}
		want = append(want, bytes.Repeat([]byte{'z'}, 70_000))
		got := walk(t, stream(t, want), rng, int(piece)+1)
		if len(got) != len(want) {
			t.Fatalf("%d messages, want %d", len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("message %d has %d bytes, want %d", i, len(got[i]), len(want[i]))
			}
		}
	})
}

// stream is everything that a server sends on a connection: the answer to the upgrade, messages, a close.
func stream(t *testing.T, messages [][]byte) []byte {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		for _, m := range messages {
			if err := conn.Write(r.Context(), websocket.MessageText, m); err != nil {
				t.Error(err)
			}
		}
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(wire.AppendUpgrade(nil, "localhost", "key")); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(conn); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

// walk feeds bytes in pieces, in one buffer that is written over each time, as a loop does.
func walk(t *testing.T, all []byte, rng *rand.Rand, piece int) [][]byte {
	t.Helper()
	var w wire.Walker
	var got [][]byte
	upgraded := false
	buf := make([]byte, piece)
	for len(all) > 0 {
		n := copy(buf[:1+rng.IntN(piece)], all)
		all = all[n:]
		w.Feed(buf[:n])
		if !upgraded {
			var err error
			if upgraded, err = w.Upgrade(); err != nil {
				t.Fatal(err)
			}
			if !upgraded {
				continue
			}
		}
		for {
			f, ok, err := w.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if f.Op == wire.OpText {
				got = append(got, bytes.Clone(f.Payload))
			}
		}
	}
	return got
}

// TestClientFrames lets coder/websocket read what a client sends.
func TestClientFrames(t *testing.T) {
	t.Parallel()
	sizes := []int{0, 1, 125, 126, 127, 65535, 65536}
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(-1)
		for _, size := range sizes {
			if _, got, err := conn.Read(r.Context()); err != nil || len(got) != size || bytes.Count(got, []byte("m")) != size {
				t.Errorf("read %d bytes, want %d (%v)", len(got), size, err)
			}
		}
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := wire.AppendUpgrade(nil, "localhost", "key")
	for _, size := range sizes {
		out = wire.AppendFrame(out, wire.OpText, bytes.Repeat([]byte("m"), size))
	}
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	<-done
}

func TestWalkerRefuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"a masked frame":  wire.AppendFrame(nil, wire.OpText, []byte("x")),
		"a reserved bit":  {0xC1, 0x00},
		"an endless one":  {0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		"a negative size": {0x81, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
	} {
		var w wire.Walker
		w.Feed(b)
		if _, _, err := w.Next(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, b := range []string{"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"} {
		var w wire.Walker
		w.Feed([]byte(b))
		if ok, err := w.Upgrade(); ok || err == nil {
			t.Errorf("%q is taken for an upgrade", b)
		}
	}
}
