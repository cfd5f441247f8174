//go:build linux

package wire

import (
	"errors"
	"syscall"
)

// sink gathers what goes to one connection.
type sink struct {
	k      *worker
	c      *Conn
	buf    []byte
	count  int64 // bytes as they were counted in c.queued
	hangUp bool
}

func (s *sink) text(text []byte) {
	s.count += int64(len(text)) + frameCost
	if len(s.buf)+maxHeader+len(text) > scratchSize {
		s.flushBuf()
	}
	if maxHeader+len(text) > scratchSize {
		s.buf = appendHeader(s.buf, 0x81, len(text))
		s.flushBuf()
		s.emit(text)
		return
	}
	s.buf = appendText(s.buf, text)
}

func (s *sink) raw(b []byte) {
	s.count += int64(len(b)) + frameCost
	if len(s.buf)+len(b) > scratchSize {
		s.flushBuf()
	}
	if len(b) > scratchSize {
		s.emit(b)
		return
	}
	s.buf = append(s.buf, b...)
}

// instead drops what is not yet on its way. Whole frames only, or the peer could not read what follows: the
// backlog may begin in the middle of one, so it stays when it does.
func (s *sink) instead(b []byte) {
	s.buf = s.buf[:0]
	s.raw(b)
}

// flush writes what is gathered and takes it off the connection's account.
func (s *sink) flush() {
	s.flushBuf()
	s.c.queued.Add(-s.count)
}

func (s *sink) flushBuf() {
	if len(s.buf) > 0 {
		s.emit(s.buf)
		s.buf = s.buf[:0]
	}
}

// emit hands bytes to the kernel, or to the backlog from where the kernel stopped taking them.
func (s *sink) emit(p []byte) {
	if s.c.addBacklog(p) {
		return
	}
	k := s.k
	for len(p) > 0 {
		k.out = p
		err := s.c.raw.Write(k.write)
		k.out = nil
		if err == nil && k.writeErr == nil {
			p = p[k.n:]
			continue
		}
		if err == nil && errors.Is(k.writeErr, syscall.EAGAIN) {
			s.c.startBacklog(p)
			return
		}
		s.c.breakOff()
		return
	}
}

// writeTo writes k.out without waiting.
func (k *worker) writeTo(fd uintptr) bool {
	for {
		k.n, k.writeErr = syscall.Write(int(fd), k.out)
		if !errors.Is(k.writeErr, syscall.EINTR) {
			return true
		}
	}
}
