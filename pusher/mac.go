package pusher

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// mac is HMAC-SHA256 (RFC 2104) of short texts, in one buffer that is used again and again: a request is
// signed over some two hundred bytes, for which the seven allocations of crypto/hmac cost more than the hash.
// The tests hold it against crypto/hmac.
type mac struct {
	// text is the inner pad of the key, to which the text to be signed is appended.
	text  []byte
	outer [sha256.BlockSize + sha256.Size]byte // the outer pad, and then the inner hash
}

// use makes secret the key of what is signed from now on.
func (m *mac) use(secret string) {
	var key [sha256.BlockSize]byte
	if len(secret) > len(key) {
		sum := sha256.Sum256([]byte(secret))
		copy(key[:], sum[:])
	} else {
		copy(key[:], secret)
	}
	m.text = slices.Grow(m.text[:0], 512) // room for most requests
	for i, b := range key {
		m.text = append(m.text, b^0x36)
		m.outer[i] = b ^ 0x5c
	}
}

// matches tells, in constant time, whether sent is the hexadecimal signature of what was appended to text,
// and takes that away again.
func (m *mac) matches(sent string) bool {
	inner := sha256.Sum256(m.text)
	m.text = m.text[:sha256.BlockSize]
	copy(m.outer[sha256.BlockSize:], inner[:])
	sum := sha256.Sum256(m.outer[:])

	var want, got [2 * sha256.Size]byte
	hex.Encode(want[:], sum[:])
	return copy(got[:], sent) == len(sent) && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// forget wipes the key, so that no secret stays behind in room that waits for another request.
func (m *mac) forget() {
	clear(m.text[:sha256.BlockSize]) // what follows is the query, which is no secret
	clear(m.outer[:])
}
