//go:build linux

package wire

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// readBuffer holds the header of a frame and most of what clients say. Larger payloads are read past it.
	readBuffer = 256
	// writeBuffer holds a control frame whole, header included, so that the library writes each in one call.
	writeBuffer = 160
)

var noDeadline time.Time

// errNotTCP says that a connection is not plain TCP, such as one with TLS in this process.
var errNotTCP = errors.New("not a plain TCP connection")

// Taker takes connections over from net/http, for the writers and the lot.
type Taker struct {
	Writers *Writers
	Lot     *Lot
}

// Takeover stands in for the ResponseWriter of a handshake: the WebSocket library answers to it, and it takes the
// connection away from net/http with small buffers in place of net/http's large ones.
type Takeover struct {
	http.ResponseWriter
	taker  Taker
	header http.Header
	status int
	// Conn is the connection, once it was taken over.
	Conn *Conn
}

// Take returns a stand-in for w.
func (t Taker) Take(w http.ResponseWriter) *Takeover {
	return &Takeover{ResponseWriter: w, taker: t, header: make(http.Header, 4)}
}

// Header returns the headers of the answer.
func (t *Takeover) Header() http.Header { return t.header }

// WriteHeader notes that the handshake succeeded, and hands every other answer on.
func (t *Takeover) WriteHeader(status int) {
	t.status = status
	if status == http.StatusSwitchingProtocols {
		return
	}
	for name, values := range t.header {
		t.ResponseWriter.Header()[name] = values
	}
	t.ResponseWriter.WriteHeader(status)
}

// Hijack takes the connection over and writes the answer to the handshake.
func (t *Takeover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take a connection over: %w", err)
	}
	c, err := t.newConn(conn)
	if err == nil {
		err = t.answer(conn)
	}
	if err != nil {
		_ = conn.Close()
		if c != nil {
			c.Leave()
		}
		return nil, nil, err
	}
	// What net/http has read beyond the request is the client's first frame.
	if n := rw.Reader.Buffered(); n > 0 {
		early, _ := rw.Reader.Peek(n) // It is there: nothing is read for it.
		c.early = append([]byte(nil), early...)
	}
	c.reader = bufio.NewReaderSize(c, readBuffer)
	t.Conn = c
	return c, bufio.NewReadWriter(c.reader, bufio.NewWriterSize(c, writeBuffer)), nil
}

func (t *Takeover) newConn(conn net.Conn) (*Conn, error) {
	tcp, ok := conn.(syscall.Conn)
	if !ok {
		return nil, errNotTCP
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("take a connection over: %w", err)
	}
	w := t.taker.Writers
	c := &Conn{Conn: conn, raw: raw, writers: w, worker: w.pick(), lot: t.taker.Lot, line: line{first: none}}
	return c, c.lot.enter(c)
}

// answer writes the answer to the handshake as net/http would have.
func (t *Takeover) answer(conn net.Conn) error {
	b := make([]byte, 0, 256)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\n"...)
	for name, values := range t.header {
		for _, v := range values {
			b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
		}
	}
	b = append(b, "\r\n"...)
	if err := conn.SetWriteDeadline(time.Now().Add(t.taker.Writers.cfg.WriteTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(b); err != nil {
		return fmt.Errorf("answer a handshake: %w", err)
	}
	return conn.SetDeadline(noDeadline)
}
