package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The opcodes of RFC 6455.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

const (
	finBit, rsvBits, opBits = 0x80, 0x70, 0x0F
	maskBit, lengthBits     = 0x80, 0x7F
	length16, length64      = 126, 127
	maskLen                 = 4
)

// MaxFrame is the longest frame that is followed. An event holds 10 KB of data; a presence list of some thousand
// members still fits.
const MaxFrame = 1 << 20

// Frame is one frame from the server. Its payload is valid until the next call of [Walker.Feed].
type Frame struct {
	Op      byte
	Fin     bool
	Payload []byte
}

// Walker cuts the bytes that a server sends into frames. Whole frames are handed out where they lie in the bytes that
// were fed; only what a read has cut in two is copied. The zero value is ready.
type Walker struct {
	now  []byte // what Next walks through
	rest []byte // the beginning of a frame whose end has not come
}

// Feed gives the walker what was read. The frames in it are had from [Walker.Next], before the next Feed.
func (w *Walker) Feed(b []byte) {
	if len(w.rest) == 0 {
		w.now = b
		return
	}
	w.rest = append(w.rest, b...)
	w.now = w.rest
}

// Next returns the next whole frame, and false when more bytes are needed.
func (w *Walker) Next() (Frame, bool, error) {
	f, size, err := cut(w.now)
	switch {
	case err != nil:
		return Frame{}, false, err
	case size == 0:
		// What is left may lie inside rest itself; append moves it to the front.
		w.rest = append(w.rest[:0], w.now...)
		w.now = nil
		return Frame{}, false, nil
	}
	w.now = w.now[size:]
	return f, true, nil
}

var (
	errMasked   = errors.New("the server masks its frames")
	errReserved = errors.New("the server sets reserved bits, though no extension was agreed on")
)

// cut returns the first frame of b and the bytes it takes; none while b holds less than all of it.
func cut(b []byte) (Frame, int, error) {
	if len(b) < 2 {
		return Frame{}, 0, nil
	}
	if b[0]&rsvBits != 0 {
		return Frame{}, 0, errReserved
	}
	if b[1]&maskBit != 0 {
		return Frame{}, 0, errMasked
	}
	head, length := 2, uint64(b[1]&lengthBits)
	switch length {
	case length16:
		head = 4
		if len(b) < head {
			return Frame{}, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case length64:
		head = 10
		if len(b) < head {
			return Frame{}, 0, nil
		}
		length = binary.BigEndian.Uint64(b[2:])
	}
	if length > MaxFrame {
		return Frame{}, 0, fmt.Errorf("the server sends a frame of %d bytes; the longest followed has %d", length, MaxFrame)
	}
	size := head + int(length)
	if len(b) < size {
		return Frame{}, 0, nil
	}
	return Frame{Op: b[0] & opBits, Fin: b[0]&finBit != 0, Payload: b[head:size]}, size, nil
}

// AppendFrame appends a frame as a client sends it. The mask is there, as the server insists on it, but all zero:
// the server's work is the same, and ours is none.
func AppendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, finBit|op)
	switch n := len(payload); {
	case n < length16:
		dst = append(dst, maskBit|byte(n))
	case n <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, maskBit|length16), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, maskBit|length64), uint64(n))
	}
	dst = append(dst, make([]byte, maskLen)...)
	return append(dst, payload...)
}
