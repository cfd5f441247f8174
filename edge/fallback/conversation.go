package fallback

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// conversation is what lasts from request to request: a session, what waits for its client, and who receives it. Like a
// socket it has a bounded queue, and a client that does not keep up costs itself.
type conversation struct {
	server  *Server
	id      string
	at      address
	how     transport        // in which it began
	session *session.Session // nil where somebody is only told why it may not come in
	lane    *usage.Lane
	known   *tenants.App  // the app as it was when this began, nil where there is none
	silence time.Duration // the activity timeout that the client was told

	// changed has something in it when live must look again.
	changed chan struct{}

	// talk is the session's one thread. Who has it may call the session.
	talk sync.Mutex
	left bool // guarded by talk; the session has been closed

	mu       sync.Mutex
	queue    [][]byte        // guarded by mu; shared frames
	held     int             // guarded by mu; frames waiting or being written
	bytes    int             // guarded by mu; their bytes
	alive    bool            // guarded by mu; the client wants to see a sign of life
	sends    int             // guarded by mu; bytes of requests that wait to be handled
	receiver *receiver       // guarded by mu
	opened   bool            // guarded by mu; a receiver was there to say that the conversation is open
	vacant   time.Time       // guarded by mu; since when there is no receiver
	seen     time.Time       // guarded by mu; the client's last sign of life
	end      *session.Ending // guarded by mu; set once, and nothing is queued after it
	expires  time.Time       // guarded by mu; when to stop waiting for somebody to be told the end
	stopping bool            // guarded by mu; the server stops
	gone     bool            // guarded by mu; nobody may receive any more
}

// receiver is a request that receives. There is one at a time, and a new one replaces it.
type receiver struct {
	// wake has something in it when there is something to write, or none must be written any more.
	wake chan struct{}
}

func newReceiver() *receiver { return &receiver{wake: make(chan struct{}, 1)} }

func (r *receiver) signal() { signal(r.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

var _ session.Carrier = (*conversation)(nil)

// newConversation returns a conversation that has not begun. end says why the guest may not come in, or is nil.
func (s *Server) newConversation(at address, how transport, g session.Guest, end *session.Ending) *conversation {
	now := time.Now()
	c := &conversation{
		server: s, id: session.NewSocketID(), at: at, how: how, known: g.App, changed: make(chan struct{}, 1), vacant: now, seen: now,
	}
	if end != nil {
		c.end, c.expires = end, now.Add(s.cfg.CloseTimeout)
		return c
	}
	c.silence = g.App.Limits.ActivityTimeout
	c.session = s.cfg.Sessions.New(g, c)
	c.lane = c.session.Lane()
	return c
}

// ID returns the socket id.
func (c *conversation) ID() string { return c.id }

// Send queues a message, and counts it if the queue takes it.
func (c *conversation) Send(frame []byte) {
	if c.queueFrame(frame) {
		c.lane.Delivered(len(frame))
	}
}

// Tell queues an answer of the conversation.
func (c *conversation) Tell(frame []byte) { c.queueFrame(frame) }

// queueFrame queues a frame and tells whether the queue took it. When there is no room the client does not keep up.
func (c *conversation) queueFrame(frame []byte) bool {
	queued, full := c.put(frame)
	if !full {
		return queued
	}
	if c.close(&session.Ending{Code: pusher.CloseOverCapacity, Text: "The connection does not keep up with what is sent to it"}, true) {
		c.server.metrics.slow.Inc()
	}
	return false
}

// put queues a frame. It tells whether it did and, if not, whether that was for want of room. A single frame always has
// room, however large it is.
func (c *conversation) put(frame []byte) (queued, full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := &c.server.cfg
	switch {
	case c.end != nil || c.gone:
		return false, false
	case c.held >= cfg.QueueFrames, c.held > 0 && c.bytes+len(frame) > cfg.QueueBytes:
		return false, true
	case c.held > 0 && c.server.over(c.bytes):
		return false, true
	}
	c.queue = append(c.queue, frame)
	c.count(1, len(frame))
	c.wakeReceiver()
	return true, false
}

// over tells whether more waits than may for all clients, and that one with so many bytes has more than its share of it.
func (s *Server) over(bytes int) bool {
	most := s.cfg.TotalQueueBytes
	return s.queued.Load() > most && int64(bytes) > most/max(1, s.members.Load())
}

// count changes what is held. The caller holds mu.
func (c *conversation) count(frames, bytes int) {
	c.held += frames
	c.bytes += bytes
	c.server.queued.Add(int64(bytes))
}

// End ends the conversation after what waits.
func (c *conversation) End(end *session.Ending) { c.close(end, false) }

// Terminate ends the conversation because its app has asked for that.
func (c *conversation) Terminate() { c.End(session.Terminated()) }

// close lets what waits be received, or drops it, and then the end be told. It returns at once and tells whether it was
// the first.
func (c *conversation) close(end *session.Ending, drop bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || c.gone {
		return false
	}
	c.end, c.expires = end, time.Now().Add(c.server.cfg.CloseTimeout)
	// Counted before the client can know of it.
	c.server.metrics.countClose(end.Code)
	if drop {
		c.drop()
	}
	c.wakeReceiver()
	signal(c.changed)
	return true
}

// drop forgets what waits. The caller holds mu.
func (c *conversation) drop() {
	bytes := 0
	for _, frame := range c.queue {
		bytes += len(frame)
	}
	c.count(-len(c.queue), -bytes)
	c.queue = nil
}

// wakeReceiver has the receiver look again. The caller holds mu.
func (c *conversation) wakeReceiver() {
	if c.receiver != nil {
		c.receiver.signal()
	}
}

// sign notes a sign of life.
func (c *conversation) sign() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = time.Now()
}

// showLife has a client that asked for it see that the way to it is open.
func (c *conversation) showLife() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive = true
	c.wakeReceiver()
}

// over tells whether nothing more is heard from the client.
func (c *conversation) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end != nil || c.gone
}

// app returns the app with the settings that hold now, or nil.
func (c *conversation) app() *tenants.App {
	if c.session == nil {
		return c.known
	}
	return c.session.App()
}

// allows tells whether a page of this origin may use the conversation.
func (c *conversation) allows(origin string) bool {
	return c.session == nil || c.session.App().Origins.Allow(origin)
}

// open begins the session, or sets the end that it begins with. The caller holds talk.
func (c *conversation) open(ctx context.Context) {
	c.guarded(ctx, func() {
		if end := c.session.Open(ctx); end != nil {
			c.End(end)
		}
	})
}

// leave closes the session once. The bus must hear of it whatever became of the client.
func (c *conversation) leave(ctx context.Context) {
	c.talk.Lock()
	defer c.talk.Unlock()
	if c.left || c.session == nil {
		return
	}
	c.left = true
	ctx, cancel := context.WithTimeout(ctx, c.server.cfg.CloseTimeout)
	defer cancel()
	c.guarded(ctx, func() { c.session.Close(ctx) })
}

// handle hands frames to the session, one after the other.
func (c *conversation) handle(ctx context.Context, frames []string) {
	c.talk.Lock()
	defer c.talk.Unlock()
	for _, frame := range frames {
		if c.left || c.over() {
			return
		}
		c.server.metrics.received.Inc()
		c.guarded(ctx, func() { c.session.Handle(ctx, []byte(frame)) })
	}
}

// guarded calls the session. A panic there ends this conversation and no other. The caller holds talk.
func (c *conversation) guarded(ctx context.Context, call func()) {
	defer func() {
		if p := recover(); p != nil {
			c.server.metrics.panics.Inc()
			c.server.cfg.Logger.ErrorContext(ctx, "panic while a message was handled", slog.String("app", c.session.App().ID),
				slog.String("socket", c.id), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			c.close(session.EndWith(pusher.CloseInternalError), true)
		}
	}()
	call()
}
