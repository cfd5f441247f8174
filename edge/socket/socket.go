package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// line is the connection under a socket: how frames get to the peer, and how it ends. Its methods may be
// called at any time and do not block.
type line interface {
	// send queues a frame. It tells whether it did and, if not, whether that was for want of room; else the connection has
	// ended.
	send(frame []byte) (queued, full bool)
	// finish queues a last frame, and the close frame after it; with drop, in place of what waits. It is called once.
	finish(end *session.Ending, last []byte, drop bool)
	// queued returns the bytes that wait for the peer.
	queued() int64
	// abort ends the connection at once, without a word.
	abort()
}

// socket is one connection: it hands what the client says to the session, and to the line what the session and
// the hub have for the client.
type socket struct {
	server  *Server
	id      string
	conn    *websocket.Conn
	line    line
	session *session.Session
	lane    *usage.Lane
	alive   *keepAlive

	mu       sync.Mutex
	deadline *time.Timer // guarded by mu; set when closing begins, and aborts when it takes too long
	gone     bool        // guarded by mu; the connection has ended
}

var _ session.Carrier = (*socket)(nil)

// ID returns the socket id.
func (c *socket) ID() string { return c.id }

// Send queues a message, and counts it if the queue takes it.
func (c *socket) Send(frame []byte) {
	if c.queue(frame) {
		c.lane.Delivered(len(frame))
	}
}

// Tell queues an answer of the conversation.
func (c *socket) Tell(frame []byte) { c.queue(frame) }

// queue queues a frame and tells whether the queue took it. When there is no room the client does not keep up.
func (c *socket) queue(frame []byte) bool {
	queued, full := c.line.send(frame)
	if full {
		c.tooSlow()
	}
	return queued
}

// tooSlow closes this one socket, whose client does not keep up.
func (c *socket) tooSlow() {
	if c.close(&session.Ending{Code: pusher.CloseOverCapacity, Text: "The connection does not keep up with what is sent to it"}, true) {
		c.server.metrics.slow.Inc()
	}
}

// End closes the socket after what waits.
func (c *socket) End(end *session.Ending) { c.close(end, false) }

// Terminate closes the socket because its app has asked for that.
func (c *socket) Terminate() { c.End(session.Terminated()) }

// compressed tells whether the socket's app wants its frames compressed.
func (c *socket) compressed() bool { return c.session != nil && c.session.App().Features.Compression }

// close lets what waits be written, or drops it, then says why in an error frame, because clients below
// protocol 6 understand only that, and then closes. It returns at once and tells whether it was the first.
func (c *socket) close(end *session.Ending, drop bool) bool {
	c.mu.Lock()
	if c.gone || c.deadline != nil {
		c.mu.Unlock()
		return false
	}
	// Counted before the client can know of it.
	c.server.metrics.countClose(end.Code)
	c.deadline = time.AfterFunc(c.server.cfg.CloseTimeout, c.line.abort)
	c.mu.Unlock()
	c.line.finish(end, pusher.Error(end.Code, end.Text), drop)
	return true
}

// ended stops what waits for the end of the connection.
func (c *socket) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.deadline != nil {
		c.deadline.Stop()
	}
}

// leave ends the subscriptions. The socket's context may be over by now, but the bus must hear of it.
func (c *socket) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.server.cfg.CloseTimeout)
	defer cancel()
	c.session.Close(ctx)
}

var errPanicked = errors.New("panic while a message was handled")

// readMessage reads the rest of a message that has begun and hands it to the session.
func (c *socket) readMessage(ctx context.Context, kind websocket.MessageType, r io.Reader) error {
	c.alive.sign()
	buf := c.server.buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool holds nothing else
	defer c.server.buffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	c.alive.sign()
	c.server.metrics.received.Inc()
	return c.handle(ctx, kind, buf.Bytes())
}

func (c *socket) handle(ctx context.Context, kind websocket.MessageType, text []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.server.metrics.panics.Inc()
			c.server.cfg.Logger.ErrorContext(ctx, "panic while a message was handled", slog.String("app", c.session.App().ID),
				slog.String("socket", c.id), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			err = errPanicked
		}
	}()
	if kind != websocket.MessageText {
		c.session.RefuseBinary()
		return nil
	}
	c.session.Handle(ctx, text)
	return nil
}

// readLimit returns how large a client's message may be: an event's payload, each byte of which may become
// six in JSON, and its envelope. Pusher's default of 10 KiB gives 64 KiB.
func readLimit(limits *tenants.Limits) int64 {
	const floor, escaped, envelope = 64 << 10, 6, 4 << 10
	return max(floor, int64(limits.PayloadBytes)*escaped+envelope)
}
