package pusher_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzMutatedSignature signs a request and sends it in every way that says the same, which must be taken, and then with
// one byte changed, which must be taken only if it still says the same.
func FuzzMutatedSignature(f *testing.F) {
	f.Add("/apps/3/events", "name", "foo", "data", `{"a":"<ü>"}`, "", 40, byte(1))
	f.Add("/apps/3/users/a%40b/terminate_connections", "info", "x,y", "z", "", "{}", 3, byte(0x20))
	f.Add("/apps/3/channels", "filter_by_prefix", "presence-", "info", "user_count", "", 200, byte(4))
	f.Fuzz(func(t *testing.T, path, key1, value1, key2, value2, body string, at int, flip byte) {
		s := signedFor(path, body, map[string]string{plainKey(key1, "a"): plain(value1), plainKey(key2, "b"): plain(value2)})
		for _, way := range []func(string) string{url.QueryEscape, everyByte, strings.ToUpper} {
			again := s
			again.query = s.in(way)
			if err := again.verify(); err != nil && !strings.HasPrefix(err.Error(), "Duplicate") {
				t.Fatalf("%q: %v", again, err)
			}
		}
		changed := s.change(at, flip)
		if err := changed.verify(); (err == nil) != changed.says(s) {
			t.Fatalf("signed %q\nsent   %q\n%v", s, changed, err)
		}
	})
}

// signed is a request with its signature.
type signed struct {
	method, path, query, body string
	params                    map[string]string // decoded
}

func signedFor(path, body string, params map[string]string) signed {
	params["auth_key"], params["auth_timestamp"], params["auth_version"] = demoKey, "1353088179", "1.0"
	if body != "" {
		params["body_md5"] = md5Hex(body)
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, key+"="+params[key])
	}
	params["auth_signature"] = hmacHex("POST\n" + path + "\n" + strings.Join(pairs, "&"))
	s := signed{method: "POST", path: path, body: body, params: params}
	s.query = s.in(url.QueryEscape)
	return s
}

// in writes the query with the values escaped in one way, in the opposite order of the signature's. A way that changes more than
// the escapes is one for keys.
func (s signed) in(way func(string) string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(s.params)) {
		if way("a") == "A" {
			pairs = append(pairs, way(key)+"="+url.QueryEscape(s.params[key]))
			continue
		}
		pairs = append(pairs, way(key)+"="+way(s.params[key]))
	}
	slices.Reverse(pairs)
	return strings.Join(pairs, "&")
}

func (s signed) verify() error { return verify(s.method, s.path, s.query, demoSecret, s.body) }

// change flips bits of one byte of the whole request.
func (s signed) change(at int, flip byte) signed {
	parts := []*string{&s.method, &s.path, &s.query, &s.body}
	whole := 0
	for _, p := range parts {
		whole += len(*p)
	}
	at = (at%whole + whole) % whole
	for _, p := range parts {
		if at < len(*p) {
			b := []byte(*p)
			b[at] ^= flip
			*p = string(b)
			break
		}
		at -= len(*p)
	}
	return s
}

// says tells, with a reader of its own, whether the request says what another one does.
func (s signed) says(other signed) bool {
	params := map[string]string{}
	for pair := range strings.SplitSeq(s.query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if key = strings.ToLower(decoded(key)); params[key] != "" {
			return false
		}
		params[key] = decoded(value)
	}
	return strings.EqualFold(s.method, other.method) && s.path == other.path && s.body == other.body && maps.Equal(params, other.params)
}

func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

func everyByte(text string) string {
	var escaped strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&escaped, "%%%02x", text[i])
	}
	return escaped.String()
}

// plain takes from a text what parts a query: what is signed is joined without escapes, so that with them two queries
// can have one signature, in this protocol.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("&=[]", r) {
			return '_'
		}
		return r
	}, text)
}

// plainKey returns a key that reads the same with and without escapes, and that no other parameter has.
func plainKey(text, before string) string {
	return before + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.", r) {
			return r
		}
		return -1
	}, text)
}
