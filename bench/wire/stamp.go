package wire

import (
	"bytes"
	"encoding/binary"
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
	return readStamp(frame[at+len(marker) : at+stampLen]), true
}

func markedAt(frame []byte, at int) bool {
	return len(frame) >= at+stampLen && string(frame[at:at+len(marker)]) == marker
}

// readStamp reads the digits of a stamp. What are none make some number or other, which belongs to no run.
func readStamp(b []byte) Stamp {
	_ = b[stampLen-len(marker)-1]
	ids := readHex(b[4:])
	due := uint64(readHex(b[28:]))<<32 | uint64(readHex(b[36:]))
	return Stamp{
		Run: uint16(readHex(b) >> 16), Channel: uint16(ids >> 16), Stream: uint16(ids), //nolint:gosec // halves of eight digits
		Seq: readHex(b[12:]), Message: readHex(b[20:]), Due: int64(due & math.MaxInt64),
	}
}

// readHex reads eight digits at once: it is done for each delivery, and digit by digit it was the largest part of
// what a delivery cost us.
func readHex(b []byte) uint32 {
	x := binary.BigEndian.Uint64(b)
	// The letters have bit 6, and begin at 1 in their low digit where 10 is meant.
	x = x&0x0F0F0F0F0F0F0F0F + 9*(x>>6&0x0101010101010101)
	x = (x | x>>4) & 0x00FF00FF00FF00FF
	x = (x | x>>8) & 0x0000FFFF0000FFFF
	return uint32(x | x>>16) //nolint:gosec // eight digits fit
}
