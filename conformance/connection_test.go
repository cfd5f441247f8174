//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTrap01_TheHandshakesDataIsAString(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := visit(t, lib, "/app/"+plain(t).key+"?"+lib.query)
		f := c.want(evEstablished, "")
		var outer struct{ Data json.RawMessage }
		if err := json.Unmarshal([]byte(f.raw), &outer); err != nil || len(outer.Data) == 0 || outer.Data[0] != '"' {
			t.Errorf("%s was greeted with %s", lib.name, f.raw)
		}
		c.quiet()
	}
}

func TestTrap02_TheHandshakeHasAnActivityTimeout(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]float64{"plain": 120, "brief": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := visit(t, js, "/app/"+prepared(t, name).key+"?"+js.query)
			_, seconds, err := handshake(c.want(evEstablished, ""))
			if err != nil || seconds <= 0 {
				t.Fatalf("%v seconds, %v", seconds, err)
			}
			// What somebody else's server says is for it to choose.
			if server.own != nil && seconds != want {
				t.Errorf("%v seconds, want %v", seconds, want)
			}
		})
	}
}

func TestTrap03_AnUnknownKeyIsToldAfterTheUpgrade(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := visit(t, lib, "/app/no-such-key?"+lib.query)
		c.wantError(4001, "no-such-key")
		if code := c.ended(); code != 4001 {
			t.Errorf("%s: closed with %d", lib.name, code)
		}
	}
}

// TestTrap04_ARefusalIsToldTwice: before protocol 6 clients look for the error frame, from then on at the close code.
// It takes every refusal that has a code (see also refusals_test.go, which looks at each more closely).
func TestTrap04_ARefusalIsToldTwice(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/app/no-such-key", "/nowhere"} {
		for _, lib := range libraries {
			c := visit(t, lib, path+"?"+lib.query)
			f := c.want(evError, "")
			if code := c.ended(); code != f.code || code < 4000 {
				t.Errorf("%s at %s: the frame says %d, the close frame %d", lib.name, path, f.code, code)
			}
			if c.reason != f.message || len(c.reason) > 123 {
				t.Errorf("%s at %s: closed because of %q, told %q", lib.name, path, c.reason, f.message)
			}
		}
	}
}

func TestTrap05_AFailedSubscriptionClosesNothing(t *testing.T) {
	t.Parallel()
	for _, lib := range libraries {
		c := connect(t, plain(t), lib)
		for _, channel := range []string{unique("private-"), unique("presence-"), unique("private-encrypted-")} {
			for _, auth := range []string{"", "x", c.app.key + ":00", c.app.sign("something else")} {
				c.ask(channel, auth, "")
				f := c.failed(channel)
				if f.code >= 4300 || f.code == 4009 || f.code == 4200 {
					t.Errorf("%s: told %s", lib.name, f.raw)
				}
			}
		}
		c.quiet()
	}
}

// failed reads what a refused subscription is answered with, as the library must be told it, and returns the error frame.
func (c *client) failed(channel string) frame {
	c.t.Helper()
	event := evSubError
	if c.lib.name == dotnet.name {
		event = evDotNetFailed
	}
	if c.lib.name != java.name || !strings.HasPrefix(channel, "private-encrypted-") {
		f := c.want(event, channel)
		var data struct{ Type, Error string }
		if err := json.Unmarshal([]byte(f.data), &data); err != nil || data.Type == "" || data.Error == "" {
			c.t.Errorf("%s was told %s (%v)", c.lib.name, f.raw, err)
		}
	}
	return c.want(evError, "")
}

func TestTrap06_AFullPlanIs4004AndAFullServer4100(t *testing.T) {
	t.Parallel()
	t.Run("plan", func(t *testing.T) {
		t.Parallel()
		few := prepared(t, "few")
		one, two := connect(t, few, js), connect(t, few, js)
		// Where there are several edges one is asked to come back until it is certain that those who are counted are there.
		for began := time.Now(); ; time.Sleep(time.Second) {
			c := visit(t, js, "/app/"+few.key+"?"+js.query)
			told, code := c.next(), c.ended()
			if server.balanced && code == 4100 && time.Since(began) < 4*patience {
				continue
			}
			if told.event != evError || told.code != 4004 || code != 4004 {
				t.Errorf("told %s, closed with %d", told.raw, code)
			}
			break
		}
		one.quiet()
		two.leave()
		// The place is free again as soon as the server has seen the other go.
		eventually(t, "a free place", func() bool {
			c := visit(t, js, "/app/"+few.key+"?"+js.query)
			return c.next().event == evEstablished
		})
	})
	t.Run("capacity", func(t *testing.T) {
		t.Parallel()
		// Who does not read what it asked for is over capacity; see TestASlowReaderCostsOnlyItself.
		slow := newSlowReader(t, plain(t))
		slow.overflow(t)
		if code := slow.readToTheEnd(t); code != 4100 {
			t.Errorf("closed with %d", code)
		}
	})
}

// TestTrap07_AShutdownIsSpread: clients come back the moment they hear 4200, so not all may hear it in the same one.
func TestTrap07_AShutdownIsSpread(t *testing.T) {
	t.Parallel()
	needsOwn(t)
	p, err := startPeal()
	if err != nil {
		t.Fatal(err)
	}
	const sockets = 200
	plain := p.target().apps["plain"]
	var mu sync.Mutex
	var ends []time.Time // guarded by mu
	var readers sync.WaitGroup
	for range sockets {
		w, _, err := dialWire(p.edge, "/app/"+plain.key+"?"+js.query, nil)
		if err != nil || w == nil {
			t.Fatalf("dial: %v", err)
		}
		c := begin(t, js, w)
		c.want(evEstablished, "")
		readers.Go(func() {
			if code := c.ended(); code != 4200 {
				t.Errorf("closed with %d", code)
			}
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, time.Now())
		})
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	readers.Wait()
	first, last := ends[0], ends[0]
	for _, at := range ends {
		if at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	t.Logf("%d sockets were closed within %v", sockets, last.Sub(first))
	if last.Sub(first) < 500*time.Millisecond {
		t.Errorf("all %d sockets were told to come back within %v", sockets, last.Sub(first))
	}
}

// TestTrap08_SilenceIsAnsweredWithPingFrames: Java, Swift and .NET do not know pusher:ping, but every WebSocket library
// answers ping frames. Anything that comes counts as life, also a pong that nobody asked for.
func TestTrap08_SilenceIsAnsweredWithPingFrames(t *testing.T) {
	t.Parallel()
	brief := prepared(t, "brief")
	for _, lib := range libraries {
		t.Run(lib.name+" answers", func(t *testing.T) {
			t.Parallel()
			c := connect(t, brief, lib)
			if f, came := c.try(4 * time.Second); came {
				t.Errorf("received %s", f.raw)
			}
			c.quiet()
			if c.pings.Load() == 0 {
				t.Error("no ping frame in 4 s")
			}
		})
	}
	t.Run("a pong frame is life", func(t *testing.T) {
		t.Parallel()
		c := connect(t, brief, swift)
		c.mute.Store(true)
		for range 12 {
			time.Sleep(400 * time.Millisecond)
			if err := c.write(opPong, nil); err != nil {
				t.Fatal(err)
			}
		}
		c.quiet()
	})
}

func TestTrap09_EveryPingIsAnswered(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), java)
	for _, ping := range []string{
		`{"event": "pusher:ping"}`, `{"event":"pusher:ping","data":{}}`, `{"event":"pusher:ping","data":null}`,
		`{"event":"pusher:ping","data":""}`, `{"event":"pusher:ping","data":"{}"}`, `{"data":[1],"event":"pusher:ping"}`,
	} {
		c.send(ping)
		c.wantData(evPong, "", "{}")
	}
	for _, lib := range libraries {
		if lib.ping != "" {
			c := connect(t, plain(t), lib)
			c.send(lib.ping)
			c.wantData(evPong, "", "{}")
		}
	}
}

func TestTrap10_APingFrameIsLife(t *testing.T) {
	t.Parallel()
	c := connect(t, prepared(t, "brief"), swift)
	c.mute.Store(true)
	const pings = 12
	for range pings {
		time.Sleep(400 * time.Millisecond)
		if err := c.write(opPing, []byte("?")); err != nil {
			t.Fatal(err)
		}
	}
	c.quiet()
	if n := c.pongs.Load(); n != pings {
		t.Errorf("%d pongs for %d pings", n, pings)
	}
}

func TestTrap11_TheSubprotocolIsEchoed(t *testing.T) {
	t.Parallel()
	path := "/app/" + plain(t).key + "?" + swift.query
	for asked, want := range map[string]string{
		"":                           "",
		"pusher-channels-protocol-7": "pusher-channels-protocol-7",
		"chat, pusher-channels-protocol-7, superchat": "pusher-channels-protocol-7",
		"chat": "",
	} {
		header := http.Header{}
		if asked != "" {
			header.Set("Sec-WebSocket-Protocol", asked)
		}
		w, resp, err := dialWire(server.addr, path, header)
		if err != nil || w == nil {
			t.Fatalf("asked for %q: %v, %v", asked, resp, err)
		}
		if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != want {
			t.Errorf("asked for %q, answered %q", asked, got)
		}
		begin(t, swift, w).want(evEstablished, "")
	}
	// A refusal must not come earlier for it.
	c := visit(t, swift, "/app/no-such-key?"+swift.query)
	c.wantError(4001, "")
}

func TestTrap12_SocketIDsAreTwoNumbers(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`\A\d{1,10}\.\d{1,10}\z`)
	seen := map[string]bool{}
	for range 100 {
		c := connect(t, plain(t), js)
		if !pattern.MatchString(c.id) || seen[c.id] {
			t.Fatalf("socket id %q, seen %v", c.id, seen[c.id])
		}
		seen[c.id] = true
		if _, err := c.app.library().AuthorizePrivateChannel([]byte("socket_id=" + c.id + "&channel_name=private-x")); err != nil {
			t.Fatalf("the server library refuses %q: %v", c.id, err)
		}
		c.leave()
	}
}

func TestTrap13_NonsenseIsAnsweredNotPunished(t *testing.T) {
	t.Parallel()
	c := connect(t, plain(t), js)
	for _, text := range []string{
		``, ` `, `{`, `nonsense`, `[]`, `[{"event":"pusher:ping"}]`, `null`, `7`, `"pusher:ping"`, `{}`, `{"event":7}`, `{"event":null}`,
		`{"event":""}`, `{"data":{}}`, `{"event":"pusher:subscribe"}`, `{"event":"pusher:subscribe","data":7}`,
		`{"event":"pusher:subscribe","data":{}}`, `{"event":"pusher:subscribe","data":{"channel":7}}`,
		`{"event":"pusher:subscribe","data":{"channel":""}}`, `{"event":"pusher:unsubscribe","data":{"channel":null}}`,
		`{"event":"pusher:signin"}`, `{"event":"pusher:nothing","data":{}}`, `{"event":"x"}{"event":"y"}`, "{\"event\":\"\xff\"}",
		strings.Repeat("[", 5000),
	} {
		c.send(text)
		c.wantError(0, "")
		c.quiet()
	}
	for _, payload := range [][]byte{nil, {0}, []byte(`{"event":"pusher:ping"}`)} {
		if err := c.write(opBinary, payload); err != nil {
			t.Fatal(err)
		}
		c.wantError(0, "")
	}
	// A message in pieces, with a ping between them, is one message.
	for i, piece := range []string{`{"event":`, `"pusher:`, `ping"}`} {
		op := byte(opContinuation)
		if i == 0 {
			op = opText
		}
		if err := errors.Join(c.writeFrame(op, i == 2, []byte(piece)), c.write(opPing, nil)); err != nil {
			t.Fatal(err)
		}
	}
	c.wantData(evPong, "", "{}")
	c.quiet()
}

// slowReader is a client that subscribes and then reads nothing.
type slowReader struct {
	*wire
	channel string
	app     app
}

func newSlowReader(t *testing.T, a app) *slowReader {
	t.Helper()
	w, _, err := dialWire(server.direct, "/app/"+a.key+"?"+js.query, nil)
	if err != nil || w == nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { w.conn.Close() })
	if tcp, ok := w.conn.(*net.TCPConn); ok {
		// Small, so that it is full soon; but with less than a few loopback packets in it the kernel sends the rest in drops.
		_ = tcp.SetReadBuffer(200 << 10)
	}
	s := &slowReader{wire: w, channel: unique("slow-"), app: a}
	subscribe := `{"event":"pusher:subscribe","data":{"channel":` + quote(s.channel) + `}}`
	if err := s.write(opText, []byte(subscribe)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the greeting and the success
		if _, _, err := s.read(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// overflow publishes more than the kernel's buffers and the server's queue hold together.
func (s *slowReader) overflow(t *testing.T) {
	t.Helper()
	w, _, err := dialWire(server.direct, "/app/"+s.app.key+"?"+js.query, nil)
	if err != nil || w == nil {
		t.Fatalf("dial: %v", err)
	}
	fast := begin(t, js, w)
	fast.want(evEstablished, "")
	fast.subscribe(s.channel)
	item := `{"channel":` + quote(s.channel) + `,"name":"e","data":` + quote(strings.Repeat("x", 10_000)) + `}`
	batch := `{"batch":[` + strings.Repeat(item+",", 9) + item + `]}`
	for range 160 { // 16 MB
		s.app.post(t, "/batch_events", batch).succeeds(t, "")
	}
	// Behind a bus the answers do not mean that the server has tried to send it all. When another socket of the same server
	// has got what was published last, it has.
	s.app.trigger(t, s.channel, "last", "x")
	for range 1601 {
		if fast.next().event == "last" {
			return
		}
	}
	t.Fatal("what was published last did not come")
}

// readToTheEnd reads what is left and returns the close code, 0 when there is none.
func (s *slowReader) readToTheEnd(t *testing.T) int {
	t.Helper()
	for {
		// What is left is megabytes, so not all of it but each frame must come in time.
		_ = s.conn.SetReadDeadline(time.Now().Add(patience))
		op, payload, err := s.read()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("the connection ended with %v", err)
			}
			return 0
		}
		if op == opClose && len(payload) >= 2 {
			return int(payload[0])<<8 | int(payload[1])
		}
	}
}
