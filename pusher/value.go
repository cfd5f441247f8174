package pusher

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a JSON value is.
type Kind byte

// The kinds of JSON values. The zero kind is that of a value which is not there.
const (
	KindAbsent Kind = iota
	KindNull
	KindBool
	KindNumber
	KindString
	KindArray
	KindObject
)

// Value is one value in a document that [ParseJSON] has accepted. The zero Value is an absent one. It points
// into the document and is good for as long as that is.
type Value struct{ raw []byte }

// Kind returns what the value is.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return KindAbsent
	}
	switch v.raw[0] {
	case '{':
		return KindObject
	case '[':
		return KindArray
	case '"':
		return KindString
	case 't', 'f':
		return KindBool
	case 'n':
		return KindNull
	}
	return KindNumber
}

// Given tells whether the value is there and not null.
func (v Value) Given() bool { return v.Kind() > KindNull }

// JSON returns the value's text as it was sent.
func (v Value) JSON() string { return string(v.raw) }

// Text returns the text of a string, and "" for any other kind.
func (v Value) Text() string {
	if v.Kind() != KindString {
		return ""
	}
	return string(unescape(v.raw[1 : len(v.raw)-1]))
}

// Members walks the members of an object; for any other kind there are none.
func (v Value) Members() Members {
	if v.Kind() != KindObject {
		return Members{}
	}
	return Members{rest: v.raw[1 : len(v.raw)-1]}
}

// Items walks the items of an array; for any other kind there are none.
func (v Value) Items() Items {
	if v.Kind() != KindArray {
		return Items{}
	}
	return Items{rest: v.raw[1 : len(v.raw)-1]}
}

// Members is a walk over an object: call Next before each member.
type Members struct {
	rest  []byte
	name  []byte
	value Value
}

// Next goes to the next member and tells whether there is one.
func (m *Members) Next() bool {
	rest := skipSeparators(m.rest)
	if len(rest) == 0 {
		return false
	}
	end := valueEnd(rest)
	m.name = unescape(rest[1 : end-1])
	rest = skipSeparators(rest[end:])
	end = valueEnd(rest)
	m.value = Value{raw: rest[:end]}
	m.rest = rest[end:]
	return true
}

// Name returns the member's name. It is bytes so that switching on string(m.Name()) allocates nothing.
func (m *Members) Name() []byte { return m.name }

// Value returns the member's value.
func (m *Members) Value() Value { return m.value }

// Items is a walk over an array: call Next before each item.
type Items struct {
	rest  []byte
	value Value
}

// Next goes to the next item and tells whether there is one.
func (it *Items) Next() bool {
	rest := skipSeparators(it.rest)
	if len(rest) == 0 {
		return false
	}
	end := valueEnd(rest)
	it.value = Value{raw: rest[:end]}
	it.rest = rest[end:]
	return true
}

// Value returns the item.
func (it *Items) Value() Value { return it.value }

// skipSeparators skips what may stand between two values of a document that was checked.
func skipSeparators(b []byte) []byte {
	for len(b) > 0 && (isSpace(b[0]) || b[0] == ',' || b[0] == ':') {
		b = b[1:]
	}
	return b
}

// valueEnd returns where the value ends with which b, a part of a checked document, begins.
func valueEnd(b []byte) int {
	level := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
		case '{', '[':
			level++
			continue
		case '}', ']':
			level--
		default:
			if level == 0 {
				return scalarEnd(b, i)
			}
			continue
		}
		if level == 0 {
			return i + 1
		}
	}
	return len(b)
}

// stringEnd returns the index of the quote that ends the string which begins at i.
func stringEnd(b []byte, i int) int {
	for i++; ; i += 2 { // a backslash and what it escapes
		i += plainLen(b[i:])
		if b[i] == '"' {
			return i
		}
	}
}

func scalarEnd(b []byte, i int) int {
	for i < len(b) && !isSpace(b[i]) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// unescape returns the text between the quotes of a checked string; without escapes it is the same bytes.
func unescape(s []byte) []byte {
	i := bytes.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '\\' {
			next := bytes.IndexByte(s[i:], '\\')
			if next < 0 {
				next = len(s) - i
			}
			out = append(out, s[i:i+next]...)
			i += next
			continue
		}
		switch b := s[i+1]; b {
		case 'u':
			r, size := unicodeEscape(s[i:])
			out = utf8.AppendRune(out, r)
			i += size
			continue
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, b)
		}
		i += 2
	}
	return out
}

// unicodeEscape reads the \u escape with which s begins, or the pair of two that make one character. The size
// is 0 when it is not hexadecimal or only half of a pair.
func unicodeEscape(s []byte) (r rune, size int) {
	r, ok := hex4(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := hex4(s[6:])
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 reads \uXXXX at the beginning of s.
func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range s[2:6] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		case b >= 'A' && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}
