package loop

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// pollIn is what a connection is polled for when it has nothing to write.
const pollIn = unix.EPOLLIN | unix.EPOLLRDHUP

// epollConn is one connection of an epoll loop.
type epollConn struct {
	loop               *epoll
	handler            Handler
	fd                 int
	serial             int32
	connecting, closed bool
	unsent             []byte
}

func (c *epollConn) connected() {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = os.NewSyscallError("connect", unix.Errno(code))
	}
	if err == nil {
		err = c.loop.control(unix.EPOLL_CTL_MOD, c.fd, pollIn, c.serial)
	}
	if err != nil {
		c.end(err)
		return
	}
	c.connecting = false
	c.handler.Opened(c)
}

// read takes what there is. A read that does not fill the buffer has emptied the socket; were it not so, the poll,
// which looks at levels, would say so again.
func (c *epollConn) read() {
	n, err := rawRead(c.fd, c.loop.scratch)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
	case err != nil:
		c.end(os.NewSyscallError("read", err))
	case n == 0:
		c.end(errEnded)
	default:
		c.handler.Data(c, c.loop.scratch[:n])
	}
}

func (c *epollConn) Write(b []byte) {
	if c.closed {
		return
	}
	if len(c.unsent) > 0 {
		c.unsent = append(c.unsent, b...)
		return
	}
	n := c.send(b)
	if n == len(b) || c.closed {
		return
	}
	c.unsent = append(c.unsent, b[n:]...)
	c.want(pollIn | unix.EPOLLOUT)
}

// send returns what the system took. A broken connection takes all: its end is read soon.
func (c *epollConn) send(b []byte) int {
	n, err := rawWrite(c.fd, b)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return 0
	case err != nil:
		return len(b)
	}
	return n
}

func (c *epollConn) flush() {
	n := c.send(c.unsent)
	c.unsent = append(c.unsent[:0], c.unsent[n:]...)
	if len(c.unsent) == 0 {
		c.want(pollIn)
	}
}

func (c *epollConn) want(events uint32) {
	if err := c.loop.control(unix.EPOLL_CTL_MOD, c.fd, events, c.serial); err != nil {
		c.end(err)
	}
}

func (c *epollConn) end(err error) {
	c.Close()
	c.handler.Closed(err)
}

func (c *epollConn) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.loop.conns[c.fd] = nil
	// A reset leaves no port waiting, so a run may open more connections in a minute than there are ports.
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(c.fd)
}
