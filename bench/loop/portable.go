package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// portable carries each connection on a goroutine of its own. Handlers and steps run under one lock, which the owner of
// the loop holds whenever Run does not wait: so what the owner does between two runs is not in anybody's way either.
type portable struct {
	began time.Time
	kick  chan struct{}
	group sync.WaitGroup

	mu     sync.Mutex // handlers and steps, and what follows
	conns  map[*portableConn]struct{}
	closed bool
	waited time.Duration // by Run alone
}

func newPortable() Loop {
	l := &portable{began: time.Now(), kick: make(chan struct{}, 1), conns: map[*portableConn]struct{}{}}
	l.mu.Lock() // until Run or Close
	return l
}

func (l *portable) Now() time.Duration    { return time.Since(l.began) }
func (l *portable) Waited() time.Duration { return l.waited }

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 5 * time.Second
)

func (l *portable) Dial(to netip.AddrPort, from netip.Addr, h Handler) error {
	if l.closed {
		return net.ErrClosed
	}
	c := &portableConn{loop: l, handler: h}
	l.conns[c] = struct{}{}
	dialer := net.Dialer{Timeout: dialTimeout}
	if from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	l.group.Go(func() { c.run(&dialer, to) })
	return nil
}

func (l *portable) Run(ctx context.Context, step Step) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := l.Now()
		wake, done := step(now)
		if err := ctx.Err(); done || err != nil {
			return err
		}
		timer.Reset(min(max(0, wake-now), maxWait))
		l.mu.Unlock()
		select {
		case <-timer.C:
		case <-l.kick:
		}
		l.mu.Lock()
		l.waited += l.Now() - now
	}
}

func (l *portable) Close() error {
	l.closed = true
	for c := range l.conns {
		c.Close()
	}
	l.mu.Unlock()
	l.group.Wait()
	return nil
}

// portableConn is one connection; its fields are guarded by the loop's lock.
type portableConn struct {
	loop    *portable
	handler Handler
	conn    *net.TCPConn // nil until it stands
	closed  bool
}

const readSize = 16 << 10

func (c *portableConn) run(dialer *net.Dialer, to netip.AddrPort) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	conn, err := dialer.DialContext(ctx, "tcp", to.String())
	if err != nil {
		c.locked(func() { c.end(err) })
		return
	}
	defer conn.Close() //nolint:errcheck // There is nothing left to lose on it.
	c.locked(func() { c.open(conn) })
	buf := make([]byte, readSize)
	for {
		n, err := conn.Read(buf)
		c.locked(func() {
			if n > 0 && !c.closed {
				c.handler.Data(c, buf[:n])
			}
			if err != nil {
				c.end(err)
			}
		})
		if err != nil {
			return
		}
	}
}

// locked runs f as the only handler, and lets the run ask its step.
func (c *portableConn) locked(f func()) {
	c.loop.mu.Lock()
	f()
	c.loop.mu.Unlock()
	select {
	case c.loop.kick <- struct{}{}:
	default:
	}
}

func (c *portableConn) open(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if c.closed || !ok {
		_ = conn.Close()
		return
	}
	c.conn = tcp
	c.handler.Opened(c)
}

func (c *portableConn) end(err error) {
	if c.closed {
		return
	}
	c.Close()
	if errors.Is(err, io.EOF) {
		err = errEnded
	}
	c.handler.Closed(err)
}

func (c *portableConn) Write(b []byte) {
	if c.closed || c.conn == nil {
		return
	}
	// A server that takes nothing for so long is as good as gone. The reading side reports it.
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := c.conn.Write(b); err != nil {
		_ = c.conn.Close()
	}
}

func (c *portableConn) Close() {
	if c.closed {
		return
	}
	c.closed = true
	delete(c.loop.conns, c)
	if c.conn != nil {
		_ = c.conn.SetLinger(0)
		_ = c.conn.Close()
	}
}
