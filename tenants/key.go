package tenants

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"
)

// KeyState is where a key is in its life.
type KeyState string

// The states of a key.
const (
	KeyActive  KeyState = "active"
	KeyRevoked KeyState = "revoked"
)

// Key is one public key of an app with its secret.
type Key struct {
	// Public is the part that clients put into the socket's address.
	Public string
	AppID  string
	// Secret signs requests and channel authorizations. It is empty where it was not asked for.
	Secret    Secret
	State     KeyState
	CreatedAt time.Time
	// RevokedAt is zero while the key is active.
	RevokedAt time.Time
}

// NewKey returns a fresh key pair for an app. Both parts are 20 hex digits, Pusher's look, because tools of
// customers check for it; 80 random bits sign nothing but this app's requests.
func NewKey(appID string) Key {
	return Key{Public: randomHex(10), AppID: appID, Secret: NewSecret(randomHex(10)), State: KeyActive}
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Secret is a string that must not be seen by accident: however it is printed, logged or marshalled, it
// reads "[redacted]". Only [Secret.Reveal] gives the text.
type Secret struct{ text string }

const redacted = "[redacted]"

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text. Call it where the text is needed and nowhere else.
func (s Secret) Reveal() string { return s.text }

// IsZero tells whether there is no text.
func (s Secret) IsZero() bool { return s.text == "" }

// String keeps the text out of %s and %v.
func (s Secret) String() string { return redacted }

// GoString keeps the text out of %#v.
func (s Secret) GoString() string { return redacted }

// LogValue keeps the text out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the text out of JSON, YAML and everything else that asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
