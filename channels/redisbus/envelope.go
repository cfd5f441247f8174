package redisbus

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/pealhq/peal/channels"
)

// An envelope is a message as it crosses Redis:
//
//	1 byte    version
//	8 bytes   offset, big-endian; scripts write it here
//	8 bytes   when it was published, in microseconds since 1970
//	1 byte    flags
//	fields    each a byte that says which, its length as a varint, its bytes; a zero byte ends them
//	the frame
//
// Two versions of Peal run side by side while one replaces the other. A new field or flag is skipped by who does not
// know it; only what nobody may skip needs a new version.
const (
	envelopeVersion = 1
	offsetAt        = 1
	timeAt          = 9
	flagsAt         = 17
	headLength      = 18

	flagTerminate = 1 << 0

	fieldEnd    = 0
	fieldExcept = 1
	// fieldPlace is where the message is in its topic's log: offset and stamp, each 8 bytes, big-endian, and the epoch.
	// Scripts put it in, as the first field.
	fieldPlace  = 2
	placeLength = 16
)

var (
	errVersion  = errors.New("an envelope of an unknown version")
	errEnvelope = errors.New("an envelope that makes no sense")
)

// seal encodes a message. Its topic is the pub/sub channel's affair, and how long it is kept the script's.
func seal(m *channels.Message, now time.Time) []byte {
	const room = headLength + 1 + 1 + binary.MaxVarintLen16
	e := make([]byte, headLength, room+len(m.Except)+len(m.Frame))
	e[0] = envelopeVersion
	binary.BigEndian.PutUint64(e[offsetAt:], m.Offset)
	binary.BigEndian.PutUint64(e[timeAt:], uint64(max(0, now.UnixMicro())))
	if m.Terminate {
		e[flagsAt] |= flagTerminate
	}
	if m.Except != "" {
		e = append(e, fieldExcept)
		e = binary.AppendUvarint(e, uint64(len(m.Except)))
		e = append(e, m.Except...)
	}
	e = append(e, fieldEnd)
	return append(e, m.Frame...)
}

// letter is an envelope that was opened.
type letter struct {
	channels.Message
	sent time.Time
	// stamp is when it was put into the log, in milliseconds by Redis's clock.
	stamp uint64
	// skipped counts what in it was unknown.
	skipped int
	// unreadable says that a message is there but cannot be read.
	unreadable bool
}

func open(e string) (letter, error) {
	var l letter
	if e == "" {
		return l, errEnvelope
	}
	if e[0] != envelopeVersion {
		return l, errVersion
	}
	if len(e) <= headLength {
		return l, errEnvelope
	}
	head := []byte(e[:headLength])
	l.Offset = binary.BigEndian.Uint64(head[offsetAt:])
	l.sent = time.UnixMicro(int64(binary.BigEndian.Uint64(head[timeAt:]))) //nolint:gosec // It wraps into a time that is never used.
	l.Terminate = head[flagsAt]&flagTerminate != 0
	if head[flagsAt]&^flagTerminate != 0 {
		l.skipped++
	}
	rest := e[headLength:]
	for rest != "" && rest[0] != fieldEnd {
		which := rest[0]
		var value string
		var ok bool
		if value, rest, ok = cutField(rest[1:]); !ok {
			return l, errEnvelope
		}
		switch {
		case which == fieldExcept:
			l.Except = value
		case which == fieldPlace && len(value) > placeLength:
			place := []byte(value[:placeLength])
			l.Position = channels.Position{Epoch: value[placeLength:], Offset: binary.BigEndian.Uint64(place)}
			l.stamp = binary.BigEndian.Uint64(place[8:])
		default:
			l.skipped++
		}
	}
	if rest == "" {
		return l, errEnvelope
	}
	l.Frame = []byte(rest[1:])
	return l, nil
}

// cutField takes a field's bytes, with their length before them.
func cutField(s string) (value, rest string, ok bool) {
	head := []byte(s[:min(len(s), binary.MaxVarintLen64)])
	length, n := binary.Uvarint(head)
	if n <= 0 || length > uint64(len(s)-n) { //nolint:gosec // n is no more than the length.
		return "", "", false
	}
	end := n + int(length) //nolint:gosec // It is within s.
	return s[n:end], s[end:], true
}
