package pusher

// appendQuoted appends s as a JSON string. Unlike encoding/json it leaves <, >, & and U+2028 as they are:
// customers count bytes, and an encrypted payload must arrive as it was sent. s must be valid UTF-8.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends what stands between the quotes of s as a JSON string.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for {
		plain := plainLen(s)
		dst = append(dst, s[:plain]...)
		if plain == len(s) {
			return dst
		}
		b := s[plain]
		s = s[plain+1:]
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
	}
}

// escapedLen returns how many bytes appendEscaped adds, so that a frame is allocated once.
func escapedLen(s string) int {
	n := len(s)
	for {
		plain := plainLen(s)
		if plain == len(s) {
			return n
		}
		switch s[plain] {
		case '"', '\\', '\b', '\f', '\n', '\r', '\t':
			n++
		default:
			n += 5
		}
		s = s[plain+1:]
	}
}
