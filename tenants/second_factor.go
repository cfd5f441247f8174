package tenants

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// The second factor is TOTP as every authenticator app has it: SHA-1, six digits, steps of 30 seconds.
const (
	seedBytes   = 20 // 160 bits, as RFC 4226 advises
	codeStep    = 30 * time.Second
	codeDigits  = otp.DigitsSix
	codeDrift   = 1 // steps before and after that count too, for clocks that differ
	codesToKeep = 10
)

// NewSeed returns the secret of a second factor in base32.
func NewSeed() Secret {
	return NewSecret(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(seedBytes)))
}

// SeedURL returns what an authenticator app reads from a QR code.
func SeedURL(seed Secret, email string) (Secret, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(seed.Reveal())
	if err != nil {
		return Secret{}, fmt.Errorf("read seed: %w", err)
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: "Peal", AccountName: email, Secret: raw, Digits: codeDigits, Period: uint(codeStep.Seconds()), Algorithm: otp.AlgorithmSHA1,
		Rand: bytes.NewReader(nil), // The secret is given; nothing is drawn.
	})
	if err != nil {
		return Secret{}, fmt.Errorf("make the address of a seed: %w", err)
	}
	return NewSecret(key.URL()), nil
}

// CodeStep returns the step of time that a code of the seed is for, if it is one around now, and 0 otherwise. A step after the
// last one that was used must be taken, so that each code is good once.
func CodeStep(seed Secret, code string, now time.Time, last int64) (int64, error) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	var found int64
	at := now.Unix() / int64(codeStep.Seconds())
	for step := at - codeDrift; step <= at+codeDrift; step++ {
		want, err := hotp.GenerateCodeCustom(seed.Reveal(), uint64(step), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // Time is not negative.
		if err != nil {
			return 0, fmt.Errorf("make a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > last {
			found = step
		}
	}
	return found, nil
}

// NewRecoveryCodes returns ten codes of 80 random bits.
func NewRecoveryCodes() []Secret {
	codes := make([]Secret, 0, codesToKeep)
	for range codesToKeep {
		b := make([]byte, 10)
		rand.Read(b)
		text := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		codes = append(codes, NewSecret(text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:]))
	}
	return codes
}

// HashRecoveryCode returns what is stored of a user's recovery code, however it is typed.
func HashRecoveryCode(user uuid.UUID, code string) []byte {
	code = strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(code)))
	sum := sha256.Sum256([]byte(user.String() + "|" + code))
	return sum[:]
}
