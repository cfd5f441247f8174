//go:build conformance

package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// client is one socket on the server under test, as a library would have it.
type client struct {
	*wire
	t    testing.TB
	lib  library
	app  app
	id   string
	over chan struct{} // closed when the connection has ended, and why is known

	frames chan received
	mute   atomic.Bool  // answers no ping frame
	pings  atomic.Int64 // ping frames that came
	pongs  atomic.Int64 // pong frames that came

	// code, reason and err say how it ended: by a close frame, or by an error.
	code   int
	reason string
	err    error
}

// received is a frame and what a library would complain of.
type received struct {
	frame
	complaint error
}

// visit opens a socket at a path, and reads all that comes, without waiting for a greeting.
func visit(t testing.TB, lib library, path string) *client {
	t.Helper()
	w, resp, err := dialWire(server.addr, path, lib.header)
	if err != nil {
		t.Fatalf("%s: dial %s: %v", lib.name, path, err)
	}
	if w == nil {
		t.Fatalf("%s: the upgrade of %s was answered %s", lib.name, path, resp.Status)
	}
	return begin(t, lib, w)
}

func begin(t testing.TB, lib library, w *wire) *client {
	c := &client{wire: w, t: t, lib: lib, over: make(chan struct{}), frames: make(chan received, 1<<14)}
	t.Cleanup(func() { c.conn.Close() })
	go c.readAll()
	return c
}

func (c *client) readAll() {
	defer close(c.over)
	defer close(c.frames)
	for {
		op, payload, err := c.read()
		if err != nil {
			c.err = err
			return
		}
		switch op {
		case opPing:
			if c.pings.Add(1); !c.mute.Load() {
				_ = c.write(opPong, payload)
			}
		case opPong:
			c.pongs.Add(1)
		case opClose:
			if len(payload) >= 2 {
				c.code, c.reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
			}
			_ = c.write(opClose, payload)
			return
		case opText:
			f, err := c.lib.parse(payload)
			c.frames <- received{f, err}
		default:
			c.frames <- received{frame{raw: string(payload)}, errors.New("a binary frame is not part of the protocol")}
		}
	}
}

// connect opens a socket and waits for its greeting.
func connect(t testing.TB, a app, lib library) *client {
	t.Helper()
	c := visit(t, lib, "/app/"+a.key+"?"+lib.query)
	c.app = a
	f := c.want(evEstablished, "")
	id, _, err := handshake(f)
	if err != nil {
		t.Fatal(err)
	}
	c.id = id
	return c
}

// leave closes the connection as a client does, and waits until the server has.
func (c *client) leave() {
	c.t.Helper()
	_ = c.write(opClose, []byte{0x03, 0xe8})
	c.ended()
}

// send sends text as it is.
func (c *client) send(text string) {
	c.t.Helper()
	if err := c.write(opText, []byte(text)); err != nil {
		c.t.Fatalf("%s: send: %v", c.lib.name, err)
	}
}

// emit sends an event whose data is JSON.
func (c *client) emit(event, channel, data string) {
	c.t.Helper()
	text := `{"event":` + quote(event)
	if channel != "" {
		text += `,"channel":` + quote(channel)
	}
	c.send(text + `,"data":` + data + `}`)
}

// next returns the next frame, which the library must be able to read.
func (c *client) next() frame {
	c.t.Helper()
	f, ok := c.try(patience)
	if !ok {
		c.t.Fatalf("%s: no frame came (closed with %d %q)", c.lib.name, c.code, c.reason)
	}
	return f
}

// try returns the next frame if one comes in time.
func (c *client) try(wait time.Duration) (frame, bool) {
	c.t.Helper()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case r, open := <-c.frames:
		if open && r.complaint != nil {
			c.t.Fatalf("%s cannot read %s: %v", c.lib.name, r.raw, r.complaint)
		}
		return r.frame, open
	case <-timer.C:
		return frame{}, false
	}
}

// want returns the next frame, which must be this event on this channel.
func (c *client) want(event, channel string) frame {
	c.t.Helper()
	f := c.next()
	if f.event != event || f.channel != channel {
		c.t.Fatalf("%s: received %s, want %s on %q", c.lib.name, f.raw, event, channel)
	}
	return f
}

// wantData returns the next frame, which must be this event with these data.
func (c *client) wantData(event, channel, data string) frame {
	c.t.Helper()
	f := c.want(event, channel)
	if f.data != data {
		c.t.Fatalf("%s: received %s, want the data %q", c.lib.name, f.raw, data)
	}
	return f
}

// wantError takes the next frame, which must be an error with this code (0 for null) and a text that has this in it.
func (c *client) wantError(code int, text string) {
	c.t.Helper()
	f := c.want(evError, "")
	if f.code != code || !strings.Contains(f.message, text) {
		c.t.Fatalf("%s: received %s, want an error %d with %q", c.lib.name, f.raw, code, text)
	}
}

// quiet fails if a frame comes before the answer to a ping: the connection is open, and all that the server had to say to
// what was sent so far has been read.
func (c *client) quiet() {
	c.t.Helper()
	c.send(`{"event":"pusher:ping","data":{}}`)
	c.wantData(evPong, "", "{}")
}

// marker publishes to a channel that the client is on and fails if anything comes before that. What was accepted
// before it would have come.
func (c *client) marker(channel string) {
	c.t.Helper()
	mark := "marker-" + strconv.FormatInt(counter.Add(1), 10)
	c.app.trigger(c.t, channel, mark, "")
	c.want(mark, channel)
}

// ended waits for the end and returns the close code, 0 for an end without one.
func (c *client) ended() int {
	c.t.Helper()
	select {
	case <-c.over:
		return c.code
	case <-time.After(patience):
		c.t.Fatalf("%s: the connection did not end", c.lib.name)
		return 0
	}
}

// subscribe joins a channel, with the signature that it needs, and returns the success.
func (c *client) subscribe(channel string) frame {
	c.t.Helper()
	c.ask(channel, c.auth(channel), "")
	return c.want(evSucceeded, channel)
}

// join joins a presence channel with this channel data and returns the success.
func (c *client) join(channel, channelData string) frame {
	c.t.Helper()
	c.ask(channel, c.app.sign(c.id+":"+channel+":"+channelData), channelData)
	return c.want(evSucceeded, channel)
}

// ask sends the subscription as libraries do, and waits for nothing.
func (c *client) ask(channel, auth, channelData string) {
	c.t.Helper()
	data := `{"auth":` + quote(auth) + `,"channel":` + quote(channel)
	if auth == "" && c.lib.name != js.name {
		data = `{"channel":` + quote(channel) // only pusher-js sends an empty one
	}
	if channelData != "" {
		data += `,"channel_data":` + quote(channelData)
	}
	c.emit("pusher:subscribe", "", data+"}")
}

func (c *client) unsubscribe(channel string) {
	c.t.Helper()
	c.emit("pusher:unsubscribe", "", `{"channel":`+quote(channel)+`}`)
}

// auth is what the app's server returns for a channel without channel data: nothing for a public one.
func (c *client) auth(channel string) string {
	if strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-") {
		return c.app.sign(c.id + ":" + channel)
	}
	return ""
}

// signin asks to be signed in with these user data.
func (c *client) signin(userData string) {
	c.t.Helper()
	c.emit("pusher:signin", "", `{"auth":`+quote(c.app.sign(c.id+"::user::"+userData))+`,"user_data":`+quote(userData)+`}`)
}

// signedIn signs in and waits until it is done.
func (c *client) signedIn(userData string) {
	c.t.Helper()
	c.signin(userData)
	c.want(evSignedIn, "")
}

// sign returns KEY:HMAC for a text.
func (a app) sign(text string) string { return a.key + ":" + a.digest(text) }

func (a app) digest(text string) string {
	mac := hmac.New(sha256.New, []byte(a.secret))
	_, _ = mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// quote writes a text as a JSON string, without touching characters that need no escape.
func quote(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

var counter atomic.Int64

// unique returns a channel name that no other test has used, nor this one before.
func unique(prefix string) string {
	return fmt.Sprintf("%sc%d-%d", prefix, startedAt, counter.Add(1))
}

var startedAt = time.Now().UnixNano() % 1e9

// eventually waits until something holds that nobody tells of.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
