package socket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/edge/socket/wire"
	"github.com/pealhq/peal/pusher"
)

// keepAliveTick is how often wired sockets are asked what is due. A ping or a close comes that much late at most.
const keepAliveTick = 500 * time.Millisecond

// wiring is what all wired sockets of a server share.
type wiring struct {
	server  *Server
	writers *wire.Writers
	lot     *wire.Lot
}

// newWiring returns nil where every socket is to be portable.
func newWiring(s *Server) *wiring {
	if s.cfg.Portable {
		return nil
	}
	lot, err := wire.NewLot()
	if err != nil {
		s.cfg.Logger.Warn("sockets take more memory than they need to", slog.Any("error", err))
		return nil
	}
	writers := wire.NewWriters(wire.Config{
		Workers:      runtime.GOMAXPROCS(0),
		MaxQueued:    4 * int64(s.cfg.QueueBytes),
		MaxBacklog:   s.cfg.QueueBytes,
		WriteTimeout: s.cfg.WriteTimeout,
		CloseTimeout: s.cfg.CloseTimeout,
		ReadTimeout:  s.cfg.ReadTimeout,
		Sent:         func(messages int) { s.metrics.sent.Add(float64(messages)) },
		Stalled:      s.metrics.stalled.Inc,
	})
	s.metrics.backlog = func() float64 { return float64(writers.Backlog()) }
	return &wiring{server: s, writers: writers, lot: lot}
}

func (w *wiring) run(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error { return w.writers.Run(ctx) })
	all.Go(func() error { return w.lot.Run(ctx) })
	all.Go(func() error { return w.keepAlive(ctx) })
	return all.Wait()
}

// keepAlive asks all sockets, again and again, what is due: one timer for all of them.
func (w *wiring) keepAlive(ctx context.Context) error {
	tick := time.NewTicker(keepAliveTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.server.sockets.each(func(c *socket) {
				// A portable one, such as over TLS, has a timer of its own.
				if l, ok := c.line.(*wired); ok {
					l.keepAlive()
				}
			})
		case <-ctx.Done():
			return nil
		}
	}
}

// wired is a line that the wire carries: it has a goroutine only while there is something to read.
type wired struct {
	*socket
	wire *wire.Conn
	// inside says that the socket was let in, and not only told why not.
	inside bool
	// deaf is set when the session is not to hear what comes any more.
	deaf atomic.Bool
}

// serve takes a connection over and returns. end says why it may not come in, or is nil.
func (w *wiring) serve(rw http.ResponseWriter, r *http.Request, c *socket, end *session.Ending) {
	over := wire.Taker{Writers: w.writers, Lot: w.lot}.Take(rw)
	conn, err := accept(over, r, c.alive.sign, false)
	if err != nil {
		return // The answer is written; that somebody sent a wrong handshake is no trouble of ours.
	}
	l := &wired{socket: c, wire: over.Conn}
	c.conn, c.line = conn, l
	over.Conn.Own(l)
	if !w.server.sockets.begin(c) {
		end = w.server.shutdown
	}
	if end == nil {
		l.inside = true
		end = w.server.welcome(context.Background(), c)
	}
	if end != nil {
		l.End(end)
	}
	// A goroutine of its own, so that net/http's goroutine, its buffers and the request can go.
	go l.turn()
}

func (l *wired) send(frame []byte) (queued, full bool) { return l.wire.Send(frame) }

func (l *wired) queued() int64 { return l.wire.Queued() }

func (l *wired) keepAlive() {
	switch action, _ := l.alive.next(); action {
	case sendPing:
		// A ping frame, because several libraries do not answer a ping event.
		l.wire.Ping()
	case giveUp:
		l.close(session.EndWith(pusher.CloseNoPong), false)
	case doNothing:
	}
}

func (l *wired) finish(end *session.Ending, last []byte, drop bool) {
	l.deaf.Store(true)
	l.wire.Finish(last, uint16(end.Code), pusher.CloseReason(end.Text), drop) //nolint:gosec // a close code fits
}

func (l *wired) abort() {
	l.wire.Abort()
	l.wake()
}

// Readable is called by the wire when a parked socket has something to read.
func (l *wired) Readable() { go l.turn() }

// Overflowed is called by the wire when the client does not keep up.
func (l *wired) Overflowed() { l.tooSlow() }

// Broken is called by the wire when nothing can be written any more.
func (l *wired) Broken() { l.wake() }

// wake gives a parked socket a goroutine, to find out that it has ended.
func (l *wired) wake() {
	if l.wire.Unpark() {
		go l.turn()
	}
}

// turn reads what there is to read, and either parks the socket or ends it.
func (l *wired) turn() {
	ctx := context.Background() // Without an end, reading takes neither a goroutine nor a timer.
	for {
		err := l.message(ctx)
		switch {
		case err == nil:
		case errors.Is(err, wire.ErrIdle):
			if l.wire.Park() {
				return
			}
		case errors.Is(err, errPanicked):
			l.close(session.EndWith(pusher.CloseInternalError), true)
		default:
			l.end(ctx, err)
			return
		}
	}
}

// message reads one message and hands it to the session.
func (l *wired) message(ctx context.Context) error {
	if err := l.wire.Wait(); err != nil {
		return err
	}
	kind, r, err := l.conn.Reader(ctx)
	if err != nil {
		return err
	}
	l.wire.Message()
	if l.deaf.Load() {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	return l.readMessage(ctx, kind, r)
}

// end leaves nothing behind of a socket whose connection has ended.
func (l *wired) end(ctx context.Context, err error) {
	if l.inside {
		l.leave(ctx)
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		l.server.metrics.countClose(pusher.CloseTooBig)
		l.wire.Linger(l.server.cfg.CloseTimeout)
	}
	_ = l.conn.CloseNow()
	l.ended()
	l.wire.Leave()
	if l.inside {
		l.server.farewell()
	}
	l.server.sockets.exit(l.socket)
}
