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

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// socket is one connection: it reads what the client says for the session, and writes what the session and
// the hub have for the client.
type socket struct {
	id      string
	key     string // the public key that it came in with
	appID   string
	conn    *websocket.Conn
	session *session.Session
	out     *outbox
	alive   *keepAlive
	metrics *metrics
	log     *slog.Logger
	buffers *sync.Pool // of *bytes.Buffer

	writeTimeout time.Duration
	closeTimeout time.Duration
	// cancel ends the socket at once, without a word.
	cancel context.CancelFunc
	pings  sync.WaitGroup

	mu       sync.Mutex
	deadline *time.Timer // guarded by mu; calls cancel when closing takes too long
}

var _ channels.Subscriber = (*socket)(nil)

// ID returns the socket id.
func (c *socket) ID() string { return c.id }

// Send queues a frame. When there is no room the client does not keep up, and this one socket is closed.
func (c *socket) Send(frame []byte) {
	if c.out.put(frame) {
		return
	}
	if c.close(&ending{pusher.CloseOverCapacity, "The connection does not keep up with what is sent to it"}, true) {
		c.metrics.slow.Inc()
	}
}

// close lets what waits be written, or drops it, then says why in an error frame, because clients below
// protocol 6 understand only that, and then closes. It returns at once and tells whether it was the first.
func (c *socket) close(end *ending, drop bool) bool {
	if !c.out.finish(end, pusher.Error(end.code, end.text), drop) {
		return false
	}
	c.metrics.countClose(end.code)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = time.AfterFunc(c.closeTimeout, c.cancel)
	return true
}

// converse carries the conversation until either side ends it, and leaves nothing behind.
func (c *socket) converse(ctx context.Context, activityTimeout time.Duration) {
	c.session.Open(activityTimeout)
	err := c.read(ctx)
	c.leave(ctx)
	if errors.Is(err, websocket.ErrMessageTooBig) {
		// The close frame with 1009 is out. Closing now, with more of the message on its way, would reset
		// the connection and could take that frame back.
		c.metrics.countClose(pusher.CloseTooBig)
		_ = c.conn.Close(websocket.StatusMessageTooBig, pusher.CloseTooBig.String())
	}
}

// refuse only says why the connection is not let in, and waits until that was heard.
func (c *socket) refuse(ctx context.Context, end *ending) {
	c.close(end, false)
	_ = c.discard(ctx)
}

// serve runs the write side while work runs, and closes the connection.
func (c *socket) serve(ctx context.Context, work func(context.Context)) {
	var writer sync.WaitGroup
	writer.Go(func() { c.write(ctx) })
	defer func() {
		c.cancel()
		writer.Wait()
		_ = c.conn.CloseNow()
		c.pings.Wait()
		c.out.shut()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.deadline != nil {
			c.deadline.Stop()
		}
	}()
	work(ctx)
}

// leave ends the subscriptions. The socket's context may be over by now, but the bus must hear of it.
func (c *socket) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.closeTimeout)
	defer cancel()
	c.session.Close(ctx)
}

var errPanicked = errors.New("panic while a message was handled")

// read hands message after message to the session until the connection ends. After a panic in the session it
// closes the socket and only waits for the end.
func (c *socket) read(ctx context.Context) error {
	for {
		err := c.readMessage(ctx)
		if errors.Is(err, errPanicked) {
			c.close(endWith(pusher.CloseInternalError), true)
			return c.discard(ctx)
		}
		if err != nil {
			return err
		}
	}
}

func (c *socket) readMessage(ctx context.Context) error {
	kind, r, err := c.conn.Reader(ctx)
	if err != nil {
		return err
	}
	c.alive.sign()
	buf := c.buffers.Get().(*bytes.Buffer) //nolint:errcheck // the pool holds nothing else
	defer c.buffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	c.alive.sign()
	c.metrics.received.Inc()
	return c.handle(ctx, kind, buf.Bytes())
}

func (c *socket) handle(ctx context.Context, kind websocket.MessageType, text []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.metrics.panics.Inc()
			c.log.ErrorContext(ctx, "panic while a message was handled", slog.String("app", c.appID),
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

// discard reads and forgets until the connection ends, so that the close handshake can be completed.
func (c *socket) discard(ctx context.Context) error {
	for {
		_, r, err := c.conn.Reader(ctx)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
}

// readLimit returns how large a client's message may be: an event's payload, each byte of which may become
// six in JSON, and its envelope. Pusher's default of 10 KiB gives 64 KiB.
func readLimit(limits *tenants.Limits) int64 {
	const floor, escaped, envelope = 64 << 10, 6, 4 << 10
	return max(floor, int64(limits.PayloadBytes)*escaped+envelope)
}
