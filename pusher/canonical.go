package pusher

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The string that is signed (Pusher protocol, HTTP API, signature): METHOD, PATH and the parameters but the
// signature, sorted by key and joined as k=v with &, without any escaping. Libraries differ in how an array
// and an escaped path enter it, so that there are up to four such strings for one request; each of them is
// bound to the same secret.

// param is one parameter, its key lower-cased, key and value decoded once.
type param struct {
	key   string
	value string
}

// base is the key without the brackets of an array. It is what Ruby and PHP sort by.
func (p param) base() string {
	if strings.HasSuffix(p.key, "]") {
		if i := strings.IndexByte(p.key, '['); i > 0 {
			return p.key[:i]
		}
	}
	return p.key
}

func (p param) array() bool { return len(p.base()) < len(p.key) }

// parseQuery appends the parameters of a raw query to params, which is empty, and sorts them, the parts of an array
// staying in the order they were sent. A key that is there twice without being an array is refused: two readers could take
// two values from it.
func parseQuery(params []param, raw string) ([]param, error) {
	if cap(params) == 0 {
		params = make([]param, 0, 8)
	}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		params = append(params, param{key: strings.ToLower(unescapeOnce(key)), value: unescapeOnce(value)})
	}
	slices.SortStableFunc(params, func(a, b param) int { return strings.Compare(a.base(), b.base()) })
	for rest := params; len(rest) > 0; {
		n := sameBase(rest)
		if key := twice(rest[:n]); key != "" {
			return params, &AuthError{"Duplicate parameter: " + printable(key)}
		}
		rest = rest[n:]
	}
	return params, nil
}

// sameBase returns how many parameters at the beginning of a sorted list are one array. What is no array is alone.
func sameBase(params []param) int {
	n := 1
	for n < len(params) && params[n].base() == params[0].base() {
		n++
	}
	return n
}

// twice returns a key of these parameters of one base that another of them has too, or that is no array though
// others are; "" when there is none.
func twice(params []param) string {
	if len(params) == 1 {
		return ""
	}
	var seen keys
	for _, p := range params {
		if !p.array() {
			return p.key
		}
		if strings.HasSuffix(p.key, "[]") {
			continue // as often as there are values
		}
		if seen.add([]byte(p.key)) != "" {
			return p.key
		}
	}
	return ""
}

// printable returns s for a line of plain text, quoted when it holds what a line cannot show.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !strconv.IsPrint(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	return strconv.Quote(s)
}

// unescapeOnce decodes a part of a query. What is not an escape stays as it is, because some libraries, the
// official Go one among them, send what they signed unescaped.
func unescapeOnce(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// variant is one way to write the string that is signed.
type variant struct {
	path string
	// joined writes an array as PHP signs it, k=a,b, though its HTTP client sends k[0]=a and k[1]=b.
	joined bool
}

// variants yields the ways in which a library may have written this request, the usual one first.
func (r *SignedRequest) variants() iter.Seq[variant] {
	return func(yield func(variant) bool) {
		arrays := slices.ContainsFunc(r.params, param.array)
		if !yield(variant{path: r.path}) || arrays && !yield(variant{path: r.path, joined: true}) {
			return
		}
		if strings.IndexByte(r.path, '%') < 0 {
			return
		}
		path, err := url.PathUnescape(r.path)
		if err != nil || !yield(variant{path: path}) {
			return
		}
		if arrays {
			yield(variant{path: path, joined: true})
		}
	}
}

// appendCanonical appends the string that is signed.
func (r *SignedRequest) appendCanonical(dst []byte, v variant) []byte {
	dst = append(dst, r.method...)
	dst = append(dst, '\n')
	dst = append(dst, v.path...)
	dst = append(dst, '\n')
	array := "" // the array that the string ends with, when arrays are joined
	first := true
	for _, p := range r.params {
		if p.key == "auth_signature" {
			continue
		}
		joined := v.joined && p.array()
		if joined && p.base() == array {
			dst = append(dst, ',')
			dst = append(dst, p.value...)
			continue
		}
		array = ""
		if joined {
			p.key = p.base()
			array = p.key
		}
		if !first {
			dst = append(dst, '&')
		}
		first = false
		dst = append(dst, p.key...)
		dst = append(dst, '=')
		dst = append(dst, p.value...)
	}
	return dst
}
