package crowd

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
	"github.com/pealhq/peal/test/chaos/ledger"
)

type state uint8

const (
	absent    state = iota
	upgrading       // the answer to the upgrade is awaited
	greeting        // and then the greeting
	asking          // the answer to the subscription is awaited
	listening
)

// client is one seat, through all the sockets that it has in turn.
type client struct {
	crowd   *Crowd
	seat    Seat
	number  int
	signer  *wire.Signer
	retired bool
	due     time.Duration // when it connects

	conn     loop.Conn
	walker   wire.Walker
	state    state
	partial  []byte
	socketID string
	why      string // the last complaint of the server's
	code     int    // of the close frame
	asked    time.Duration

	listenings []ledger.Listening
	members    membership
	losses     []Loss
	lastLoss   int // the one of losses that it has not come back from, -1 for none
}

func (c *client) now() time.Duration { return c.crowd.cfg.Clock.Now() }

func (c *client) begin() {
	c.walker, c.state, c.partial, c.code, c.socketID = wire.Walker{}, upgrading, nil, 0, ""
	c.asked = c.now()
}

// Opened implements loop.Handler.
func (c *client) Opened(conn loop.Conn) {
	c.conn = conn
	if c.retired {
		c.fail(errLeft)
		return
	}
	app := c.crowd.cfg.Apps[c.seat.App]
	conn.Write(wire.AppendUpgrade(nil, "localhost", app.Key))
}

// Closed implements loop.Handler.
func (c *client) Closed(err error) { c.lost(err) }

// Data implements loop.Handler.
func (c *client) Data(_ loop.Conn, b []byte) {
	c.walker.Feed(b)
	if c.state == upgrading {
		whole, err := c.walker.Upgrade()
		if err != nil {
			c.fail(err)
			return
		}
		if !whole {
			return
		}
		c.state = greeting
	}
	for c.conn != nil {
		f, ok, err := c.walker.Next()
		if err != nil {
			c.fail(err)
		}
		if !ok || err != nil {
			return
		}
		c.frame(f)
	}
}

func (c *client) frame(f wire.Frame) {
	switch f.Op {
	case wire.OpText, wire.OpContinuation:
		if f.Fin && len(c.partial) == 0 {
			c.message(f.Payload)
			return
		}
		if c.partial = append(c.partial, f.Payload...); f.Fin {
			c.message(c.partial)
			c.partial = nil
		}
	case wire.OpPing:
		c.conn.Write(wire.AppendFrame(nil, wire.OpPong, f.Payload))
	case wire.OpClose:
		if len(f.Payload) >= 2 {
			c.code = int(binary.BigEndian.Uint16(f.Payload))
			c.fail(fmt.Errorf("closed with %d: %s", c.code, f.Payload[2:]))
			return
		}
		c.fail(fmt.Errorf("closed without a reason"))
	}
}

func (c *client) fail(err error) {
	if c.conn != nil {
		c.conn.Close()
	}
	c.lost(err)
}

var (
	memberAdded   = []byte(`"pusher_internal:member_added"`)
	memberRemoved = []byte(`"pusher_internal:member_removed"`)
	userKey       = []byte(`\"user_id\":\"`)
	userEnd       = []byte(`\"`)
)

// userOf finds the user in a notice, whose data is a string with JSON in it. Our own users need no escapes.
func userOf(text []byte) string {
	_, rest, _ := bytes.Cut(text, userKey)
	user, _, _ := bytes.Cut(rest, userEnd)
	return string(user)
}

// frameHead is what is read of a frame that is no event of ours.
type frameHead struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

func (c *client) message(text []byte) {
	if id, ok := ledger.FindID(text); ok {
		c.hear(id, text)
		return
	}
	// A thousand who join are half a million of these.
	if added := bytes.Contains(text, memberAdded); added || bytes.Contains(text, memberRemoved) {
		c.members.notice(added, userOf(text), c.now())
		return
	}
	var f frameHead
	if err := json.Unmarshal(text, &f); err != nil {
		c.fail(fmt.Errorf("the server sends what is no event: %.100q", text))
		return
	}
	// Most data is a string with JSON in it.
	data := []byte(f.Data)
	var inner string
	if json.Unmarshal(f.Data, &inner) == nil {
		data = []byte(inner)
	}
	switch f.Event {
	case "pusher:connection_established":
		c.greeted(data)
	case "pusher_internal:subscription_succeeded":
		c.confirmed(data)
	case "pusher:ping":
		c.conn.Write(wire.AppendFrame(nil, wire.OpText, []byte(`{"event":"pusher:pong","data":{}}`)))
	case "peal:gap":
		if n := len(c.listenings); n > 0 && f.Channel == c.seat.Name {
			l := &c.listenings[n-1]
			l.Gaps = append(l.Gaps, ledger.Gap{At: c.now(), Before: len(l.Heard)})
		}
	case "pusher:error", "pusher:subscription_error":
		c.why = fmt.Sprintf("%.300s", text)
		if c.state == asking && f.Event == "pusher:subscription_error" {
			c.fail(fmt.Errorf("the subscription was refused: %s", c.why))
		}
	}
}

var channelKey = []byte(`"channel":"`)

func (c *client) hear(id ledger.ID, frame []byte) {
	if len(c.listenings) == 0 {
		c.why = fmt.Sprintf("an event before any subscription: %.200q", frame)
		return
	}
	on := uint16(ledger.Elsewhere)
	if i := bytes.Index(frame, channelKey); i >= 0 {
		name, _, _ := bytes.Cut(frame[i+len(channelKey):], []byte(`"`))
		if string(name) == c.seat.Name {
			on = c.seat.Channel
		} else if n, known := c.crowd.numbers[string(name)]; known {
			on = n
		}
	}
	l := &c.listenings[len(c.listenings)-1]
	l.Heard = append(l.Heard, ledger.Heard{ID: id, On: on, At: c.now()})
}

func (c *client) greeted(data []byte) {
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal(data, &hello); err != nil || c.state != greeting {
		c.fail(fmt.Errorf("the server greets with %.100q", data))
		return
	}
	c.socketID, c.state = hello.SocketID, asking
	c.crowd.scratch = c.signer.AppendSubscribe(c.crowd.scratch[:0], c.socketID, c.seat.Name, c.seat.memberData())
	c.conn.Write(wire.AppendFrame(nil, wire.OpText, c.crowd.scratch))
}

func (s Seat) memberData() string {
	if s.User == "" {
		return ""
	}
	return `{"user_id":"` + s.User + `","user_info":{}}`
}

func (c *client) confirmed(data []byte) {
	if c.state != asking {
		return
	}
	c.state = listening
	c.crowd.opening--
	now := c.now()
	c.listenings = append(c.listenings, ledger.Listening{
		Client: c.number, Edge: c.seat.Edge, App: uint16(c.seat.App), Channel: c.seat.Channel, From: now,
	})
	if c.seat.User != "" {
		c.members.list(data, now)
	}
	if c.lastLoss >= 0 {
		c.losses[c.lastLoss].Back = now
		c.lastLoss = -1
	}
}
