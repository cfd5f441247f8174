package wire

import "encoding/binary"

// frameCost is what a queued frame costs beside its bytes: its place in a queue and its header. It keeps many small frames
// from taking more memory than they count for.
const frameCost = 48

// appendText appends a text message as a server sends it: one frame, not masked (RFC 6455, section 5.2).
func appendText(dst, text []byte) []byte {
	const finText = 0x81
	return append(appendHeader(dst, finText, len(text)), text...)
}

func appendHeader(dst []byte, first byte, n int) []byte {
	switch {
	case n <= 125:
		return append(dst, first, byte(n)) //nolint:gosec // at most 125
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
}

// maxHeader is the size of the longest header of a server's frame.
const maxHeader = 10

// closingFrames returns a last message and a close frame. The reason is cut to what a control frame may hold by
// whoever made it.
func closingFrames(last []byte, code uint16, reason string) []byte {
	const finClose = 0x88
	b := make([]byte, 0, len(last)+len(reason)+2*maxHeader)
	if last != nil {
		b = appendText(b, last)
	}
	b = appendHeader(b, finClose, 2+len(reason))
	b = binary.BigEndian.AppendUint16(b, code)
	return append(b, reason...)
}
