package loop

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// epoll carries all connections on the goroutine that calls Run.
type epoll struct {
	began   time.Time
	poll    int // the epoll descriptor
	timer   int // a timer among the polled, as epoll itself waits in whole milliseconds
	wake    time.Duration
	conns   []*epollConn // by descriptor
	serial  int32
	waited  time.Duration
	events  []unix.EpollEvent
	scratch []byte
}

const (
	eventsAtOnce = 512
	scratchSize  = 256 << 10
)

func newNative() (Loop, error) {
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll descriptor: %w", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(poll)
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	l := &epoll{
		began: time.Now(), poll: poll, timer: timer,
		events: make([]unix.EpollEvent, eventsAtOnce), scratch: make([]byte, scratchSize),
	}
	// The timer is armed anew each time, so it never needs to be read when it fires once, at an edge.
	if err := l.control(unix.EPOLL_CTL_ADD, timer, unix.EPOLLIN|unix.EPOLLET, 0); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *epoll) Now() time.Duration    { return time.Since(l.began) }
func (l *epoll) Waited() time.Duration { return l.waited }

func (l *epoll) control(op, fd int, events uint32, serial int32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: serial} //nolint:gosec // a descriptor fits
	if err := unix.EpollCtl(l.poll, op, fd, &e); err != nil {
		return fmt.Errorf("poll a connection: %w", err)
	}
	return nil
}

func (l *epoll) Run(ctx context.Context, step Step) error {
	for {
		now := l.Now()
		wake, done := step(now)
		if err := ctx.Err(); done || err != nil {
			return err
		}
		wait, err := l.arm(now, wake)
		if err != nil {
			return err
		}
		n, err := l.pollOnce(now, wait)
		if err != nil {
			return err
		}
		for _, e := range l.events[:n] {
			l.handle(e)
		}
	}
}

// pollOnce first asks what is there already, which costs the scheduler nothing, and only then waits.
func (l *epoll) pollOnce(began time.Duration, wait int) (int, error) {
	n, err := unix.EpollWait(l.poll, l.events, 0)
	if n == 0 && err == nil && wait > 0 {
		n, err = unix.EpollWait(l.poll, l.events, wait)
		l.waited += l.Now() - began
	}
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("wait for connections: %w", err)
	}
	return n, nil
}

// arm sets the timer where epoll's own milliseconds are too coarse, and returns the milliseconds to wait.
func (l *epoll) arm(now, wake time.Duration) (int, error) {
	switch left := wake - now; {
	case left <= 0:
		return 0, nil
	case left >= maxWait:
		return int(maxWait.Milliseconds()), nil
	case wake != l.wake:
		l.wake = wake
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(left.Nanoseconds())}
		if err := unix.TimerfdSettime(l.timer, 0, &spec, nil); err != nil {
			return 0, fmt.Errorf("set a timer: %w", err)
		}
	}
	return int(maxWait.Milliseconds()), nil
}

func (l *epoll) handle(e unix.EpollEvent) {
	fd := int(e.Fd)
	if fd == l.timer || fd >= len(l.conns) {
		return
	}
	// The descriptor of a connection that ended in this very round may be another's by now.
	c := l.conns[fd]
	if c == nil || c.serial != e.Pad {
		return
	}
	if c.connecting {
		c.connected()
		return
	}
	if e.Events&unix.EPOLLOUT != 0 {
		c.flush()
	}
	if e.Events&^unix.EPOLLOUT != 0 && !c.closed {
		c.read()
	}
}

func (l *epoll) Dial(to netip.AddrPort, from netip.Addr, h Handler) error {
	family := unix.AF_INET
	if to.Addr().Unmap().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return fmt.Errorf("open a connection: %w", os.NewSyscallError("socket", err))
	}
	if err := l.start(fd, to, from, h); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("open a connection: %w", err)
	}
	return nil
}

func (l *epoll) start(fd int, to netip.AddrPort, from netip.Addr, h Handler) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if from.IsValid() {
		// The port is chosen at connect, when both ends are known; chosen at bind it would have to be free for all.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	if err := unix.Connect(fd, sockaddr(to)); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return os.NewSyscallError("connect", err)
	}
	l.serial++
	c := &epollConn{loop: l, handler: h, fd: fd, serial: l.serial, connecting: true}
	if err := l.control(unix.EPOLL_CTL_ADD, fd, pollIn|unix.EPOLLOUT, c.serial); err != nil {
		return err
	}
	for fd >= len(l.conns) {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	return nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if addr := a.Addr().Unmap(); addr.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: addr.As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func (l *epoll) Close() error {
	for _, c := range l.conns {
		if c != nil {
			c.Close()
		}
	}
	return errors.Join(unix.Close(l.timer), unix.Close(l.poll))
}
