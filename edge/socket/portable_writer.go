package socket

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// write is the only one that writes messages to the connection: what waits in the outbox, then the end. It
// also asks the keep-alive when to do what. It returns when the socket is closed or ctx ends.
func (p *portable) write(ctx context.Context) {
	timer := time.NewTimer(p.alive.silence)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(p.keepAlive(ctx))
		case <-p.out.wake:
			if !p.flush(ctx) {
				return
			}
		}
	}
}

// flush writes what waits and tells whether more may come.
func (p *portable) flush(ctx context.Context) bool {
	batch, end := p.out.take()
	for _, frame := range batch {
		if err := p.writeFrame(ctx, frame); err != nil {
			p.cancel() // The connection is gone; so is whatever the reader waits for.
			return false
		}
		p.out.written(frame)
		p.server.metrics.sent.Inc()
	}
	if end != nil {
		// The peer has five seconds to answer the close frame. An error means that it did not, or that it
		// was gone already, and the connection is closed in any case.
		_ = p.conn.Close(websocket.StatusCode(end.Code), pusher.CloseReason(end.Text))
		return false
	}
	p.out.reuse(batch)
	return true
}

func (p *portable) writeFrame(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, p.server.cfg.WriteTimeout)
	defer cancel()
	return p.conn.Write(ctx, websocket.MessageText, frame)
}

// keepAlive does what is due and returns when to ask again.
func (p *portable) keepAlive(ctx context.Context) time.Duration {
	action, again := p.alive.next()
	switch action {
	case sendPing:
		p.pingWithin(ctx, again)
	case giveUp:
		p.close(session.EndWith(pusher.CloseNoPong), false)
	case doNothing:
	}
	return again
}

// pingWithin sends a ping frame, because several libraries do not answer a ping event. Ping waits for its pong, so it
// has a goroutine of its own; what came is seen by the reader.
func (p *portable) pingWithin(ctx context.Context, wait time.Duration) {
	p.pings.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		_ = p.conn.Ping(ctx)
	})
}
