package fallback

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// The lines of a receive stream that are always the same (Pusher protocol, HTTP fallback transports).
const (
	heartbeatLine = "h\n"
	// takenOverLine ends a receiver that another one has replaced. To pusher-js it means to begin anew; without it two
	// pollers would replace each other for ever.
	takenOverLine = `c[2010,"Another connection still open"]` + "\n"
)

// preludeBytes is how much some browsers and proxies hold back before they let a stream through.
const preludeBytes = 2048

// preludeLine is a long heartbeat. Nobody answers it before the stream is open.
func preludeLine() string { return strings.Repeat("h", preludeBytes) + "\n" }

// openLine opens a conversation. A host name makes the client send everything else there.
func openLine(hostname string) string {
	if hostname == "" {
		return "o\n"
	}
	return string(append(appendQuoted([]byte(`o{"hostname":`), []byte(hostname)), "}\n"...))
}

func closeLine(end *session.Ending) string {
	line := strconv.AppendInt([]byte("c["), int64(end.Code), 10)
	line = appendQuoted(append(line, ','), []byte(pusher.CloseReason(end.Text)))
	return string(append(line, "]\n"...))
}

// appendMessages appends a line with frames of the protocol, each of them a JSON string. Without frames it is traffic
// that says nothing and asks for nothing: a heartbeat in its place would be answered, and its answer with another, for ever.
func appendMessages(dst []byte, frames [][]byte) []byte {
	dst = append(dst, "a["...)
	for i, frame := range frames {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, frame)
	}
	return append(dst, "]\n"...)
}

// appendQuoted appends text as a JSON string. What it appends is valid UTF-8 whatever the text is, so that units counts
// it as a browser does.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
	}
	return append(dst, '"')
}

// units returns how many UTF-16 units valid UTF-8 is, which is how a browser measures what it has received.
func units[T string | []byte](text T) int {
	n := 0
	for i := range len(text) {
		if text[i]&0xC0 != 0x80 {
			n++
		}
		if text[i] >= 0xF0 { // Beyond the 16 bits of one unit.
			n++
		}
	}
	return n
}
