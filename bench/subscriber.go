package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
	"github.com/pealhq/peal/pusher"
)

type subscriberState uint8

const (
	upgrading  subscriberState = iota // the answer to the upgrade is awaited
	greeting                          // and then the first frame
	standing                          // open, with no subscription
	confirming                        // the answer to the subscription is awaited
	listening
	gone
)

// subscriber is one socket. What it hears that is stamped it counts, and the little else there is it reads as JSON.
type subscriber struct {
	audience *audience
	conn     loop.Conn
	walker   wire.Walker
	state    subscriberState
	channel  uint16
	member   string // the data of a member, on presence channels
	socketID string
	present  int // members it knows of
	streams  []order
	partial  []byte        // of a message in several frames
	began    time.Duration // when it was dialed
}

func (s *subscriber) Opened(c loop.Conn) {
	s.conn = c
	c.Write(wire.AppendUpgrade(nil, s.audience.host, s.audience.key))
}

func (s *subscriber) Closed(err error) {
	s.state, s.conn = gone, nil
	s.audience.left(s, err)
}

func (s *subscriber) Data(_ loop.Conn, b []byte) {
	s.walker.Feed(b)
	if s.state == upgrading {
		whole, err := s.walker.Upgrade()
		if err != nil {
			s.fail(err)
			return
		}
		if !whole {
			return
		}
		s.state = greeting
	}
	now := s.audience.loop.Now()
	for s.state != gone {
		f, ok, err := s.walker.Next()
		if err != nil {
			s.fail(err)
		}
		if !ok {
			return
		}
		s.frame(f, now)
	}
}

func (s *subscriber) fail(err error) {
	if s.conn != nil {
		s.conn.Close()
	}
	s.Closed(err)
}

func (s *subscriber) frame(f wire.Frame, now time.Duration) {
	switch {
	case f.Op == wire.OpText && f.Fin:
		s.message(f.Payload, now)
	case f.Op == wire.OpText, f.Op == wire.OpContinuation:
		if s.partial = append(s.partial, f.Payload...); f.Fin {
			s.message(s.partial, now)
			s.partial = nil
		}
	case f.Op == wire.OpPing:
		s.conn.Write(wire.AppendFrame(nil, wire.OpPong, f.Payload))
	case f.Op == wire.OpClose:
		s.fail(closeReason(f.Payload))
	}
}

func closeReason(payload []byte) error {
	if len(payload) < 2 {
		return fmt.Errorf("the server closes the socket without a reason")
	}
	return fmt.Errorf("the server closes the socket with %d: %s", int(payload[0])<<8|int(payload[1]), payload[2:])
}

func (s *subscriber) message(text []byte, now time.Duration) {
	if stamp, ok := s.audience.finder.Find(text); ok {
		s.audience.hear(s, stamp, now)
		return
	}
	// Notices come in their thousands, and only their number is wanted.
	if bytes.Contains(text, memberAdded) {
		s.audience.noticed(s)
		return
	}
	var e struct{ Event, Data string }
	// The data of pusher:error is an object; the event has been read by then.
	if err := json.Unmarshal(text, &e); err != nil && e.Event == "" {
		s.fail(fmt.Errorf("the server sends what is no event: %.100q", text))
		return
	}
	s.event(e.Event, e.Data, text)
}

var memberAdded = []byte(`"pusher_internal:member_added"`)

func (s *subscriber) event(name, data string, text []byte) {
	switch name {
	case pusher.EventConnectionEstablished:
		var hello struct {
			SocketID string `json:"socket_id"`
		}
		if err := json.Unmarshal([]byte(data), &hello); err != nil || s.state != greeting {
			s.fail(fmt.Errorf("the server greets with %.100q", text))
			return
		}
		s.socketID, s.state = hello.SocketID, standing
		s.audience.opened(s)
	case pusher.EventSubscriptionSucceeded:
		if s.state != confirming {
			return
		}
		s.state = listening
		if s.member != "" {
			var list struct{ Presence struct{ Count int } }
			if err := json.Unmarshal([]byte(data), &list); err != nil {
				s.fail(fmt.Errorf("the server lists members as %.100q", data))
				return
			}
			s.audience.met(s, list.Presence.Count)
		}
		s.audience.subscribed(s)
	case pusher.EventSubscriptionError, pusher.EventInternalSubscriptionError, pusher.EventError:
		s.audience.refuse(fmt.Errorf("the server refuses: %.300s", text))
	case pusher.EventPing:
		s.conn.Write(wire.AppendFrame(nil, wire.OpText, []byte(`{"event":"pusher:pong","data":{}}`)))
	}
}

// subscribe asks for the socket's channel.
func (s *subscriber) subscribe() {
	s.state = confirming
	a := s.audience
	a.room = a.signer.AppendSubscribe(a.room[:0], s.socketID, a.names[s.channel], s.member)
	s.conn.Write(wire.AppendFrame(nil, wire.OpText, a.room))
}

func (s *subscriber) hangUp() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.state, s.conn = gone, nil
}
