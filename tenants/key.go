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
	KeyActive KeyState = "active"
	// KeyRetiring is a key that works until a date, because another has taken its place.
	KeyRetiring KeyState = "retiring"
	KeyRevoked  KeyState = "revoked"
)

const (
	// DefaultOverlap is how long a key that is rotated goes on working where nobody says otherwise.
	DefaultOverlap = 24 * time.Hour
	// MaxOverlap is how long it may at most.
	MaxOverlap = 30 * 24 * time.Hour
)

// Key is one public key of an app with its secret.
type Key struct {
	// Public is the part that clients put into the socket's address.
	Public string
	AppID  string
	// Label is what people call the key; it may be empty.
	Label string
	// Secret signs requests and channel authorizations. It is empty where it was not asked for.
	Secret Secret
	// Scopes are what it is good for. They never change: whoever holds the key relies on them.
	Scopes    KeyScopes
	State     KeyState
	CreatedAt time.Time
	// RetiresAt is until when a retiring key works; zero for others.
	RetiresAt time.Time
	// RevokedAt is zero while the key works.
	RevokedAt time.Time
	// LastUsedAt is in which minute it was used last, as far as the database knows; zero for never.
	LastUsedAt time.Time
	// Use is where its uses on this edge are noted; nil where nobody does.
	Use *KeyUse
}

// Works tells whether the key opens its app at this time. A retiring key stops by the clock alone, so that no edge needs to
// be told when its date comes.
func (k *Key) Works(now time.Time) bool {
	return k.State == KeyActive || k.State == KeyRetiring && now.Before(k.RetiresAt)
}

// At returns the key as it is at this time: a retiring key whose date has come is revoked since then.
func (k Key) At(now time.Time) Key {
	if k.State == KeyRetiring && !k.Works(now) {
		k.State, k.RevokedAt, k.RetiresAt = KeyRevoked, k.RetiresAt, time.Time{}
	}
	return k
}

// NewKey returns a fresh key pair for an app, for everything. Both parts are 20 hex digits, Pusher's look, because tools of
// customers check for it; 80 random bits sign nothing but this app's requests.
func NewKey(appID string) Key {
	return Key{Public: randomHex(10), AppID: appID, Secret: NewSecret(randomHex(10)), Scopes: ScopeAll, State: KeyActive}
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
