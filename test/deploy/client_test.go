package deploy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/test/chaos/stack"
)

// frame is one message of the Pusher protocol.
type frame struct {
	Event   string `json:"event"`
	Channel string `json:"channel"`
	Data    string `json:"data"`
}

// socket is a client with a WebSocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func dial(t *testing.T, addr string, header http.Header) *socket {
	t.Helper()
	s := connect(t, addr, header)
	if f := s.next(); f.Event != "pusher:connection_established" {
		t.Fatalf("greeted with %+v", f)
	}
	return s
}

// admitted tells whether a client is let in.
func admitted(t *testing.T, addr string, header http.Header) bool {
	t.Helper()
	s := connect(t, addr, header)
	return s.next().Event == "pusher:connection_established"
}

func connect(t *testing.T, addr string, header http.Header) *socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/app/abc?protocol=7", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &socket{t, conn}
}

func (s *socket) close() { s.conn.CloseNow() }

func (s *socket) next() (f frame) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	_, text, err := s.conn.Read(ctx)
	if err != nil {
		s.t.Fatalf("read: %v", err)
	}
	_ = json.Unmarshal(text, &f) // That of an error is an object; what matters is its name.
	return f
}

func (s *socket) subscribe(channel string) {
	s.t.Helper()
	if err := s.conn.Write(s.t.Context(), websocket.MessageText, []byte(subscribe(channel))); err != nil {
		s.t.Fatal(err)
	}
	if f := s.next(); f.Event != "pusher_internal:subscription_succeeded" || f.Channel != channel {
		s.t.Fatalf("subscribed with %+v", f)
	}
}

func subscribe(channel string) string {
	return `{"event":"pusher:subscribe","data":{"auth":"","channel":"` + channel + `"}}`
}

// conversation is a client that gets no WebSocket through: a stream, and requests for what it says.
type conversation struct {
	t      *testing.T
	client *http.Client
	at     string
	lines  chan string // of the stream; closed when it ends
}

func open(t *testing.T, client *http.Client, addr, session string) *conversation {
	t.Helper()
	c := &conversation{t, client, "http://" + addr + "/pusher/app/abc/982/" + session, make(chan string, 100)}
	resp := c.post(t.Context(), "xhr_streaming?protocol=7&client=js&version=8.4.0", "")
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", resp.Status)
	}
	go func() {
		defer close(c.lines)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if line := lines.Text(); !strings.HasPrefix(line, "h") {
				c.lines <- line
			}
		}
	}()
	c.until("pusher:connection_established")
	return c
}

func (c *conversation) post(ctx context.Context, what, body string) *http.Response {
	c.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at+"/"+what, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
	return resp
}

func (c *conversation) subscribe(channel string) {
	c.t.Helper()
	text, _ := json.Marshal([]string{subscribe(channel)})
	resp := c.post(c.t.Context(), "xhr_send", string(text))
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusOK {
		c.t.Fatalf("send: %s: the other edge does not know this conversation", resp.Status)
	}
	c.until(channel)
}

// until waits for a line with a text in it: a stream that is gathered on its way brings none.
func (c *conversation) until(text string) {
	c.t.Helper()
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.t.Fatalf("the stream ended before %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-time.After(patience):
			c.t.Fatalf("no line says %q", text)
		}
	}
}

// metric reads one figure from an edge; what it does not have is 0.
func metric(t *testing.T, e *stack.Edge, name string) float64 {
	t.Helper()
	for line := range strings.Lines(ask(t, e.Ops()+"/metrics")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func accepted(t *testing.T, e *stack.Edge) float64 {
	t.Helper()
	return metric(t, e, "peal_connections_accepted_total")
}

// self is an edge's own id.
func self(t *testing.T, e *stack.Edge) string {
	t.Helper()
	var list struct {
		Nodes []struct {
			ID   string
			Self bool
		}
	}
	if err := json.Unmarshal([]byte(ask(t, e.Ops()+"/nodes")), &list); err != nil {
		t.Fatal(err)
	}
	for _, n := range list.Nodes {
		if n.Self {
			return n.ID
		}
	}
	t.Fatal("the edge does not know itself")
	return ""
}

func ask(t *testing.T, at string) string {
	t.Helper()
	resp, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(fmt.Sprint(at, ": ", resp.Status, err))
	}
	return string(text)
}
