package tenants_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pealhq/peal/tenants"
)

func TestOriginsAllow(t *testing.T) {
	site := tenants.Origins{"https://example.com"}
	star := tenants.Origins{"https://*.example.com"}
	for _, c := range []struct {
		name   string
		list   tenants.Origins
		origin string
		want   bool
	}{
		{"the one that is named", site, "https://example.com", true},
		{"no list", nil, "https://anything.example", true},
		{"an empty list", tenants.Origins{}, "https://anything.example", true},
		{"no list, sandboxed", nil, "null", true},
		{"no origin", site, "", true},
		{"sandboxed", site, "null", false},
		{"sandboxed, with null in the list", tenants.Origins{"null"}, "null", false},
		{"upper case", site, "HTTPS://EXAMPLE.COM", true},
		{"upper case in the list", tenants.Origins{"https://EXAMPLE.com"}, "https://example.com", true},
		{"the second of the list", tenants.Origins{"https://other.example", "https://example.com"}, "https://example.com", true},

		{"a name that ends alike", site, "https://evil-example.com", false},
		{"a name that begins alike", site, "https://example.com.evil", false},
		{"a dot for any character", site, "https://exampleXcom", false},
		{"a subdomain", site, "https://a.example.com", false},
		{"another scheme", site, "http://example.com", false},
		{"another port", site, "https://example.com:8443", false},
		{"the scheme's own port", site, "https://example.com:443", true},
		{"another scheme's own port", site, "https://example.com:80", false},
		{"a port with a zero in front", site, "https://example.com:0443", false},
		{"a port that is too large", site, "https://example.com:65979", false},
		{"an empty port", site, "https://example.com:", false},
		{"a dot at the end", site, "https://example.com.", false},
		{"a dot at the end, named so", tenants.Origins{"https://example.com."}, "https://example.com.", true},
		{"a user", site, "https://example.com@evil.example", false},
		{"a user that looks like a port", site, "https://example.com:443@evil.example", false},
		{"a path", site, "https://example.com/", false},
		{"a path on another host", site, "https://evil.example/https://example.com", false},
		{"a query", site, "https://evil.example?https://example.com", false},
		{"a fragment", site, "https://evil.example#https://example.com", false},
		{"a backslash", site, `https://evil.example\.example.com`, false},
		{"two origins", site, "https://example.com https://evil.example", false},
		{"two with a comma", site, "https://example.com,https://evil.example", false},
		{"a line break", site, "https://example.com\nhttps://evil.example", false},
		{"a NUL", site, "https://example.com\x00.evil.example", false},
		{"percent", site, "https://example%2ecom", false},
		{"a letter that only looks alike", site, "https://exаmple.com", false},
		{"the sign of the kelvin", tenants.Origins{"https://kiosk.example"}, "https://\u212Aiosk.example", false},
		{"no scheme", site, "example.com", false},
		{"no host", site, "https://", false},

		{"one label for the star", star, "https://a.example.com", true},
		{"two labels for the star", star, "https://a.b.example.com", false},
		{"none for the star", star, "https://example.com", false},
		{"an empty one for the star", star, "https://.example.com", false},
		{"a hyphen for the star's dot", star, "https://evil-example.com", false},
		{"the star's name as a label", star, "https://a.example.com.evil", false},
		{"a star as origin", star, "https://*.example.com", false},
		{"another port than the star's", star, "https://a.example.com:8443", false},
		{"another scheme than the star's", star, "http://a.example.com", false},
		{"the star's port", tenants.Origins{"http://*.example.com:8080"}, "http://a.example.com:8080", true},
		{"a star in the middle is never kept, and fits nothing", tenants.Origins{"https://a.*.example.com"}, "https://a.b.example.com", false},
		{"a star alone is never kept, and fits nothing", tenants.Origins{"*", "https://*"}, "https://example.com", false},
		{"a star on a top domain is never kept, and fits nothing", tenants.Origins{"https://*.com"}, "https://example.com", false},

		{"localhost with a port", tenants.Origins{"http://localhost:3000"}, "http://localhost:3000", true},
		{"localhost without the port", tenants.Origins{"http://localhost:3000"}, "http://localhost", false},
		{"an IPv4 address", tenants.Origins{"http://127.0.0.1:3000"}, "http://127.0.0.1:3000", true},
		{"an IPv6 address", tenants.Origins{"http://[::1]:3000"}, "http://[::1]:3000", true},
		{"an IPv6 address, written out", tenants.Origins{"http://[0:0:0:0:0:0:0:1]"}, "http://[::1]", true},
		{"another IPv6 address", tenants.Origins{"http://[::1]"}, "http://[::2]", false},
		{"an IPv6 address without brackets", tenants.Origins{"http://[::1]"}, "http://::1", false},
		{"an IPv6 address with a zone", tenants.Origins{"http://[fe80::1]"}, "http://[fe80::1%25eth0]", false},
		{"an app in a shell", tenants.Origins{"capacitor://localhost"}, "capacitor://localhost", true},
		{"an app in another shell", tenants.Origins{"capacitor://localhost"}, "ionic://localhost", false},
		{"an extension", tenants.Origins{"chrome-extension://abcdefghijklmnop"}, "chrome-extension://abcdefghijklmnop", true},
	} {
		if got := c.list.Allow(c.origin); got != c.want {
			t.Errorf("%s: %q in %q is %v", c.name, c.origin, c.list, got)
		}
	}
}

func TestCheckOrigins(t *testing.T) {
	got, err := tenants.CheckOrigins("origins", []string{
		" HTTPS://Example.com:443/ ", "https://example.com", "http://[0::1]:80", "https://*.Example.com:8443", "http://xn--bcher-kva.example",
	})
	want := tenants.Origins{"https://example.com", "http://[::1]", "https://*.example.com:8443", "http://xn--bcher-kva.example"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("kept %q, %v; want %q", got, err, want)
	}
	if got, err := tenants.CheckOrigins("origins", nil); err != nil || got == nil || len(got) != 0 {
		t.Errorf("nothing became %#v, %v", got, err)
	}
	for text, want := range map[string]string{
		"":                          "write it as https://example.com",
		"example.com":               "write it as https://example.com",
		"null":                      "write it as https://example.com",
		"*":                         "write it as https://example.com",
		"mailto:a@example.com":      "write it as https://example.com",
		"https://example.com/chat":  "says more than an origin",
		"https://u:p@example.com":   "says more than an origin",
		"https://example.com?x":     "says more than an origin",
		"https://example.com:0":     "port",
		"https://example.com:http":  "port",
		"https://example.com:70000": "port",
		"https://[::1":              "IPv6",
		"https://[1.2.3.4]":         "IPv6",
		"https://*":                 "star",
		"https://*.com":             "star",
		"https://*.com.":            "star",
		"https://a*.example.com":    "star",
		"https://a.*.example.com":   "star",
		"https://bücher.example":    "xn--",
		"https://a b.example":       "host",
		"https://a..example":        "host",
		"https://" + strings.Repeat("a.", 200) + "example": "too long",
	} {
		_, err := tenants.CheckOrigins("origins", []string{"https://example.com", text})
		var f *tenants.FieldError
		if !errors.As(err, &f) || f.Field != "origins[1]" || !errors.Is(err, tenants.ErrInvalid) || !strings.Contains(f.Reason, want) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
	many := make([]string, tenants.MaxOrigins+1)
	var f *tenants.FieldError
	if _, err := tenants.CheckOrigins("origins", many); !errors.As(err, &f) || f.Field != "origins" {
		t.Errorf("too many: %v", err)
	}
}

func TestCheckOrigin(t *testing.T) {
	for text, want := range map[string]string{
		" https://Example.com/ ": "https://example.com",
		"null":                   "null",
		"capacitor://localhost":  "capacitor://localhost",
	} {
		if got, err := tenants.CheckOrigin("origin", text); err != nil || got != want {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "example.com", "https://*.example.com"} {
		var f *tenants.FieldError
		if _, err := tenants.CheckOrigin("origin", text); !errors.As(err, &f) || f.Field != "origin" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzOrigins(f *testing.F) {
	for _, s := range []string{
		"https://example.com", "https://*.example.com:8443", "http://[::1]:80", "null", "", "https://", "://x", "https://[::ffff:1.2.3.4]",
		"https://a%2eb", "https://example.com.", "https://*.", "capacitor://localhost", "https://\u212A",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, pattern, origin string) {
		allowed := tenants.Origins{pattern}.Allow(origin)
		if origin == "" && !allowed {
			t.Error("no origin was kept out")
		}
		kept, err := tenants.CheckOrigins("o", []string{pattern})
		if err != nil {
			if allowed && origin != "" {
				t.Errorf("%q is no origin, but let %q in", pattern, origin)
			}
			return
		}
		// What is kept is kept as it is when it comes again, and means the same.
		again, err := tenants.CheckOrigins("o", kept)
		if err != nil || !slices.Equal(again, kept) {
			t.Errorf("%q is kept as %q, and that as %q, %v", pattern, kept, again, err)
		}
		if allowed && !kept.Allow(origin) {
			t.Errorf("%q lets %q in, but %q does not", pattern, origin, kept)
		}
		if !strings.Contains(kept[0], "*") && !kept.Allow(kept[0]) {
			t.Errorf("%q keeps itself out", kept[0])
		}
		// Who is let in is exactly the host that is named, or one label in front of it.
		if given, err := tenants.CheckOrigin("o", origin); err == nil && allowed && given != "null" {
			if !strings.Contains(kept[0], "*") && given != kept[0] {
				t.Errorf("%q let %q in", kept[0], given)
			}
			if before, after, star := strings.Cut(kept[0], "*"); star {
				label := strings.TrimSuffix(strings.TrimPrefix(given, before), after)
				if before+label+after != given || label == "" || strings.ContainsAny(label, "./:@") {
					t.Errorf("%q let %q in", kept[0], given)
				}
			}
		}
	})
}
