package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// clientFrame returns a masked frame with a payload of n bytes, with the shortest header.
func clientFrame(n int) []byte {
	b := []byte{0x81}
	switch {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, 1, 2, 3, 4)
	return append(b, bytes.Repeat([]byte{0x81}, n)...)
}

// FuzzPosition cuts a stream of frames anywhere: between must be true exactly where a frame ends.
func FuzzPosition(f *testing.F) {
	f.Add(uint32(0), uint32(5), uint32(126), uint8(1))
	f.Add(uint32(125), uint32(65535), uint32(65536), uint8(7))
	f.Add(uint32(70000), uint32(0), uint32(0), uint8(255))
	f.Fuzz(func(t *testing.T, a, b, c uint32, step uint8) {
		var stream []byte
		ends := map[int]bool{0: true}
		for _, n := range []uint32{a, b, c} {
			stream = append(stream, clientFrame(int(n%80_000))...)
			ends[len(stream)] = true
		}
		var p position
		for at := 0; at < len(stream); {
			next := min(at+int(step)+1, len(stream))
			p.advance(stream[at:next])
			at = next
			if p.between() != ends[at] {
				t.Fatalf("after %d of %d bytes between is %v", at, len(stream), p.between())
			}
		}
	})
}

func TestPositionAtEveryByte(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 300, 65535, 65536} {
		var p position
		frame := clientFrame(n)
		for i, b := range frame {
			p.advance([]byte{b})
			if last := i == len(frame)-1; p.between() != last {
				t.Fatalf("payload %d: after byte %d of %d between is %v", n, i+1, len(frame), p.between())
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	for n, want := range map[int][]byte{
		0:     {0x81, 0},
		125:   {0x81, 125},
		126:   {0x81, 126, 0, 126},
		65535: {0x81, 126, 0xff, 0xff},
		65536: {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0},
	} {
		text := bytes.Repeat([]byte("x"), n)
		if got := appendText(nil, text); !bytes.Equal(got[:len(want)], want) || !bytes.Equal(got[len(want):], text) {
			t.Errorf("%d bytes begin %x, want %x", n, got[:len(want)], want)
		}
	}
	if got, want := closingFrames([]byte("x"), 4001, "why"), "\x81\x01x\x88\x05\x0f\xa1why"; string(got) != want {
		t.Errorf("closing frames %q, want %q", got, want)
	}
}
