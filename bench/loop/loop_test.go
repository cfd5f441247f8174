package loop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pealhq/peal/bench/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen accepts connections and gives each to a function.
func listen(t *testing.T, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// client writes something when it opens, and keeps what it hears.
type client struct {
	say    []byte
	heard  bytes.Buffer
	opened bool
	ended  error
}

func (c *client) Opened(conn loop.Conn) {
	c.opened = true
	conn.Write(c.say[:len(c.say)/2])
	conn.Write(c.say[len(c.say)/2:])
}
func (c *client) Data(_ loop.Conn, b []byte) { c.heard.Write(b) }
func (c *client) Closed(err error)           { c.ended = err }

func both(t *testing.T, test func(*testing.T, loop.Loop)) {
	for name, portable := range map[string]bool{"native": false, "portable": true} {
		t.Run(name, func(t *testing.T) {
			l, err := loop.New(loop.Config{Portable: portable})
			if err != nil {
				t.Fatal(err)
			}
			test(t, l)
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func runUntil(t *testing.T, l loop.Loop, done func() bool) {
	t.Helper()
	err := l.Run(t.Context(), func(now time.Duration) (time.Duration, bool) { return now + time.Second, done() || now > time.Minute })
	if err != nil || !done() {
		t.Fatalf("not done: %v", err)
	}
}

// TestMoreThanASocketHolds writes what a server takes slowly, and hears all of it again.
func TestMoreThanASocketHolds(t *testing.T) {
	both(t, func(t *testing.T, l loop.Loop) {
		say := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
		addr := listen(t, func(c *net.TCPConn) {
			time.Sleep(50 * time.Millisecond)
			got, err := io.ReadAll(io.LimitReader(c, int64(len(say))))
			if err != nil {
				t.Error(err)
			}
			_, _ = c.Write(got)
		})
		c := &client{say: say}
		if err := l.Dial(addr, netip.Addr{}, c); err != nil {
			t.Fatal(err)
		}
		runUntil(t, l, func() bool { return c.ended != nil })
		if !bytes.Equal(c.heard.Bytes(), say) {
			t.Errorf("%d bytes came back of %d", c.heard.Len(), len(say))
		}
	})
}

func TestNobodyListens(t *testing.T) {
	both(t, func(t *testing.T, l loop.Loop) {
		c := &client{}
		if err := l.Dial(netip.MustParseAddrPort("127.0.0.1:1"), netip.Addr{}, c); err != nil {
			t.Fatal(err)
		}
		runUntil(t, l, func() bool { return c.ended != nil })
		if c.opened {
			t.Error("it opened")
		}
	})
}

func TestLocalAddresses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the loopback has one address here")
	}
	both(t, func(t *testing.T, l loop.Loop) {
		addr := listen(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, c.RemoteAddr().String()) })
		c := &client{}
		if err := l.Dial(addr, netip.MustParseAddr("127.0.0.9"), c); err != nil {
			t.Fatal(err)
		}
		runUntil(t, l, func() bool { return c.ended != nil })
		if from := netip.MustParseAddrPort(c.heard.String()); from.Addr().String() != "127.0.0.9" {
			t.Errorf("it comes from %s", from)
		}
	})
}

func TestWakesInTimeAndEndsWithItsContext(t *testing.T) {
	both(t, func(t *testing.T, l loop.Loop) {
		var wakes int
		began := l.Now()
		err := l.Run(t.Context(), func(now time.Duration) (time.Duration, bool) {
			wakes++
			return now + 300*time.Microsecond, now-began > 30*time.Millisecond
		})
		if err != nil || wakes < 10 {
			t.Errorf("asked %d times in 30 ms, %v", wakes, err)
		}
		if l.Waited() == 0 {
			t.Error("it never waited")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err = l.Run(ctx, func(now time.Duration) (time.Duration, bool) { return now + time.Hour, false })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
