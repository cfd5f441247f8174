package pusher

import "math/bits"

// plainLen returns how many bytes at the beginning of s may stand in a JSON string as they are: all but the
// quote, the backslash and control characters. Payloads are mostly made of them and are looked through four
// times on their way, so that it takes eight bytes at a time.
func plainLen[T string | []byte](s T) int {
	const (
		ones      = 0x0101010101010101
		tops      = 0x80 * ones
		control   = ' ' * ones
		quote     = '"' * ones
		backslash = '\\' * ones
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		// A byte's top bit is set where a subtraction ran below zero that did not begin with the top bit. It
		// may wrongly be set in bytes after a true one, which does not matter: the first one counts.
		q, e := w^quote, w^backslash
		found := ((w - control) &^ w) | ((q - ones) &^ q) | ((e - ones) &^ e)
		if found &= tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}
