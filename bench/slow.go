package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/pealhq/peal/bench/wire"
)

// slowBuffer is how much the system takes in for a reader that does not read, before the server notices.
const slowBuffer = 4 << 10

// slowReaders are sockets that subscribe to a channel and then never read. They are no part of the audience: what they
// cost the others is what is looked for.
type slowReaders []net.Conn

// openSlow opens the slow readers of a round, each on the first channel.
func (r *round) openSlow(ctx context.Context) (slowReaders, error) {
	dialer := net.Dialer{Timeout: openTimeout, Control: smallBuffer}
	subscribe := []byte(`{"event":"pusher:subscribe","data":{"channel":"` + r.audience.names[0] + `"}}`)
	hello := wire.AppendFrame(wire.AppendUpgrade(nil, r.target.Host, r.target.App.Key), wire.OpText, subscribe)
	var all slowReaders
	for range r.cfg.Slow {
		conn, err := dialer.DialContext(ctx, "tcp", r.target.sockets().String())
		if err != nil {
			return all, fmt.Errorf("open a slow reader: %w", err)
		}
		all = append(all, conn)
		if _, err := conn.Write(hello); err != nil {
			return all, fmt.Errorf("open a slow reader: %w", err)
		}
		// The first bytes of the answer show that it is there. What comes after them stays where it is.
		if err := conn.SetReadDeadline(time.Now().Add(openTimeout)); err != nil {
			return all, fmt.Errorf("open a slow reader: %w", err)
		}
		if _, err := conn.Read(make([]byte, 12)); err != nil {
			return all, fmt.Errorf("open a slow reader: %w", err)
		}
	}
	return all, nil
}

// smallBuffer is set before connecting, because the window that is told to the peer depends on it.
func smallBuffer(_, _ string, c syscall.RawConn) error {
	var inner error
	err := c.Control(func(fd uintptr) {
		inner = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, slowBuffer)
	})
	return errors.Join(err, inner)
}

func (s slowReaders) hangUp() {
	for _, conn := range s {
		_ = conn.Close() // The server may have closed it long ago.
	}
}
