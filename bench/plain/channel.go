package plain

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/pealhq/peal/pusher"
)

// channel is who listens.
type channel struct {
	mu      sync.Mutex
	sockets map[*socket]string // with the member of each, by id
	members map[string]member
}

type member struct {
	info  json.RawMessage
	count int // sockets
}

// named returns a channel, which stays once it has been asked for.
func (s *Server) named(name string) *channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		ch = &channel{sockets: map[*socket]string{}, members: map[string]member{}}
		s.channels[name] = ch
	}
	return ch
}

func (s *Server) deliver(name string, frame []byte) {
	ch := s.named(name)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.tell(frame)
}

// tell sends a frame to every socket; the caller holds the lock.
func (ch *channel) tell(frame []byte) {
	for c := range ch.sockets {
		c.send(frame)
	}
}

func (s *Server) subscribe(c *socket, name, data string) error {
	ch := s.named(name)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	c.in = append(c.in, ch)
	if !strings.HasPrefix(name, "presence-") {
		ch.sockets[c] = ""
		c.send(pusher.SubscriptionSucceeded(name))
		return nil
	}
	var m struct {
		UserID   string          `json:"user_id"`
		UserInfo json.RawMessage `json:"user_info"`
	}
	if err := json.Unmarshal([]byte(data), &m); err != nil || m.UserID == "" {
		return errNoMember
	}
	known := ch.members[m.UserID]
	if known.count == 0 {
		ch.tell(frame("pusher_internal:member_added", name, data))
		known.info = m.UserInfo
	}
	known.count++
	ch.members[m.UserID] = known
	ch.sockets[c] = m.UserID
	c.send(frame(pusher.EventSubscriptionSucceeded, name, ch.list()))
	return nil
}

// list is who is here, as a new member is told.
func (ch *channel) list() string {
	var p struct {
		Presence struct {
			Count int                        `json:"count"`
			IDs   []string                   `json:"ids"`
			Hash  map[string]json.RawMessage `json:"hash"`
		} `json:"presence"`
	}
	p.Presence.Count, p.Presence.Hash = len(ch.members), map[string]json.RawMessage{}
	for id, m := range ch.members {
		p.Presence.IDs = append(p.Presence.IDs, id)
		p.Presence.Hash[id] = m.info
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "{}" // Not reached: what was raw JSON was parsed as such.
	}
	return string(text)
}

func frame(event, channel, data string) []byte {
	return pusher.NewEvent(event, data).Frame(channel)
}

// leave takes a socket out of all its channels.
func (s *Server) leave(c *socket) {
	for _, ch := range c.in {
		ch.leave(c)
	}
}

func (ch *channel) leave(c *socket) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	id, here := ch.sockets[c]
	delete(ch.sockets, c)
	if !here || id == "" {
		return
	}
	m := ch.members[id]
	if m.count--; m.count > 0 {
		ch.members[id] = m
		return
	}
	delete(ch.members, id)
}
