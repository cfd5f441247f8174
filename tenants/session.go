package tenants

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// How long a session of the dashboard lives: it ends after a time without use, and after a time in any case.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// ImpersonationLife is for how long an operator looks at a tenant before having to say again why.
const ImpersonationLife = time.Hour

// NewSessionToken returns 256 random bits as text, for the cookie of a session.
func NewSessionToken() Secret {
	b := make([]byte, 32)
	rand.Read(b)
	return NewSecret(base64.RawURLEncoding.EncodeToString(b))
}

// HashToken returns the SHA-256 of a token, which is all that is stored of it. A fast hash is enough for a
// text that nobody can guess.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
