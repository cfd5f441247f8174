//go:build linux

package wire

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Lot is where connections wait whose peers are silent: an epoll instance of our own, in which each
// connection is armed for one event. It is itself watched by the runtime's poller, so that waiting for it
// takes a goroutine and no thread.
type Lot struct {
	file *os.File
	raw  syscall.RawConn
	fd   int

	mu    sync.RWMutex
	conns []*Conn // guarded by mu; by descriptor
}

// NewLot returns an empty lot, which Run closes.
func NewLot() (*Lot, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll instance: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make an epoll instance: %w", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("watch an epoll instance: %w", err)
	}
	return &Lot{file: file, raw: raw, fd: fd}, nil
}

// Run wakes the owners of parked connections until ctx ends.
func (l *Lot) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = l.file.Close() })
	defer stop()
	events := make([]unix.EpollEvent, 256)
	for {
		n := 0
		var waitErr error
		err := l.raw.Read(func(uintptr) bool {
			n, waitErr = unix.EpollWait(l.fd, events, 0)
			return n > 0 || waitErr != nil && waitErr != unix.EINTR
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || waitErr != nil {
			return fmt.Errorf("wait for connections: %w", firstOf(err, waitErr))
		}
		l.wake(events[:n])
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (l *Lot) wake(events []unix.EpollEvent) {
	for i := range events {
		// The event may be for a connection that is closed, whose descriptor is another's by now. The other is woken for
		// nothing then, finds nothing to read, and parks again.
		if c := l.at(events[i].Fd); c != nil && c.Unpark() {
			c.owner.Readable()
		}
	}
}

func (l *Lot) at(fd int32) *Conn {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if int(fd) >= len(l.conns) {
		return nil
	}
	return l.conns[fd]
}

// enter registers a connection, unarmed.
func (l *Lot) enter(c *Conn) error {
	var ctlErr error
	err := c.raw.Control(func(fd uintptr) {
		c.fd = int32(fd) //nolint:gosec // a descriptor fits
		l.mu.Lock()
		defer l.mu.Unlock()
		for int(c.fd) >= len(l.conns) {
			l.conns = append(l.conns, nil)
		}
		l.conns[c.fd] = c
		event := unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: c.fd}
		ctlErr = unix.EpollCtl(l.fd, unix.EPOLL_CTL_ADD, int(fd), &event)
	})
	if err = firstOf(err, ctlErr); err != nil {
		return fmt.Errorf("watch a connection: %w", err)
	}
	return nil
}

func (l *Lot) leave(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A closed descriptor has left the epoll instance by itself, and may be another connection's already.
	if int(c.fd) < len(l.conns) && l.conns[c.fd] == c {
		l.conns[c.fd] = nil
	}
}

// armed are the events that wake a connection, once.
const armed = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT

// Park lets the calling goroutine go: the owner's Readable is called when there is something to read. It
// tells whether the caller is to go; if not, the connection has ended, and the caller finds out by reading.
func (c *Conn) Park() bool {
	c.parked.Store(true)
	var ctlErr error
	err := c.raw.Control(func(fd uintptr) {
		event := unix.EpollEvent{Events: armed, Fd: c.fd}
		ctlErr = unix.EpollCtl(c.lot.fd, unix.EPOLL_CTL_MOD, int(fd), &event)
	})
	if err != nil || ctlErr != nil {
		// Whoever unparked it in the meantime has the connection now.
		return !c.Unpark()
	}
	return true
}

// Unpark takes a connection off the lot and tells whether the caller now is the one to read.
func (c *Conn) Unpark() bool { return c.parked.CompareAndSwap(true, false) }

// Leave forgets the connection. It must be called when it has ended and nobody reads any more.
func (c *Conn) Leave() { c.lot.leave(c) }
