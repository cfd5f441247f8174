package tenants

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// KeyEncryptionKey is the 256-bit key under which secrets are sealed at rest.
type KeyEncryptionKey struct {
	bytes [32]byte
}

// NewKeyEncryptionKey returns a random key.
func NewKeyEncryptionKey() KeyEncryptionKey {
	var k KeyEncryptionKey
	rand.Read(k.bytes[:])
	return k
}

// ParseKeyEncryptionKey reads a key from base64 (standard or URL alphabet, padded or not).
func ParseKeyEncryptionKey(text string) (KeyEncryptionKey, error) {
	var k KeyEncryptionKey
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(text), "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) != len(k.bytes) {
		return k, errors.New("must be 32 bytes in base64; `openssl rand -base64 32` makes one")
	}
	copy(k.bytes[:], b)
	return k, nil
}

// Encode returns the key as base64 text, for a file that only its owner can read.
func (k KeyEncryptionKey) Encode() string { return base64.StdEncoding.EncodeToString(k.bytes[:]) }

// String keeps the key out of logs.
func (k KeyEncryptionKey) String() string { return redacted }

// GoString keeps the key out of %#v.
func (k KeyEncryptionKey) GoString() string { return redacted }

// id names the key without telling anything of it, so that a row can say what it was sealed with.
func (k KeyEncryptionKey) id() string {
	sum := sha256.Sum256(append([]byte("peal key-encryption key id\n"), k.bytes[:]...))
	return hex.EncodeToString(sum[:6])
}

// ErrKeyEncryptionKey says that something was sealed with a key-encryption key that this process was not given.
var ErrKeyEncryptionKey = errors.New("wrong key-encryption key")

// Sealer seals secrets with AES-256-GCM under one key-encryption key, and opens those that were sealed under that one or an
// earlier one. What a secret is about is bound in as associated data: a sealed secret that was copied to another row does
// not open.
type Sealer struct {
	id    string
	aeads map[string]cipher.AEAD // by the id of their key
}

// NewSealer returns a sealer that seals with one key-encryption key and opens with it and all the others.
func NewSealer(current KeyEncryptionKey, others ...KeyEncryptionKey) (*Sealer, error) {
	s := &Sealer{id: current.id(), aeads: make(map[string]cipher.AEAD)}
	for _, k := range append([]KeyEncryptionKey{current}, others...) {
		block, err := aes.NewCipher(k.bytes[:])
		if err != nil {
			return nil, fmt.Errorf("make a sealer: %w", err)
		}
		if s.aeads[k.id()], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("make a sealer: %w", err)
		}
	}
	return s, nil
}

// ID names the key-encryption key that the sealer seals with, without telling anything of it.
func (s *Sealer) ID() string { return s.id }

// IDs names all that it opens with, in a fixed order.
func (s *Sealer) IDs() []string { return slices.Sorted(maps.Keys(s.aeads)) }

// Sealed is a secret as it lies in the database.
type Sealed struct {
	Bytes []byte
	// With names the key-encryption key.
	With string
}

// SealText encrypts a secret. about says whose it is and what for, so that it opens in no other place; it is no secret, and
// must never be the same for two places.
func (s *Sealer) SealText(about string, text Secret) Sealed {
	return Sealed{Bytes: s.aeads[s.id].Seal(nil, nil, []byte(text.Reveal()), []byte(about)), With: s.id} //nolint:gosec // The mode makes a random nonce by itself.
}

// OpenText decrypts what was sealed about the same. Without its key the error is [ErrKeyEncryptionKey].
func (s *Sealer) OpenText(about string, sealed Sealed) (Secret, error) {
	aead := s.aeads[sealed.With]
	if aead == nil {
		return Secret{}, fmt.Errorf("%w: it was sealed with key-encryption key %s, this process has %s",
			ErrKeyEncryptionKey, sealed.With, strings.Join(s.IDs(), ", "))
	}
	text, err := aead.Open(nil, nil, sealed.Bytes, []byte(about))
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(string(text)), nil
}

// Seal encrypts a key's secret for its row.
func (s *Sealer) Seal(tenant uuid.UUID, k Key) Sealed {
	return s.SealText(sealContext(tenant, k), k.Secret)
}

// Open decrypts the secret of the key k, whose Public and AppID must be set.
func (s *Sealer) Open(tenant uuid.UUID, k Key, sealed Sealed) (Secret, error) {
	secret, err := s.OpenText(sealContext(tenant, k), sealed)
	if err != nil {
		return Secret{}, fmt.Errorf("open the secret of key %s: %w", k.Public, err)
	}
	return secret, nil
}

// sealContext is what a key's secret is about. tenants/pgseal writes the same in SQL.
func sealContext(tenant uuid.UUID, k Key) string {
	return tenant.String() + "|" + k.AppID + "|" + k.Public
}
