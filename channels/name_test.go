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
		"my-channel": channels.Public, "cache-x": channels.Cache, "private-x": channels.Private,
		"private-cache-x": channels.PrivateCache, "private-encrypted-x": channels.PrivateEncrypted,
		"private-encrypted-cache-x": channels.PrivateEncryptedCache, "presence-x": channels.Presence,
		"presence-cache-x": channels.PresenceCache,
		// What only looks like a prefix is none.
		"": channels.Public, "cachet": channels.Public, "cache": channels.Public, "private_x": channels.Public,
		"privatefoo": channels.Public, "presence@x": channels.Public, "x-private-y": channels.Public,
		"xcache-": channels.Public, "Private-x": channels.Public, "presence": channels.Public,
		// What is no prefix of its own counts as the shorter one.
		"presence-encrypted-x": channels.Presence, "private-encryptedx": channels.Private,
		"private-cachex": channels.Private, "private-encrypted-cachex": channels.PrivateEncrypted,
		"cache-private-x": channels.Cache, "presence-cachex": channels.Presence,
		"private-": channels.Private, "presence-": channels.Presence, "cache-": channels.Cache,
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
		{channels.Public, "public", false, false, false, false},
		{channels.Cache, "cache", false, false, true, false},
		{channels.Private, "private", true, false, false, false},
		{channels.PrivateCache, "private cache", true, false, true, false},
		{channels.PrivateEncrypted, "encrypted", true, false, false, true},
		{channels.PrivateEncryptedCache, "encrypted cache", true, false, true, true},
		{channels.Presence, "presence", true, true, false, false},
		{channels.PresenceCache, "presence cache", true, true, true, false},
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
		if kind := channels.KindOf(name); (kind == channels.Public) != (prefix == "") ||
			kind.Members() != strings.HasPrefix(prefix, "presence") ||
			kind.Cached() != strings.HasSuffix(prefix, "cache-") ||
			kind.Encrypted() != strings.Contains(prefix, "encrypted") {
			t.Fatalf("%q is %v", name, kind)
		}
	})
}
