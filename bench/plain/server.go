package plain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/pusher"
)

// Server serves sockets under /app/ and publishes under /apps/.
type Server struct {
	mu       sync.Mutex
	channels map[string]*channel
}

// New returns a server with no channels.
func New() *Server { return &Server{channels: map[string]*channel{}} }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/app/"):
		s.serveSocket(w, r)
	case strings.HasSuffix(r.URL.Path, "/events"):
		answer(w, s.publish(r.Body))
	case strings.HasSuffix(r.URL.Path, "/batch_events"):
		answer(w, s.publishBatch(r.Body))
	default:
		http.NotFound(w, r)
	}
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// maxBody is more than a batch of the largest events takes.
const maxBody = 1 << 20

func (s *Server) publish(body io.Reader) error {
	var e struct {
		Name, Channel, Data string
		Channels            []string
	}
	if err := json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&e); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	if e.Channel != "" {
		e.Channels = append(e.Channels, e.Channel)
	}
	event := pusher.NewEvent(e.Name, e.Data)
	for _, name := range e.Channels {
		s.deliver(name, event.Frame(name))
	}
	return nil
}

func (s *Server) publishBatch(body io.Reader) error {
	var b struct {
		Batch []struct{ Name, Channel, Data string }
	}
	if err := json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&b); err != nil {
		return fmt.Errorf("read the batch: %w", err)
	}
	for _, e := range b.Batch {
		s.deliver(e.Channel, pusher.NewEvent(e.Name, e.Data).Frame(e.Channel))
	}
	return nil
}

// clientFrame is what a client sends.
type clientFrame struct {
	Event string
	Data  struct {
		Channel     string
		ChannelData string `json:"channel_data"`
	}
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // There is nothing left to lose on it.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &socket{conn: conn, out: make(chan []byte, queued), stop: cancel}
	c.send(pusher.ConnectionEstablished(newSocketID(), 120*time.Second))
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		c.write(ctx)
	}()
	s.read(ctx, c)
	s.leave(c)
	cancel()
	<-writer
}

func newSocketID() string {
	return fmt.Sprintf("%d.%d", rand.Uint32(), rand.Uint32()) //nolint:gosec // Nothing here is worth guessing.
}

// read serves what a client asks until it is gone.
func (s *Server) read(ctx context.Context, c *socket) {
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		var f clientFrame
		if err := json.Unmarshal(text, &f); err != nil {
			c.send(pusher.Error(0, "Invalid JSON"))
			continue
		}
		switch f.Event {
		case pusher.EventPing:
			c.send(pusher.Pong())
		case pusher.EventSubscribe:
			if err := s.subscribe(c, f.Data.Channel, f.Data.ChannelData); err != nil {
				c.send(pusher.Error(0, err.Error()))
			}
		}
	}
}

var errNoMember = errors.New("a presence channel needs channel_data with a user_id")
