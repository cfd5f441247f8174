package tenants

import "fmt"

// SealText encrypts a text that is no key's secret. what says whose it is and of what kind: a text that was copied to another
// place does not open there.
func (s *Sealer) SealText(what string, text Secret) Sealed {
	return Sealed{Bytes: s.aead.Seal(nil, nil, []byte(text.Reveal()), []byte(what)), With: s.id} //nolint:gosec // The mode makes a random nonce by itself.
}

// OpenText decrypts what SealText has encrypted.
func (s *Sealer) OpenText(what string, sealed Sealed) (Secret, error) {
	if sealed.With != s.id {
		return Secret{}, fmt.Errorf("open %s: it was sealed with key-encryption key %s, this process has %s", what, sealed.With, s.id)
	}
	text, err := s.aead.Open(nil, nil, sealed.Bytes, []byte(what))
	if err != nil {
		return Secret{}, fmt.Errorf("open %s: %w", what, err)
	}
	return NewSecret(string(text)), nil
}
