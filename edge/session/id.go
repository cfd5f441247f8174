package session

import (
	"crypto/rand"
	"math/big"
	"strconv"
)

// NewSocketID returns a fresh socket id: two random numbers of up to ten digits, which is as much as the
// protocol's form holds. That is 66 bits, so that nobody can guess another socket's id, to which channel
// signatures are bound, and no two sockets get the same.
func NewSocketID() string {
	b := make([]byte, 0, 21)
	b = strconv.AppendInt(b, randomPart(), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, randomPart(), 10)
	return string(b)
}

func randomPart() int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(10_000_000_000))
	if err != nil {
		panic("session: no randomness: " + err.Error()) // crypto/rand ends the program before it returns an error
	}
	return n.Int64()
}
