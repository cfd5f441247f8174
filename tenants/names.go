package tenants

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxNameLength  = 60
	maxEmailLength = 254
)

var (
	appIDPattern  = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)
	keyPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	secretPattern = regexp.MustCompile(`^[!-~]{1,128}$`)
)

// CheckName tells what is wrong with the name of a tenant or app, or returns it without surrounding space.
// field is how the caller calls it.
func CheckName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", Invalid(field, "give it a name; 1 to 60 characters")
	case n > maxNameLength:
		return "", Invalid(field, "is too long; 60 characters at most")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", Invalid(field, "must not contain control characters")
	}
	return name, nil
}

// CheckLabel tells what is wrong with what somebody calls a key, or returns it without surrounding space. It may be empty.
func CheckLabel(field, label string) (string, error) {
	if label = strings.TrimSpace(label); label == "" {
		return "", nil
	}
	return CheckName(field, label)
}

// CheckEmail tells what is wrong with an address to sign in with, or returns it in the form that is stored.
func CheckEmail(field, email string) (string, error) {
	email = strings.TrimSpace(email)
	if len(email) > maxEmailLength {
		return "", Invalid(field, "is too long; 254 characters at most")
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email {
		return "", Invalid(field, "is not an email address; it reads like name@example.com")
	}
	return strings.ToLower(email), nil
}

// CheckAppID tells what is wrong with an app id that a customer brings.
func CheckAppID(field, id string) error {
	if !appIDPattern.MatchString(id) {
		return Invalid(field, "must be 1 to 18 decimal digits without a leading zero")
	}
	return nil
}

// CheckKey tells what is wrong with a key pair that a customer brings.
func CheckKey(field, public, secret string) error {
	if !keyPattern.MatchString(public) {
		return Invalid(field+".key", "must be 1 to 64 letters, digits, hyphens or underscores")
	}
	if !secretPattern.MatchString(secret) {
		return Invalid(field+".secret", "must be 1 to 128 printable ASCII characters without spaces")
	}
	return nil
}
