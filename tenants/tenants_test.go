package tenants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants"
)

func TestSecretIsNeverSeenByAccident(t *testing.T) {
	k := tenants.Key{Public: "pub", Secret: tenants.NewSecret("hunter2")}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "key", k, "secret", k.Secret)
	asJSON, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []string{
		logged.String(), string(asJSON), fmt.Sprintf("%v %+v %#v %s %q", k, k, k, k.Secret, k.Secret), fmt.Sprint(k.Secret),
	} {
		if strings.Contains(seen, "hunter2") {
			t.Errorf("the secret was printed: %s", seen)
		}
	}
	if k.Secret.Reveal() != "hunter2" {
		t.Error("Reveal does not give the text")
	}
}

func TestNewKeyLooksLikePushers(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		k := tenants.NewKey("7")
		for _, part := range []string{k.Public, k.Secret.Reveal()} {
			if len(part) != 20 || strings.Trim(part, "0123456789abcdef") != "" {
				t.Fatalf("%q is not 20 hex digits", part)
			}
			if seen[part] {
				t.Fatalf("%q came twice", part)
			}
			seen[part] = true
		}
		if k.State != tenants.KeyActive || k.AppID != "7" {
			t.Fatalf("new key is %+v", k)
		}
	}
}

func TestSealer(t *testing.T) {
	kek := tenants.NewKeyEncryptionKey()
	parsed, err := tenants.ParseKeyEncryptionKey(kek.Encode())
	if err != nil || parsed != kek {
		t.Fatalf("encode and parse: %v", err)
	}
	s, err := tenants.NewSealer(kek)
	if err != nil {
		t.Fatal(err)
	}
	tenant, k := uuid.New(), tenants.NewKey("7")
	sealed := s.Seal(tenant, k)
	if bytes.Contains(sealed.Bytes, []byte(k.Secret.Reveal())) {
		t.Fatal("the secret lies open in what was sealed")
	}
	if bytes.Equal(sealed.Bytes, s.Seal(tenant, k).Bytes) {
		t.Error("sealing twice gave the same bytes: the nonce was used again")
	}
	got, err := s.Open(tenant, tenants.Key{Public: k.Public, AppID: k.AppID}, sealed)
	if err != nil || got.Reveal() != k.Secret.Reveal() {
		t.Fatalf("open: %v", err)
	}

	other, _ := tenants.NewSealer(tenants.NewKeyEncryptionKey())
	flipped := tenants.Sealed{Bytes: bytes.Clone(sealed.Bytes), With: sealed.With}
	flipped.Bytes[len(flipped.Bytes)-1] ^= 1
	for name, open := range map[string]func() (tenants.Secret, error){
		"another tenant's row": func() (tenants.Secret, error) { return s.Open(uuid.New(), k, sealed) },
		"another app's row": func() (tenants.Secret, error) {
			return s.Open(tenant, tenants.Key{Public: k.Public, AppID: "8"}, sealed)
		},
		"another key's row": func() (tenants.Secret, error) { return s.Open(tenant, tenants.NewKey("7"), sealed) },
		"another process":   func() (tenants.Secret, error) { return other.Open(tenant, k, sealed) },
		"changed bytes":     func() (tenants.Secret, error) { return s.Open(tenant, k, flipped) },
		"no bytes":          func() (tenants.Secret, error) { return s.Open(tenant, k, tenants.Sealed{With: sealed.With}) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s: opened", name)
		} else if strings.Contains(err.Error(), k.Secret.Reveal()) {
			t.Errorf("%s: the error holds the secret", name)
		}
	}
}

func TestParseKeyEncryptionKeyRefuses(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("A", 42), strings.Repeat("A", 44), "!" + strings.Repeat("A", 42)} {
		if _, err := tenants.ParseKeyEncryptionKey(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestPasswords(t *testing.T) {
	p := tenants.NewPasswords(2)
	phc, err := p.Hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q: %v", phc, err)
	}
	for _, c := range []struct {
		name, phc, password string
		ok, rehash, fails   bool
	}{
		{name: "right", phc: phc, password: "correct horse battery", ok: true},
		{name: "wrong", phc: phc, password: "correct horse batterz"},
		{name: "nobody", phc: "", password: "correct horse battery"},
		{name: "older costs", phc: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$mBMuLFnfnPL7o4UMc0owyA", password: "x"},
		{name: "not a hash", phc: "md5", password: "x", fails: true},
		{name: "no sum", phc: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$", password: "x", fails: true},
	} {
		ok, rehash, err := p.Verify(t.Context(), c.phc, c.password)
		if ok != c.ok || rehash != c.rehash || (err != nil) != c.fails {
			t.Errorf("%s: ok %v, rehash %v, error %v", c.name, ok, rehash, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	full := tenants.NewPasswords(1)
	if _, err := full.Hash(ended, "x"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("hash under an ended context: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	for password, want := range map[string]string{
		"short":                  "too short",
		"password":               "easy to guess",
		"12345678":               "easy to guess",
		"qwertyuiop":             "easy to guess",
		"ann@example.com":        "easy to guess",
		"peal-pusher":            "easy to guess",
		strings.Repeat("a", 257): "too long",
		strings.Repeat("a", 100): "easy to guess",
		"\xff\xfe invalid utf8":  "not valid text",
		"tidal-otter-lamp-nine":  "",
		"Wer reitet so spät?":    "",
	} {
		err := tenants.CheckPassword("password", password, "ann@example.com", "Acme")
		switch {
		case want == "" && err != nil:
			t.Errorf("%.20q: %v", password, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, tenants.ErrInvalid)):
			t.Errorf("%.20q: %v, want %q", password, err, want)
		}
	}
}

func TestChecks(t *testing.T) {
	name := func(s string) error { _, err := tenants.CheckName("name", s); return err }
	email := func(s string) error { _, err := tenants.CheckEmail("email", s); return err }
	id := func(s string) error { return tenants.CheckAppID("id", s) }
	for _, c := range []struct {
		check func(string) error
		text  string
		ok    bool
	}{
		{name, "Chat", true},
		{name, "  دردشة  ", true},
		{name, strings.Repeat("ä", 60), true},
		{name, strings.Repeat("ä", 61), false},
		{name, "", false},
		{name, "   ", false},
		{name, "a\nb", false},
		{name, "a\x00b", false},
		{email, "Ann@Example.com", true},
		{email, "ann", false},
		{email, "Ann <ann@example.com>", false},
		{email, "ann@example.com, bo@example.com", false},
		{email, strings.Repeat("a", 250) + "@example.com", false},
		{id, "1", true},
		{id, "999999999999999999", true},
		{id, "1234567890123456789", false},
		{id, "0", false},
		{id, "007", false},
		{id, "a", false},
		{id, "", false},
	} {
		if err := c.check(c.text); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if err := tenants.CheckKey("keys[0]", "a b", "s"); err == nil || !strings.Contains(err.Error(), "keys[0].key") {
		t.Errorf("bad key: %v", err)
	}
	if err := tenants.CheckKey("keys[0]", "ab", ""); err == nil || !strings.Contains(err.Error(), "keys[0].secret") {
		t.Errorf("no secret: %v", err)
	}
}

func TestEveryRoleMayAtMostWhatTheOneAboveMay(t *testing.T) {
	roles := tenants.Roles()
	for i, r := range roles[1:] {
		for _, p := range r.Permissions() {
			if !roles[i].May(p) {
				t.Errorf("%s may %s but %s may not", r, p, roles[i])
			}
		}
	}
	if tenants.Role("stranger").May(tenants.AppsRead) {
		t.Error("an unknown role may read apps")
	}
	if tenants.RoleViewer.May(tenants.KeysReveal) {
		t.Error("a viewer may see secrets")
	}
}
