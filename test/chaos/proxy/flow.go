package proxy

import (
	"net"
	"sync"
	"time"
)

// flow is one connection through the proxy.
type flow struct {
	client, server net.Conn
	gone           chan struct{} // closed when both sides have been
	once           sync.Once
	forgotten      chan struct{} // closed when nothing may pass any more
	forget         sync.Once
}

func (f *flow) reset() {
	f.once.Do(func() {
		close(f.gone)
		reset(f.client)
		reset(f.server)
	})
}

func (f *flow) halfClose() { endWriting(f.server) }

// endWriting says that no more is sent, where the connection knows how.
func endWriting(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // It may have ended; then there is nobody to be told.
	}
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // as above
	}
	_ = c.Close() // as above
}

// chunk is what was read at once, with when it was.
type chunk struct {
	bytes []byte
	at    time.Time
}

// chunks is how many may wait in one direction. Beyond that nobody reads, and the sender's own buffers fill, as they do
// before a network that is slow.
const chunks = 1024

// pass reads from one side and writes to the other, each chunk when it is due.
func (p *Proxy) pass(f *flow, dst, src net.Conn, of func() Fault) {
	waiting := make(chan chunk, chunks)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(waiting)
		for {
			buffer := make([]byte, 16<<10)
			n, err := src.Read(buffer)
			if n > 0 {
				select {
				case waiting <- chunk{buffer[:n], time.Now()}:
				case <-f.gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	for c := range waiting {
		if !p.deliver(f, dst, c, of) {
			break
		}
	}
	select {
	case <-f.gone:
	default:
		// The end travels like the bytes before it.
		if p.wait(f, time.Now(), of) {
			endWriting(dst)
		}
	}
	reading.Wait()
}

// deliver writes a chunk when it is due, and tells whether the connection goes on.
func (p *Proxy) deliver(f *flow, dst net.Conn, c chunk, of func() Fault) bool {
	rest := c.bytes
	for len(rest) > 0 {
		if !p.wait(f, c.at, of) {
			return false
		}
		fault, _ := p.state(of)
		n := len(rest)
		if fault.Slice > 0 && n > fault.Slice {
			n = fault.Slice
		}
		if _, err := dst.Write(rest[:n]); err != nil {
			f.reset()
			return false
		}
		if rest = rest[n:]; fault.Slice > 0 {
			time.Sleep(slicePause)
		}
	}
	return true
}

// wait returns when what was read at a time may be passed on, and false when the connection has ended before.
func (p *Proxy) wait(f *flow, at time.Time, of func() Fault) bool {
	for {
		fault, changed := p.state(of)
		left := time.Until(at.Add(fault.Delay))
		if !fault.Swallow && left <= 0 {
			select {
			case <-f.gone:
				return false
			case <-f.forgotten:
				<-f.gone
				return false
			default:
				return true
			}
		}
		var due <-chan time.Time
		if !fault.Swallow {
			due = time.After(left)
		}
		select {
		case <-f.gone:
			return false
		case <-changed:
		case <-due:
		}
	}
}
