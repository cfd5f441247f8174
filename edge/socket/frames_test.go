package socket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// rawFrame is a client's frame of any shape.
type rawFrame struct {
	first   byte // FIN, the reserved bits and the opcode
	payload string
	// length is the number that the header says, where it is not the payload's.
	length uint64
	long   bool // use eight bytes of length, whatever it is
	bare   bool // leave the mask away
}

const (
	fin          = 0x80
	continuation = 0x0
	opBinary     = 0x2
)

// bytes masks with the four bytes of a key that changes every byte.
func (f rawFrame) bytes() string {
	length := f.length
	if length == 0 {
		length = uint64(len(f.payload))
	}
	b := []byte{f.first}
	mask := byte(0x80)
	if f.bare {
		mask = 0
	}
	switch {
	case length < 126 && !f.long:
		b = append(b, mask|byte(length))
	case length < 1<<16 && !f.long:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), length)
	}
	if f.bare {
		return string(b) + f.payload
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, key[:]...)
	for i := range len(f.payload) {
		b = append(b, f.payload[i]^key[i%4])
	}
	return string(b)
}

func frames(list ...rawFrame) string {
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.bytes())
	}
	return b.String()
}

const (
	pingEvent = `{"event":"pusher:ping"}`
	pongEvent = `{"event":"pusher:pong","data":"{}"}`
)

// padded is a ping event of exactly n bytes.
func padded(n int) string {
	const head, tail = `{"event":"pusher:ping","data":"`, `"}`
	return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
}

func closing(code int, reason string) rawFrame {
	return rawFrame{first: fin | opClose, payload: string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// heard is what the server says to a case: frames as "op payload", then how it ends.
type heard struct {
	frames []string
	// close is the code of the close frame that came, 0 where the connection just ended, -1 where it is still open.
	close int
}

// TestFrames sends frames of every kind that RFC 6455 has or forbids (sections 5 and 7), once in one piece, once byte by
// byte, and once in pieces of odd sizes: how TCP cuts them must not matter.
func TestFrames(t *testing.T) {
	t.Parallel()
	text := func(payload string) rawFrame { return rawFrame{first: fin | opText, payload: payload} }
	ping := func(payload string) rawFrame { return rawFrame{first: fin | opPing, payload: payload} }
	begin := func(payload string) rawFrame { return rawFrame{first: opText, payload: payload} }
	more := func(payload string) rawFrame { return rawFrame{first: continuation, payload: payload} }
	end := func(payload string) rawFrame { return rawFrame{first: fin | continuation, payload: payload} }
	pong := "1 " + pongEvent
	open := func(frames ...string) heard { return heard{frames, -1} }
	closed := func(code int, frames ...string) heard { return heard{frames, code} }
	refused := func(message string) heard {
		return open(`1 {"event":"pusher:error","data":{"code":null,"message":"` + message + `"}}`)
	}
	cases := map[string]struct {
		send string
		want heard
	}{
		"text":                         {frames(text(pingEvent)), open(pong)},
		"text of 125 bytes":            {frames(text(padded(125))), open(pong)},
		"text of 126 bytes":            {frames(text(padded(126))), open(pong)},
		"text of 127 bytes":            {frames(text(padded(127))), open(pong)},
		"text of 128 bytes":            {frames(text(padded(128))), open(pong)},
		"text of 65,535 bytes":         {frames(text(padded(65535))), open(pong)},
		"text of 65,536 bytes":         {frames(text(padded(65536))), open(pong)},
		"short text of long length":    {frames(rawFrame{first: fin | opText, payload: pingEvent, long: true}), open(pong)},
		"empty text":                   {frames(text("")), refused("Invalid message: invalid JSON at byte 0: unexpected end")},
		"binary":                       {frames(rawFrame{first: fin | opBinary, payload: pingEvent}), refused("Invalid message: binary frames are not part of the protocol")},
		"empty binary":                 {frames(rawFrame{first: fin | opBinary}), refused("Invalid message: binary frames are not part of the protocol")},
		"text that is no UTF-8":        {frames(text("{\"event\":\"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\"}")), refused("Invalid message: invalid JSON at byte 21: invalid UTF-8")},
		"ping":                         {frames(ping("")), open("10 ")},
		"ping with text":               {frames(ping("Hello")), open("10 Hello")},
		"ping of any bytes":            {frames(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")), open("10 \x00\xff\xfe\xfd\xfc\xfb\x00\xff")},
		"ping of 125 bytes":            {frames(ping(strings.Repeat("x", 125))), open("10 " + strings.Repeat("x", 125))},
		"ping of 126 bytes":            {frames(ping(strings.Repeat("x", 126))), closed(1002)},
		"ten pings":                    {strings.Repeat(frames(ping("p")), 10), open(slices.Repeat([]string{"10 p"}, 10)...)},
		"pong that nobody asked for":   {frames(rawFrame{first: fin | opPong, payload: "x"}, text(pingEvent)), open(pong)},
		"first reserved bit":           {frames(rawFrame{first: fin | 0x40 | opText, payload: pingEvent}), closed(1002)},
		"second reserved bit":          {frames(rawFrame{first: fin | 0x20 | opText, payload: pingEvent}), closed(1002)},
		"third reserved bit":           {frames(rawFrame{first: fin | 0x10 | opText, payload: pingEvent}), closed(1002)},
		"reserved bit on a ping":       {frames(rawFrame{first: fin | 0x10 | opPing}), closed(1002)},
		"reserved opcode 3":            {frames(rawFrame{first: fin | 0x3, payload: "x"}), closed(1002)},
		"reserved opcode 7":            {frames(rawFrame{first: fin | 0x7}), closed(1002)},
		"reserved opcode 11":           {frames(rawFrame{first: fin | 0xb, payload: "x"}), closed(1002)},
		"reserved opcode 15":           {frames(rawFrame{first: fin | 0xf}), closed(1002)},
		"good text before a bad frame": {frames(text(pingEvent), rawFrame{first: fin | 0x3}), closed(1002, pong)},
		"without a mask":               {frames(rawFrame{first: fin | opText, payload: pingEvent, bare: true}), closed(0)},
		"two fragments":                {frames(begin(pingEvent[:9]), end(pingEvent[9:])), open(pong)},
		"fragments of one byte":        {fragments(pingEvent), open(pong)},
		"empty fragments":              {frames(begin(""), more(""), end(pingEvent)), open(pong)},
		"ping between fragments":       {frames(begin(pingEvent[:9]), ping("p"), end(pingEvent[9:])), open("10 p", pong)},
		"pong between fragments":       {frames(begin(pingEvent[:9]), rawFrame{first: fin | opPong}, end(pingEvent[9:])), open(pong)},
		"fragmented ping":              {frames(rawFrame{first: opPing, payload: "x"}), closed(1002)},
		"continuation of nothing":      {frames(end(pingEvent)), closed(1002)},
		"unfinished continuation":      {frames(more("x")), closed(1002)},
		"text within fragments":        {frames(begin(pingEvent[:9]), text(pingEvent)), closed(1002)},
		"close":                        {frames(closing(1000, "")), closed(1000)},
		"close with a reason":          {frames(closing(1000, "bye, é")), closed(1000)},
		"close with 123 bytes":         {frames(closing(1000, strings.Repeat("x", 123))), closed(1000)},
		"close with 124 bytes":         {frames(closing(1000, strings.Repeat("x", 124))), closed(1002)},
		"close without a code":         {frames(rawFrame{first: fin | opClose}), closed(1005)},
		"close of one byte":            {frames(rawFrame{first: fin | opClose, payload: "\x03"}), closed(1002)},
		"close with a code of theirs":  {frames(closing(4711, "x")), closed(4711)},
		"close with 999":               {frames(closing(999, "")), closed(1002)},
		"close with 1005":              {frames(closing(1005, "")), closed(1002)},
		"close with 1006":              {frames(closing(1006, "")), closed(1002)},
		"close with 5000":              {frames(closing(5000, "")), closed(1002)},
		"fragmented close":             {frames(rawFrame{first: opClose, payload: "\x03\xe8"}), closed(1002)},
		"text after a close":           {frames(closing(1000, ""), text(pingEvent)), closed(1000)},
		"message over the limit":       {frames(begin(padded(40<<10)), end(padded(40<<10))), closed(1009)},
		"length of more than there is": {frames(rawFrame{first: fin | opText, payload: padded(70 << 10), length: 1 << 40}), closed(1009)},
		"length below zero":            {frames(rawFrame{first: fin | opText, payload: "x", length: 1 << 63}), closed(0)},
		"two messages in one piece":    {frames(text(pingEvent), text(pingEvent)), open(pong, pong)},
	}
	e := onLoopback(t, nil)
	for name, c := range cases {
		for how, cut := range map[string]func(string) []string{"whole": whole, "byte by byte": bytewise, "odd pieces": oddly} {
			if how == "byte by byte" && len(c.send) > 300 {
				continue // It would take long and show nothing that the odd pieces do not.
			}
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				got := e.say(t, cut(c.send), c.want.close < 0)
				same := slices.Equal(got.frames, c.want.frames)
				if portableOnly {
					// There the library writes control frames itself, which may be before what is queued.
					same = c.want.close > 0 || slices.Equal(slices.Sorted(slices.Values(got.frames)), slices.Sorted(slices.Values(c.want.frames)))
				}
				if !same || got.close != c.want.close {
					t.Errorf("got  %.300q, close %d\nwant %.300q, close %d", got.frames, got.close, c.want.frames, c.want.close)
				}
			})
		}
	}
}

func fragments(text string) string {
	var b strings.Builder
	for i := range len(text) {
		f := rawFrame{first: continuation, payload: text[i : i+1]}
		if i == 0 {
			f.first = opText
		}
		if i == len(text)-1 {
			f.first |= fin
		}
		b.WriteString(f.bytes())
	}
	return b.String()
}

func whole(s string) []string { return []string{s} }
func bytewise(s string) []string {
	pieces := make([]string, len(s))
	for i := range len(s) {
		pieces[i] = s[i : i+1]
	}
	return pieces
}

func oddly(s string) []string {
	r := rand.New(rand.NewPCG(7, uint64(len(s)))) // the same pieces each time
	var pieces []string
	for len(s) > 0 {
		n := min(len(s), 1+r.IntN(1+len(s)/2))
		pieces = append(pieces, s[:n])
		s = s[n:]
	}
	return pieces
}

// say opens a socket, sends pieces, and returns what was heard until the connection ended, or, where it is to stay
// open, until one more message was answered.
func (e *edge) say(t *testing.T, pieces []string, stays bool) heard {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := &rawClient{conn: conn, r: bufio.NewReader(conn)}
	if err := c.shakeHands("/app/key?protocol=7", ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.frame(); err != nil { // hello
		t.Fatal(err)
	}
	const last = "the-last-of-them"
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return // It was closed in the middle.
			}
			if len(pieces) > 1 {
				time.Sleep(50 * time.Microsecond)
			}
		}
		if stays {
			_, _ = io.WriteString(conn, maskedText(`{"event":"`+last+`"}`))
		}
	}()
	defer func() { <-sent }()
	var h heard
	for {
		op, payload, err := c.frame()
		switch {
		case err != nil:
			return h
		case strings.Contains(string(payload), last):
			h.close = -1
			return h
		case op == opClose:
			h.close = 1005
			if len(payload) >= 2 {
				h.close = int(binary.BigEndian.Uint16(payload))
			}
			return h // Nothing may follow, and the server waits for us to go.
		default:
			h.frames = append(h.frames, fmt.Sprintf("%d %s", op, payload))
		}
	}
}
