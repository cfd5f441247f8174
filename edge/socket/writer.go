package socket

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/pusher"
)

// write is the only one that writes messages to the connection: what waits in the outbox, then the end. It
// also asks the keep-alive when to do what. It returns when the socket is closed or ctx ends.
func (c *socket) write(ctx context.Context) {
	timer := time.NewTimer(c.alive.silence)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(c.keepAlive(ctx))
		case <-c.out.wake:
			if !c.flush(ctx) {
				return
			}
		}
	}
}

// flush writes what waits and tells whether more may come.
func (c *socket) flush(ctx context.Context) bool {
	batch, end := c.out.take()
	for _, frame := range batch {
		if err := c.writeFrame(ctx, frame); err != nil {
			c.cancel() // The connection is gone; so is whatever the reader waits for.
			return false
		}
		c.out.written(frame)
		c.metrics.sent.Inc()
	}
	if end != nil {
		// The peer has five seconds to answer the close frame. An error means that it did not, or that it
		// was gone already, and the connection is closed in any case.
		_ = c.conn.Close(websocket.StatusCode(end.code), pusher.CloseReason(end.text))
		return false
	}
	c.out.reuse(batch)
	return true
}

func (c *socket) writeFrame(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.writeTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, frame)
}

// keepAlive does what is due and returns when to ask again.
func (c *socket) keepAlive(ctx context.Context) time.Duration {
	action, again := c.alive.next()
	switch action {
	case sendPing:
		// A ping frame, because several libraries do not answer a ping event. Ping waits for its pong, so it
		// has a goroutine of its own; what came is seen by the reader.
		c.pings.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, again)
			defer cancel()
			_ = c.conn.Ping(ctx)
		})
	case giveUp:
		c.close(endWith(pusher.CloseNoPong), false)
	case doNothing:
	}
	return again
}
