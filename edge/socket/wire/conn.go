//go:build linux

package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrIdle is what reading returns when the peer has said nothing and the reader may go: it comes only between
// two messages, so that nothing is lost by reading on later.
var ErrIdle = errors.New("nothing to read")

// Owner is told what happens to a [Conn]. Its methods are called from the package's own goroutines and must
// not block.
type Owner interface {
	// Readable is called when a parked connection has something to read, or has ended.
	Readable()
	// Overflowed is called, once, when more waits for a peer than it may.
	Overflowed()
	// Broken is called, once, when nothing more can be written: the connection is closed.
	Broken()
}

// Conn is one connection. As a net.Conn it is for the WebSocket library: what the library writes, pongs and close
// frames, waits in line with everything else, and its reads end with [ErrIdle] where parking is allowed.
type Conn struct {
	net.Conn
	raw     syscall.RawConn
	owner   Owner
	writers *Writers
	worker  *worker
	lot     *Lot
	fd      int32 // as it was when the connection entered the lot

	// Of the reading side: whoever reads, one at a time.
	reader   *bufio.Reader
	early    []byte // what net/http had read already
	position position
	mayIdle  bool
	timed    bool // a read deadline is set

	parked atomic.Bool

	// queued counts the bytes that wait, from Send until the kernel has them.
	queued atomic.Int64
	ended  atomic.Bool // nothing may be queued any more

	// Of the worker: what waits, but for what it has not looked at yet.
	line line

	mu         sync.Mutex
	backlog    []byte    // guarded by mu; what the kernel did not take
	draining   bool      // guarded by mu; a goroutine is writing the backlog
	closing    bool      // guarded by mu; close when the backlog is written
	closeBy    time.Time // guarded by mu; how long that may take, once closing
	broken     bool      // guarded by mu
	overflowed bool      // guarded by mu
}

// Own says who is told of what happens. It must be called before anything is sent or parked.
func (c *Conn) Own(o Owner) { c.owner = o }

// Wait waits until the peer has begun a message and returns nil, or returns [ErrIdle] at once when it has
// not. Any other error is the end of the connection.
func (c *Conn) Wait() error {
	c.mayIdle = true
	if c.timed {
		// What was waited for has come. The time was for that alone.
		if err := c.Conn.SetReadDeadline(noDeadline); err != nil {
			return err
		}
		c.timed = false
	}
	_, err := c.reader.Peek(1)
	return err
}

// Message says that a message has begun: until the next Wait its bytes are waited for, but not for longer
// than the read timeout.
func (c *Conn) Message() { c.mayIdle = false }

// Read reads what is there. What is missing of a message that has begun is waited for.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		if len(c.early) == 0 {
			c.early = nil
		}
		c.position.advance(p[:n])
		return n, nil
	}
	n, err := c.readNow(p)
	if err == nil && n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	if errors.Is(err, syscall.EAGAIN) {
		if c.mayIdle && c.position.between() {
			return 0, ErrIdle
		}
		n, err = c.readLater(p)
	}
	if n > 0 {
		c.position.advance(p[:n])
	}
	return n, err
}

// readNow reads without waiting.
func (c *Conn) readNow(p []byte) (int, error) {
	op := readOps.Get().(*readOp) //nolint:forcetypeassert // the pool holds nothing else
	op.p = p
	err := c.raw.Read(op.do)
	n, opErr := op.n, op.err
	op.p = nil
	readOps.Put(op)
	if err != nil {
		return 0, err
	}
	if opErr != nil {
		return 0, opErr
	}
	return n, nil
}

// readLater waits for the rest of what has begun.
func (c *Conn) readLater(p []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.writers.cfg.ReadTimeout)); err != nil {
		return 0, err
	}
	c.timed = true
	return c.Conn.Read(p)
}

// readOp is one read as the runtime's poller wants it, kept so that a read allocates nothing.
type readOp struct {
	p   []byte
	n   int
	err error
	do  func(fd uintptr) bool
}

var readOps = sync.Pool{New: func() any {
	op := &readOp{}
	op.do = func(fd uintptr) bool {
		for {
			op.n, op.err = syscall.Read(int(fd), op.p)
			if !errors.Is(op.err, syscall.EINTR) {
				return true
			}
		}
	}
	return op
}}

// Send queues a text message, whose bytes must not change any more. It tells whether it did and, if not, whether that was
// for want of room: once the connection has ended there is nothing to do.
func (c *Conn) Send(text []byte) (queued, full bool) {
	if c.ended.Load() {
		return false, false
	}
	size := int64(len(text)) + frameCost
	if c.queued.Add(size) > c.writers.cfg.MaxQueued && size <= c.writers.cfg.MaxQueued {
		c.queued.Add(-size)
		return false, true
	}
	c.worker.put(item{conn: c, bytes: text, kind: textFrame})
	return true, false
}

// Queued returns the bytes that wait, from Send until the kernel has them.
func (c *Conn) Queued() int64 { return c.queued.Load() }

// Ping queues a ping frame.
func (c *Conn) Ping() { c.queueRaw(pingFrame) }

var pingFrame = []byte{0x89, 0x00}

// Write queues bytes that are framed already. It is the WebSocket library's way to answer a ping and to close; each
// call must hold whole frames, which it does as long as they fit into the library's buffer.
func (c *Conn) Write(p []byte) (int, error) {
	if c.ended.Load() {
		return len(p), nil // It has been told all that it is going to be told.
	}
	c.queueRaw(append([]byte(nil), p...))
	return len(p), nil
}

func (c *Conn) queueRaw(p []byte) {
	if c.ended.Load() {
		return
	}
	c.queued.Add(int64(len(p)) + frameCost)
	c.worker.put(item{conn: c, bytes: p, kind: rawBytes})
}

// Finish queues a last text message and a close frame, and nothing after them. With drop, what waits already
// and was not yet handed to the kernel is left out where it can be. A connection that has ended is left alone.
func (c *Conn) Finish(last []byte, code uint16, reason string, drop bool) {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	kind := lastWords
	if drop {
		kind = lastWordsOnly
	}
	c.worker.put(item{conn: c, bytes: closingFrames(last, code, reason), kind: kind})
}

// Close ends the connection when what was queued is written. It is the WebSocket library's.
func (c *Conn) Close() error {
	c.ended.Store(true)
	c.worker.put(item{conn: c, kind: hangUp})
	return nil
}

// Abort ends the connection at once.
func (c *Conn) Abort() {
	c.ended.Store(true)
	_ = c.Conn.Close()
}

// Linger reads and forgets until the peer has closed, for at most d: closing while the peer still sends would reset the
// connection, and could take back the close frame that is on its way.
func (c *Conn) Linger(d time.Duration) {
	if c.Conn.SetReadDeadline(time.Now().Add(d)) == nil {
		_, _ = io.Copy(io.Discard, c.Conn)
	}
}
