package tenants

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go"
	"golang.org/x/crypto/argon2"
)

// Bounds of a password, in characters.
const (
	minPasswordLength = 8
	maxPasswordLength = 256
	// minPasswordScore is on zxcvbn's scale of 0 to 4; 2 withstands guessing through a rate-limited login.
	minPasswordScore = 2
	// maxScored keeps the estimator, whose cost grows faster than the text, away from long passwords.
	maxScored = 64
)

// argonParams are the costs of one Argon2id hash. The current ones are OWASP's second choice (ASVS 5.0,
// appendix C): 19 MiB, two passes, one lane.
type argonParams struct {
	memoryKiB, passes uint32
	lanes             uint8
}

func currentParams() argonParams { return argonParams{memoryKiB: 19 * 1024, passes: 2, lanes: 1} }

// CheckPassword tells what is wrong with a new password. context holds words that must not carry it, such
// as the user's address and the name of the tenant.
func CheckPassword(field, password string, context ...string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return Invalid(field, "is not valid text")
	case n < minPasswordLength:
		return Invalid(field, "is too short; use at least 8 characters, better a few words")
	case n > maxPasswordLength:
		return Invalid(field, "is too long; 256 characters at most")
	}
	words := []string{"peal", "pealhq", "pusher"}
	for _, c := range context {
		words = append(words, strings.FieldsFunc(strings.ToLower(c), func(r rune) bool { return strings.ContainsRune("@. -_", r) })...)
	}
	scored := password
	if len(scored) > maxScored {
		scored = scored[:maxScored]
	}
	if zxcvbn.PasswordStrength(scored, words).Score < minPasswordScore {
		return Invalid(field, "is easy to guess; use a few unrelated words or more characters")
	}
	return nil
}

// Passwords hashes and verifies passwords with Argon2id. It bounds how many hashes run at once, because each
// takes 19 MiB and a whole core for some tens of milliseconds. The zero value is not usable; see [NewPasswords].
type Passwords struct {
	slots chan struct{}
	// dummy is verified in place of the hash of a user who does not exist, so that both take as long.
	dummy string
}

// NewPasswords returns a hasher that runs at most parallel hashes at once; further callers wait.
func NewPasswords(parallel int) *Passwords {
	p := &Passwords{slots: make(chan struct{}, max(1, parallel))}
	p.dummy = encode(currentParams(), randomBytes(16), randomBytes(32))
	return p
}

// Hash returns the PHC string of a password under the current costs. The only error is that of ctx.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt, c := randomBytes(16), currentParams()
	sum, err := p.derive(ctx, c, password, salt, 32)
	if err != nil {
		return "", err
	}
	return encode(c, salt, sum), nil
}

// Verify tells whether password is the one that phc was made from, and whether it should be hashed anew
// because the costs have changed since. An empty phc stands for a user who does not exist: it takes as long as
// any other and is false.
func (p *Passwords) Verify(ctx context.Context, phc, password string) (ok, rehash bool, err error) {
	known := phc != ""
	if !known {
		phc = p.dummy
	}
	c, salt, want, err := decode(phc)
	if err != nil {
		return false, false, err
	}
	got, err := p.derive(ctx, c, password, salt, uint32(len(want))) //nolint:gosec // a hash is some tens of bytes
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1 && known
	return ok, ok && c != currentParams(), nil
}

func (p *Passwords) derive(ctx context.Context, c argonParams, password string, salt []byte, n uint32) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a turn to hash a password: %w", ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, c.passes, c.memoryKiB, c.lanes, n), nil
}

func encode(c argonParams, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.memoryKiB, c.passes, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func decode(phc string) (c argonParams, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, fmt.Errorf("password hash is not an argon2id PHC string")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("password hash has an unknown version")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memoryKiB, &c.passes, &c.lanes); err != nil {
		return c, nil, nil, fmt.Errorf("password hash has no costs: %w", err)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("password hash has no salt: %w", err)
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) == 0 {
		return c, nil, nil, fmt.Errorf("password hash has no sum")
	}
	return c, salt, sum, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
