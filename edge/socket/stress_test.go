package socket_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/socket"
)

// withSmallBuffers serves an edge whose sockets take little at once, so that writes stall.
func withSmallBuffers(t *testing.T, change func(*socket.Config)) *edge {
	t.Helper()
	small := func(_, _ string, raw syscall.RawConn) error {
		var err error
		ctlErr := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 16<<10) })
		if ctlErr != nil {
			return ctlErr
		}
		return err
	}
	lc := net.ListenConfig{Control: small}
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := newEdge(t, change)
	stop := e.run()
	server := httptest.NewUnstartedServer(e.server)
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	e.url = "ws" + strings.TrimPrefix(server.URL, "http")
	e.dial = new(net.Dialer).DialContext
	t.Cleanup(func() {
		e.shutdown()
		server.Close()
		stop()
	})
	return e
}

// rawJoin opens a socket by hand and subscribes to the channel "there".
func (e *edge) rawJoin(t *testing.T) *rawClient {
	t.Helper()
	conn, err := e.dial(t.Context(), "tcp", strings.TrimPrefix(e.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(32 << 10)
	}
	c := &rawClient{conn: conn, r: bufio.NewReader(conn)}
	subscribe := maskedText(`{"event":"pusher:subscribe","data":{"channel":"there"}}`)
	if err := c.shakeHands("/app/key?protocol=7", subscribe); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pusher:connection_established", "pusher_internal:subscription_succeeded"} {
		if _, payload, err := c.frame(); err != nil || !strings.Contains(string(payload), want) {
			t.Fatalf("got %s, %v, want %s", payload, err, want)
		}
	}
	return c
}

// TestInterleaving sends frames of many sizes while pings of every length are answered, to a client that takes its
// time, and then a close. Every frame must arrive whole and in order, and nothing after the close.
func TestInterleaving(t *testing.T) {
	t.Parallel()
	const frames, pings, window = 20_000, 4000, 512 << 10
	e := withSmallBuffers(t, nil)
	c := e.rawJoin(t)

	size := func(i int) int {
		switch i % 97 {
		case 0:
			return 70_000
		case 1, 2, 3:
			return 124 + i%4 // on both sides of the longer header
		default:
			return (i * 37) % 700
		}
	}
	body := func(i int) string { return fmt.Sprintf("%08d", i) + strings.Repeat(string(rune('a'+i%26)), size(i)) }
	room := newRoom(window)
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range frames {
			text := body(i)
			if !room.take(len(text)) {
				return
			}
			e.deliver(text)
		}
	})
	writing.Go(func() {
		for i := range pings {
			if !room.take(0) {
				return
			}
			payload := fmt.Sprintf("%04d%s", i, strings.Repeat("p", max(0, i%126-4)))
			if _, err := io.WriteString(c.conn, masked(opPing, payload[:min(len(payload), 125)])); err != nil {
				t.Errorf("ping %d: %v", i, err)
				return
			}
		}
	})
	gotFrames, gotPongs := 0, 0
	for gotFrames < frames || gotPongs < pings {
		op, payload, err := c.frame()
		if err != nil {
			room.shut()
			t.Fatalf("after %d frames and %d pongs: %v", gotFrames, gotPongs, err)
		}
		switch op {
		case opText:
			if want := body(gotFrames); string(payload) != want {
				room.shut()
				t.Fatalf("frame %d is %.40q with %d bytes, want %.40q with %d", gotFrames, payload, len(payload), want, len(want))
			}
			gotFrames++
			room.give(len(payload))
			if gotFrames%500 == 0 {
				time.Sleep(5 * time.Millisecond) // The client takes its time.
			}
		case opPong:
			if want := fmt.Sprintf("%04d", gotPongs); string(payload[:4]) != want || len(payload) != max(4, gotPongs%126) {
				room.shut()
				t.Fatalf("pong %d is %q", gotPongs, payload)
			}
			gotPongs++
		default:
			room.shut()
			t.Fatalf("opcode %d", op)
		}
	}
	writing.Wait()
	if !portableOnly && e.metric("peal_write_stalls_total") == 0 {
		t.Error("no write stalled: this test does not show what it should")
	}
	e.apps.remove("key")
	go e.registry.Recheck(context.Background(), "1")
	for _, want := range []byte{opText, opClose} {
		if op, payload, err := c.frame(); err != nil || op != want {
			t.Fatalf("at the end: opcode %d, %q, %v", op, payload, err)
		}
	}
	e.deliver("too late")
	if _, err := c.conn.Write([]byte(masked(opClose, string(binary.BigEndian.AppendUint16(nil, 4001))))); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		t.Errorf("after the close: %q, %v", rest, err)
	}
}

// room is a window of bytes under way.
type room struct {
	mu   sync.Mutex
	cond *sync.Cond
	left int
	over bool
}

func newRoom(bytes int) *room {
	r := &room{left: bytes}
	r.cond = sync.NewCond(&r.mu)
	return r
}

func (r *room) take(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.left < n && !r.over {
		r.cond.Wait()
	}
	r.left -= n
	return !r.over
}

func (r *room) give(n int) { r.mu.Lock(); r.left += n; r.mu.Unlock(); r.cond.Broadcast() }
func (r *room) shut()      { r.mu.Lock(); r.over = true; r.mu.Unlock(); r.cond.Broadcast() }

// TestDescriptorsAreReused opens and resets sockets as fast as it can, so that each descriptor is soon another
// socket's, while steady sockets must lose nothing and hear nothing that is not theirs.
func TestDescriptorsAreReused(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, nil)
	var steady []*client
	for range 8 {
		steady = append(steady, e.join("there"))
	}
	ctx, stop := context.WithCancel(t.Context())
	var churn sync.WaitGroup
	var opened [4]int
	for i := range opened {
		churn.Go(func() {
			for ctx.Err() == nil {
				conn, err := e.dial(ctx, "tcp", strings.TrimPrefix(e.url, "ws://"))
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				c := &rawClient{conn: conn, r: bufio.NewReader(conn)}
				more := maskedText(`{"event":"pusher:subscribe","data":{"channel":"elsewhere"}}`)
				if err := c.shakeHands("/app/key?protocol=7", more); err != nil {
					t.Errorf("handshake: %v", err)
				}
				switch rand.IntN(3) {
				case 0: // a reset
					_ = conn.(*net.TCPConn).SetLinger(0)
				case 1: // half a frame, then the end
					_, _ = io.WriteString(conn, maskedText("half")[:4])
				}
				_ = conn.Close()
				opened[i]++
			}
		})
	}
	for i := range 300 {
		frame := fmt.Sprintf("steady %d", i)
		e.deliver(frame)
		e.hub.Deliver(channels.Message{Topic: channels.Topic{App: "1", Channel: "elsewhere"}, Frame: []byte("not for the steady")})
		for _, c := range steady {
			c.want(frame)
		}
	}
	stop()
	churn.Wait()
	total := 0
	for _, n := range opened {
		total += n
	}
	t.Logf("%d sockets came and went", total)
	if total < 100 {
		t.Errorf("only %d sockets came and went", total)
	}
	for _, c := range steady {
		c.ping()
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections") != float64(len(steady)) {
		if time.Now().After(deadline) {
			t.Fatalf("%v sockets are open, want %d", e.metric("peal_connections"), len(steady))
		}
		time.Sleep(time.Millisecond)
	}
}

// TestHalfAFrameIsNotWaitedForForEver has clients that begin a frame and stop, at every place.
func TestHalfAFrameIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	if portableOnly {
		return // Two goroutines wait for such a client until the keep-alive gives it up, which has a test of its own.
	}
	e := onLoopback(t, func(cfg *socket.Config) { cfg.ReadTimeout = 100 * time.Millisecond })
	whole := maskedText(`{"event":"pusher:ping","data":{}}`)
	long := string([]byte{0x81, 0xFE, 0x01, 0x00, 0, 0, 0, 0}) + strings.Repeat(" ", 256)
	fragment := string([]byte{0x01, 0x81, 0, 0, 0, 0}) + "{"
	var all sync.WaitGroup
	for _, part := range []string{whole[:1], whole[:2], whole[:5], whole[:6], whole[:10], long[:3], long[:7], long[:100], fragment} {
		all.Go(func() {
			c := e.rawJoin(t)
			if _, err := io.WriteString(c.conn, part); err != nil {
				t.Errorf("%q: %v", part, err)
			}
			_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, _, err := c.frame(); err == nil || isTimeout(err) {
				t.Errorf("%q: %v, want the end", part, err)
			}
		})
	}
	all.Wait()
	// A message in pieces that keep coming is read, however long the whole takes.
	c := onLoopback(t, func(cfg *socket.Config) { cfg.ReadTimeout = 2 * time.Second }).rawJoin(t)
	for i := range len(whole) {
		if _, err := io.WriteString(c.conn, whole[i:i+1]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(80 * time.Millisecond)
	}
	if _, payload, err := c.frame(); err != nil || !strings.Contains(string(payload), "pusher:pong") {
		t.Errorf("a slow message got %q, %v", payload, err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// TestAStallThatWasReadEndsNothing has a burst stall, be read, and the socket live on for longer than a write may take.
func TestAStallThatWasReadEndsNothing(t *testing.T) {
	t.Parallel()
	e := withSmallBuffers(t, func(cfg *socket.Config) { cfg.WriteTimeout = 300 * time.Millisecond })
	c := e.rawJoin(t)
	burst := strings.Repeat("x", 100_000)
	for range 20 {
		e.deliver(burst)
	}
	for i := range 20 {
		if _, payload, err := c.frame(); err != nil || len(payload) != len(burst) {
			t.Fatalf("frame %d of the burst: %d bytes, %v", i, len(payload), err)
		}
	}
	if !portableOnly && e.metric("peal_write_stalls_total") == 0 {
		t.Error("no write stalled: this test does not show what it should")
	}
	time.Sleep(600 * time.Millisecond)
	e.deliver("later")
	_ = c.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, payload, err := c.frame(); err != nil || string(payload) != "later" {
		t.Errorf("later: %q, %v", payload, err)
	}
}

// TestABusyClientIsNotCutOff has a client that begins with a message in two pieces and then leaves no gap for longer
// than a message may take to go on.
func TestABusyClientIsNotCutOff(t *testing.T) {
	t.Parallel()
	e := onLoopback(t, func(cfg *socket.Config) { cfg.ReadTimeout = 200 * time.Millisecond })
	c := e.rawJoin(t)
	ping := maskedText(`{"event":"pusher:ping","data":{}}`)
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(io.Discard, c.r) })
	if _, err := io.WriteString(c.conn, ping[:3]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	block, many := ping[3:], strings.Repeat(ping, 500)
	for began := time.Now(); time.Since(began) < time.Second; block = many {
		if _, err := io.WriteString(c.conn, block); err != nil {
			t.Fatalf("cut off after %v: %v", time.Since(began), err)
		}
	}
	_ = c.conn.Close()
	reading.Wait()
}

// TestAClientThatLeftUnreadDoesNotHoldTheStop has a client that does not read and closes its side.
func TestAClientThatLeftUnreadDoesNotHoldTheStop(t *testing.T) {
	t.Parallel()
	e := newEdge(t, func(cfg *socket.Config) { cfg.WriteTimeout = time.Hour })
	stop := e.run()
	server := httptest.NewServer(e.server)
	e.url = "ws" + strings.TrimPrefix(server.URL, "http")
	e.dial = new(net.Dialer).DialContext
	c := e.rawJoin(t)
	for range 40 {
		e.deliver(strings.Repeat("x", 200_000))
	}
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.metric("peal_connections") > 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	e.shutdown()
	server.Close()
	stop() // The test's own timeout tells when this waits for the client.
}
