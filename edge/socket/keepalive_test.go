package socket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/edge/socket"
)

// silent connects to an edge and writes nothing but what answer returns for each frame that it reads. It
// returns what it read, each with the second in which it came, once the server has closed the connection or
// limit is over.
func silent(t *testing.T, e *edge, path string, limit time.Duration, answer func(op byte, at time.Duration) string) []string {
	t.Helper()
	conn, err := e.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	stop := time.AfterFunc(limit, func() { _ = conn.Close() })
	defer stop.Stop()
	c := &rawClient{conn: conn, r: bufio.NewReader(conn)}
	if err := c.shakeHands(path, ""); err != nil {
		t.Fatal(err)
	}
	var read []string
	for {
		op, payload, err := c.frame()
		if err != nil {
			return read
		}
		at := time.Since(start)
		text := string(payload)
		switch op {
		case opPing:
			text = "ping"
		case opPong:
			text = "pong"
		case opClose:
			text = fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload))
		case opText:
			text = text[:min(len(text), 32)]
		}
		read = append(read, fmt.Sprintf("%v %s", at.Truncate(time.Second), text))
		if answer == nil {
			continue
		}
		if reply := answer(op, at); reply != "" {
			if _, err := io.WriteString(conn, reply); err != nil {
				return read
			}
		}
	}
}

func TestSilentSocketIsPingedAndGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		activity time.Duration
		want     []string
	}{
		"default": {120 * time.Second, []string{
			`0s {"event":"pusher:connection_esta`, "2m0s ping", `2m30s {"event":"pusher:error","data":{`, "2m30s close 4201",
		}},
		"three seconds": {3 * time.Second, []string{
			`0s {"event":"pusher:connection_esta`, "3s ping", `6s {"event":"pusher:error","data":{`, "6s close 4201",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := inMemory(t, nil)
				app := newApp("1", true)
				app.Limits.ActivityTimeout = c.activity
				e.apps.set("key", app)
				got := silent(t, e, "/app/key", time.Hour, nil)
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q\nwant %q", got, c.want)
				}
				e.wantClosed("4201", 1)
			})
		})
	}
}

// TestAnySignOfLifeCounts answers pings in several ways, each of which must keep the socket open.
func TestAnySignOfLifeCounts(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"pong":                masked(opPong, "1"),
		"unasked pong":        masked(opPong, "x"),
		"ping":                masked(opPing, ""),
		"event ping":          maskedText(`{"event":"pusher:ping"}`),
		"event pong":          maskedText(`{"event":"pusher:pong","data":{}}`),
		"what makes no sense": maskedText(`x`),
		"binary":              masked(0x2, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := inMemory(t, nil)
				pings := 0
				silent(t, e, "/app/key", 3*time.Hour, func(op byte, _ time.Duration) string {
					if op != opPing {
						return ""
					}
					pings++
					time.Sleep(29 * time.Second) // almost too late
					return reply
				})
				// Every two minutes and 29 seconds in three hours.
				if want := int(3 * time.Hour / (149 * time.Second)); pings != want {
					t.Errorf("%d pings in three hours, want %d", pings, want)
				}
				synctest.Wait()
				e.wantMetric("peal_connections_closed_total", 0)
			})
		})
	}
}

// TestActiveSocketIsNotPinged keeps talking.
func TestActiveSocketIsNotPinged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		got := silent(t, e, "/app/key", time.Hour, func(op byte, _ time.Duration) string {
			if op != opText {
				t.Errorf("opcode %d", op)
			}
			time.Sleep(100 * time.Second)
			return maskedText(`{"event":"pusher:ping"}`)
		})
		if len(got) != 36 {
			t.Errorf("%d frames: %q", len(got), got)
		}
		synctest.Wait()
	})
}

// TestIdleSocketStays has an ordinary client, which answers ping frames by itself.
func TestIdleSocketStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, nil)
		c := e.join("there")
		time.AfterFunc(24*time.Hour, func() { e.deliver("after a day") })
		c.want("after a day")
		c.ping()
		_ = c.conn.CloseNow()
		synctest.Wait()
	})
}

// TestWriteTimeout has a client that stops reading in the middle of a frame, on a connection without buffers.
func TestWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := inMemory(t, func(cfg *socket.Config) { cfg.WriteTimeout = 10 * time.Second })
		e.join("there")
		start := time.Now()
		e.deliver("nobody reads this")
		for e.metric("peal_connections") > 0 {
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it was dropped after %v", took)
		}
	})
}
