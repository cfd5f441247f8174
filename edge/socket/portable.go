package socket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/coder/websocket"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// portable is a line of two goroutines: the one that net/http serves the request on reads, and one of its own
// writes. It works on every system and over every kind of connection.
type portable struct {
	*socket
	out    *outbox
	cancel context.CancelFunc
	pings  sync.WaitGroup
}

// servePortable serves a connection until it ends. end says why it may not come in, or is nil.
func (s *Server) servePortable(w http.ResponseWriter, r *http.Request, c *socket, end *session.Ending) {
	defer s.sockets.exit(c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context())) // a socket outlives its request
	defer cancel()
	p := &portable{socket: c, out: newOutbox(s.cfg.QueueFrames, s.cfg.QueueBytes), cancel: cancel}
	c.line = p
	if !s.sockets.begin(c) {
		turnAway(w, "shutting down")
		return
	}
	conn, err := accept(w, r, c.alive.sign, c.compressed())
	if err != nil {
		return // The answer is written; that somebody sent a wrong handshake is no trouble of ours.
	}
	c.conn = conn
	p.serve(ctx, func(ctx context.Context) {
		if end == nil {
			end = s.welcome(ctx, c)
			defer s.farewell()
			if end != nil {
				defer c.leave(ctx) // It had entered before it was told to go.
			}
		}
		if end != nil {
			c.close(end, false)
			_ = p.discard(ctx)
			return
		}
		p.converse(ctx)
	})
}

func (p *portable) send(frame []byte) (queued, full bool) { return p.out.put(frame) }

func (p *portable) finish(end *session.Ending, last []byte, drop bool) {
	p.out.finish(end, last, drop)
}

func (p *portable) queued() int64 { return p.out.waiting() }

func (p *portable) abort() { p.cancel() }

// serve runs the write side while work runs, and closes the connection.
func (p *portable) serve(ctx context.Context, work func(context.Context)) {
	var writer sync.WaitGroup
	writer.Go(func() { p.write(ctx) })
	defer func() {
		p.cancel()
		writer.Wait()
		_ = p.conn.CloseNow()
		p.pings.Wait()
		p.out.shut()
		p.ended()
	}()
	work(ctx)
}

// converse carries the conversation until either side ends it, and leaves nothing behind.
func (p *portable) converse(ctx context.Context) {
	err := p.read(ctx)
	p.leave(ctx)
	if errors.Is(err, websocket.ErrMessageTooBig) {
		// The close frame with 1009 is out. Closing now, with more of the message on its way, would reset
		// the connection and could take that frame back.
		p.server.metrics.countClose(pusher.CloseTooBig)
		_ = p.conn.Close(websocket.StatusMessageTooBig, pusher.CloseTooBig.String())
	}
}

// read hands message after message to the session until the connection ends. After a panic in the session it
// closes the socket and only waits for the end.
func (p *portable) read(ctx context.Context) error {
	for {
		kind, r, err := p.conn.Reader(ctx)
		if err != nil {
			return err
		}
		err = p.readMessage(ctx, kind, r)
		if errors.Is(err, errPanicked) {
			p.close(session.EndWith(pusher.CloseInternalError), true)
			return p.discard(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// discard reads and forgets until the connection ends, so that the close handshake can be completed.
func (p *portable) discard(ctx context.Context) error {
	for {
		_, r, err := p.conn.Reader(ctx)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
}
