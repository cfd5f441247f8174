//go:build conformance

package conformance

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// The opcodes of RFC 6455.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// patience is how long anything may take that should happen at once; the machine may be busy.
const patience = 15 * time.Second

// wire is a WebSocket connection with everything in the hands of the test: what is fragmented, whether a ping is
// answered, how it ends. Writing may be done from several goroutines, reading from one.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	mu   sync.Mutex // guards writing

	// op and part are of a message whose fragments have not all come.
	op   byte
	part []byte
}

// dialWire asks for the upgrade. Without it the response is returned, with its body.
func dialWire(addr, path string, header http.Header) (*wire, *http.Response, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, nil, err
	}
	w := &wire{conn: conn, in: bufio.NewReader(conn)}
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.StdEncoding.EncodeToString(nonce[:]) + "\r\n"
	for name, values := range header {
		for _, v := range values {
			request += name + ": " + v + "\r\n"
		}
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, request+"\r\n")
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	resp, err := http.ReadResponse(w.in, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp, nil
	}
	_ = conn.SetDeadline(time.Time{})
	return w, resp, nil
}

// write sends one whole message or control frame.
func (w *wire) write(op byte, payload []byte) error { return w.writeFrame(op, true, payload) }

func (w *wire) writeFrame(op byte, fin bool, payload []byte) error {
	head := []byte{op, 0x80}
	if fin {
		head[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		head[1] |= byte(n)
	case n < 1<<16:
		head[1] |= 126
		head = binary.BigEndian.AppendUint16(head, uint16(n))
	default:
		head[1] |= 127
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	frame := append(append(head, mask[:]...), payload...)
	body := frame[len(frame)-len(payload):]
	for i := range body {
		body[i] ^= mask[i%4]
	}
	return w.writeRaw(frame)
}

// writeRaw sends bytes as they are.
func (w *wire) writeRaw(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := w.conn.Write(b)
	return err
}

// read returns the next message or control frame.
func (w *wire) read() (op byte, payload []byte, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(w.in, head[:]); err != nil {
			return 0, nil, err
		}
		if head[0]&0x70 != 0 {
			return 0, nil, fmt.Errorf("a frame uses an extension that was not agreed: %#x", head[0])
		}
		if head[1]&0x80 != 0 {
			return 0, nil, errors.New("a server must not mask its frames")
		}
		n := uint64(head[1] & 0x7f)
		switch n {
		case 126:
			var b [2]byte
			if _, err := io.ReadFull(w.in, b[:]); err != nil {
				return 0, nil, err
			}
			n = uint64(binary.BigEndian.Uint16(b[:]))
		case 127:
			var b [8]byte
			if _, err := io.ReadFull(w.in, b[:]); err != nil {
				return 0, nil, err
			}
			n = binary.BigEndian.Uint64(b[:])
		}
		if n > 16<<20 {
			return 0, nil, fmt.Errorf("a frame of %d bytes", n)
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(w.in, body); err != nil {
			return 0, nil, err
		}
		if code := head[0] & 0x0f; code >= opClose {
			return code, body, nil
		} else if code != opContinuation {
			w.op = code
		}
		w.part = append(w.part, body...)
		if head[0]&0x80 != 0 {
			payload, w.part = w.part, nil
			return w.op, payload, nil
		}
	}
}

// reset drops the connection as a crash or a lost network does: without goodbye, with a TCP reset.
func (w *wire) reset() error {
	if tcp, ok := w.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return w.conn.Close()
}

func dialTCP() (net.Conn, error) { return net.DialTimeout("tcp", server.addr, patience) }
