package wire

import (
	"bytes"
	"math"
)

// Stamp is what a measured message says of itself, in text of fixed width within its data. Nothing in it is escaped in
// JSON, so a frame shows it as it was published and no frame needs to be parsed to be counted.
type Stamp struct {
	// Run tells the messages of this run from what an earlier one has left behind.
	Run uint16
	// Channel is the number of the channel that the message was published to.
	Channel uint16
	// Stream is the number of the publisher within its channel: one connection, so that its messages have an order.
	Stream uint16
	// Seq counts the messages of a stream, from 0.
	Seq uint32
	// Message counts the messages of a run, from 0.
	Message uint32
	// Due is when the message had to be sent, in nanoseconds since the run began.
	Due int64
}

const (
	marker   = "~pealbench~"
	stampLen = len(marker) + 4 + 4 + 4 + 8 + 8 + 16
)

// MinData is the shortest data that holds a stamp.
const MinData = stampLen + 1

const (
	hexDigits = "0123456789abcdef"
	padding   = 'x'
)

// AppendData appends data of a size, at least [MinData], that carries the stamp.
func (s Stamp) AppendData(dst []byte, size int) []byte {
	end := len(dst) + size
	dst = append(dst, marker...)
	dst = appendHex(dst, uint64(s.Run), 4)
	dst = appendHex(dst, uint64(s.Channel), 4)
	dst = appendHex(dst, uint64(s.Stream), 4)
	dst = appendHex(dst, uint64(s.Seq), 8)
	dst = appendHex(dst, uint64(s.Message), 8)
	dst = appendHex(dst, uint64(s.Due), 16) //nolint:gosec // The clock of a run starts at 0.
	for len(dst) < end {
		dst = append(dst, padding)
	}
	return dst
}

func appendHex(dst []byte, v uint64, width int) []byte {
	for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&0xF])
	}
	return dst
}

// Finder finds stamps in frames. A server writes its frames alike, so a stamp is looked for where the last one was.
// The zero value is ready.
type Finder struct{ at int }

// Find returns the stamp in a frame, and false where there is none.
func (f *Finder) Find(frame []byte) (Stamp, bool) {
	at := f.at
	if !markedAt(frame, at) {
		if at = bytes.Index(frame, []byte(marker)); at < 0 || len(frame) < at+stampLen {
			return Stamp{}, false
		}
		f.at = at
	}
	return readStamp(frame[at+len(marker) : at+stampLen])
}

func markedAt(frame []byte, at int) bool {
	return len(frame) >= at+stampLen && string(frame[at:at+len(marker)]) == marker
}

func readStamp(b []byte) (Stamp, bool) {
	r := hexReader{text: b, ok: true}
	s := Stamp{
		Run: uint16(r.read(4)), Channel: uint16(r.read(4)), Stream: uint16(r.read(4)), //nolint:gosec // four digits fit
		Seq: uint32(r.read(8)), Message: uint32(r.read(8)), //nolint:gosec // eight digits fit
	}
	due := r.read(16)
	if due > math.MaxInt64 {
		return Stamp{}, false
	}
	s.Due = int64(due)
	return s, r.ok
}

type hexReader struct {
	text []byte
	ok   bool
}

func (r *hexReader) read(width int) uint64 {
	var v uint64
	for _, c := range r.text[:width] {
		d := c - '0'
		if d > 9 {
			if d = c - 'a' + 10; d < 10 || d > 15 {
				r.ok = false
			}
		}
		v = v<<4 | uint64(d&0xF)
	}
	r.text = r.text[width:]
	return v
}
