package channels_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/pealhq/peal/channels"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]channels.Kind{
		"my-channel": channels.KindPublic, "cache-x": channels.KindCache, "private-x": channels.KindPrivate,
		"private-cache-x": channels.KindPrivateCache, "private-encrypted-x": channels.KindPrivateEncrypted,
		"private-encrypted-cache-x": channels.KindPrivateEncryptedCache, "presence-x": channels.KindPresence,
		"presence-cache-x": channels.KindPresenceCache,
		// What only looks like a prefix is none.
		"": channels.KindPublic, "cachet": channels.KindPublic, "cache": channels.KindPublic, "private_x": channels.KindPublic,
		"privatefoo": channels.KindPublic, "presence@x": channels.KindPublic, "x-private-y": channels.KindPublic,
		"xcache-": channels.KindPublic, "Private-x": channels.KindPublic, "presence": channels.KindPublic,
		// What is no prefix of its own counts as the shorter one.
		"presence-encrypted-x": channels.KindPresence, "private-encryptedx": channels.KindPrivate,
		"private-cachex": channels.KindPrivate, "private-encrypted-cachex": channels.KindPrivateEncrypted,
		"cache-private-x": channels.KindCache, "presence-cachex": channels.KindPresence,
		"private-": channels.KindPrivate, "presence-": channels.KindPresence, "cache-": channels.KindCache,
	} {
		if got := channels.KindOf(name); got != want {
			t.Errorf("KindOf(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestKindsAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind                                   channels.Kind
		text                                   string
		authorized, members, cached, encrypted bool
	}{
		{channels.KindPublic, "public", false, false, false, false},
		{channels.KindCache, "cache", false, false, true, false},
		{channels.KindPrivate, "private", true, false, false, false},
		{channels.KindPrivateCache, "private cache", true, false, true, false},
		{channels.KindPrivateEncrypted, "encrypted", true, false, false, true},
		{channels.KindPrivateEncryptedCache, "encrypted cache", true, false, true, true},
		{channels.KindPresence, "presence", true, true, false, false},
		{channels.KindPresenceCache, "presence cache", true, true, true, false},
	} {
		k := c.kind
		if k.String() != c.text || k.Authorized() != c.authorized || k.Members() != c.members || k.Cached() != c.cached || k.Encrypted() != c.encrypted {
			t.Errorf("%v: authorized %v, members %v, cached %v, encrypted %v", k, k.Authorized(), k.Members(), k.Cached(), k.Encrypted())
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "my-channel", "A-Z_09=@,.;", "private-encrypted-cache-x", ".", strings.Repeat("a", 164)} {
		if err := channels.CheckName(name, 164); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", " ", "a b", "a:b", ":user::{\"id\":\"victim\"}", "a/b", "#a", "#server-to-user-7", "a%20", "a\n", "\na", "a\x00",
		"café", "😀", "a\xff", "a\\b", "a\"b", "a'b", "a(b)", "a+b", "a&b", "a?b", "a!b", "a|b", "a*b",
		strings.Repeat("a", 165),
	} {
		err := channels.CheckName(name, 164)
		var wrong *channels.NameError
		if !errors.As(err, &wrong) || wrong.Reason == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := channels.CheckName(strings.Repeat("a", 200), 1000); err != nil {
		t.Errorf("200 characters: %v", err)
	}
	if err := channels.CheckName(strings.Repeat("a", 201), 1000); err == nil {
		t.Error("201 characters are taken where an app allows 1000")
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"", "my-channel", "private-encrypted-cache-x", "a:b", "#server-to-user-7", "a\n", "é", "presence@x"} {
		f.Add(seed)
	}
	allowed := regexp.MustCompile(`\A[A-Za-z0-9_\-=@,.;]+\z`)
	kinds := regexp.MustCompile(`\A(private-encrypted-cache-|private-encrypted-|private-cache-|presence-cache-|private-|presence-|cache-|)`)
	f.Fuzz(func(t *testing.T, name string) {
		want := allowed.MatchString(name) && len(name) <= 164
		if err := channels.CheckName(name, 164); (err == nil) != want {
			t.Fatalf("%q: %v", name, err)
		}
		prefix := kinds.FindString(name)
		if kind := channels.KindOf(name); (kind == channels.KindPublic) != (prefix == "") ||
			kind.Members() != strings.HasPrefix(prefix, "presence") ||
			kind.Cached() != strings.HasSuffix(prefix, "cache-") ||
			kind.Encrypted() != strings.Contains(prefix, "encrypted") {
			t.Fatalf("%q is %v", name, kind)
		}
	})
}
