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

// Sealer seals the secrets of keys with AES-256-GCM. Tenant, app and key are bound in as associated data: a
// sealed secret that was copied to another row does not open.
type Sealer struct {
	aead cipher.AEAD
	id   string
}

// NewSealer returns a sealer for one key-encryption key.
func NewSealer(k KeyEncryptionKey) (*Sealer, error) {
	block, err := aes.NewCipher(k.bytes[:])
	if err != nil {
		return nil, fmt.Errorf("make a sealer: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a sealer: %w", err)
	}
	return &Sealer{aead: aead, id: k.id()}, nil
}

// ID names the key-encryption key that the sealer seals with, without telling anything of it.
func (s *Sealer) ID() string { return s.id }

// Sealed is a secret as it lies in the database.
type Sealed struct {
	Bytes []byte
	// With names the key-encryption key.
	With string
}

// Seal encrypts a key's secret for its row.
func (s *Sealer) Seal(tenant uuid.UUID, k Key) Sealed {
	return Sealed{Bytes: s.aead.Seal(nil, nil, []byte(k.Secret.Reveal()), sealContext(tenant, k)), With: s.id} //nolint:gosec // The mode makes a random nonce by itself.
}

// Open decrypts the secret of the key k, whose Public and AppID must be set.
func (s *Sealer) Open(tenant uuid.UUID, k Key, sealed Sealed) (Secret, error) {
	if sealed.With != s.id {
		return Secret{}, fmt.Errorf("open the secret of key %s: it was sealed with key-encryption key %s, this process has %s",
			k.Public, sealed.With, s.id)
	}
	text, err := s.aead.Open(nil, nil, sealed.Bytes, sealContext(tenant, k))
	if err != nil {
		return Secret{}, fmt.Errorf("open the secret of key %s: %w", k.Public, err)
	}
	return NewSecret(string(text)), nil
}

func sealContext(tenant uuid.UUID, k Key) []byte {
	return []byte(tenant.String() + "|" + k.AppID + "|" + k.Public)
}
