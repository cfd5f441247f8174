package pusher

import (
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may be nested in JSON from outside.
const MaxDepth = 32

// JSONError says where and why a document was refused.
type JSONError struct {
	Offset int // in bytes
	Reason string
}

func (e *JSONError) Error() string {
	return "invalid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

// ParseJSON checks a whole document and returns its root. It is stricter than encoding/json: invalid UTF-8,
// half a surrogate pair, the same key twice in one object, more than [MaxDepth] levels and more than
// [MaxKeys] members are refused, so that no two readers can see two meanings in one text. It copies nothing:
// the values point into doc.
func ParseJSON(doc []byte) (Value, error) {
	if !utf8.Valid(doc) {
		return Value{}, &JSONError{Offset: invalidUTF8(doc), Reason: "invalid UTF-8"}
	}
	c := checker{doc: doc}
	c.space()
	start := c.pos
	if err := c.value(1); err != nil {
		return Value{}, err
	}
	end := c.pos
	if c.space(); c.pos != len(doc) {
		return Value{}, c.fail("text after the end of the document")
	}
	return Value{raw: doc[start:end]}, nil
}

func invalidUTF8(doc []byte) int {
	for i := 0; i < len(doc); {
		r, size := utf8.DecodeRune(doc[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(doc)
}

// checker walks a document once, from left to right.
type checker struct {
	doc []byte
	pos int
}

func (c *checker) fail(reason string) error { return &JSONError{Offset: c.pos, Reason: reason} }

func (c *checker) space() {
	for c.pos < len(c.doc) && isSpace(c.doc[c.pos]) {
		c.pos++
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// next skips white space and takes one byte if it is b.
func (c *checker) next(b byte) bool {
	c.space()
	if c.pos < len(c.doc) && c.doc[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

// value takes one value; depth is the level that an array or object here would be on.
func (c *checker) value(depth int) error {
	if c.pos >= len(c.doc) {
		return c.fail("unexpected end")
	}
	switch b := c.doc[c.pos]; {
	case b == '{' || b == '[':
		if depth > MaxDepth {
			return c.fail("nested too deeply")
		}
		if b == '{' {
			return c.object(depth)
		}
		return c.array(depth)
	case b == '"':
		return c.str()
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	case b == 't':
		return c.word("true")
	case b == 'f':
		return c.word("false")
	case b == 'n':
		return c.word("null")
	}
	return c.fail("unexpected character")
}

func (c *checker) word(w string) error {
	if len(c.doc)-c.pos < len(w) || string(c.doc[c.pos:c.pos+len(w)]) != w {
		return c.fail("unexpected character")
	}
	c.pos += len(w)
	return nil
}

func (c *checker) array(depth int) error {
	c.pos++ // the bracket
	if c.next(']') {
		return nil
	}
	for {
		c.space()
		if err := c.value(depth + 1); err != nil {
			return err
		}
		if c.next(']') {
			return nil
		}
		if !c.next(',') {
			return c.fail("expected , or ]")
		}
	}
}

func (c *checker) object(depth int) error {
	c.pos++ // the brace
	if c.next('}') {
		return nil
	}
	var seen keys
	for {
		if err := c.key(&seen); err != nil {
			return err
		}
		if !c.next(':') {
			return c.fail("expected :")
		}
		c.space()
		if err := c.value(depth + 1); err != nil {
			return err
		}
		if c.next('}') {
			return nil
		}
		if !c.next(',') {
			return c.fail("expected , or }")
		}
	}
}

// key takes a member's name and refuses one that the object has already.
func (c *checker) key(seen *keys) error {
	c.space()
	start := c.pos
	if c.pos >= len(c.doc) || c.doc[c.pos] != '"' {
		return c.fail("expected a key")
	}
	if err := c.str(); err != nil {
		return err
	}
	if reason := seen.add(unescape(c.doc[start+1 : c.pos-1])); reason != "" {
		return &JSONError{Offset: start, Reason: reason}
	}
	return nil
}

// str takes a string, which begins at the quote.
func (c *checker) str() error {
	c.pos++
	for {
		c.pos += plainLen(c.doc[c.pos:])
		if c.pos == len(c.doc) {
			return c.fail("unexpected end of a string")
		}
		switch c.doc[c.pos] {
		case '"':
			c.pos++
			return nil
		case '\\':
			if err := c.escape(); err != nil {
				return err
			}
		default:
			return c.fail("control character in a string")
		}
	}
}

func (c *checker) escape() error {
	if c.pos+1 >= len(c.doc) {
		return c.fail("unexpected end of a string")
	}
	switch c.doc[c.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.pos += 2
		return nil
	case 'u':
		_, size := unicodeEscape(c.doc[c.pos:])
		if size == 0 {
			return c.fail("invalid \\u escape or half a surrogate pair")
		}
		c.pos += size
		return nil
	}
	return c.fail("invalid escape")
}

func (c *checker) number() error {
	if c.doc[c.pos] == '-' {
		c.pos++
	}
	whole := c.pos
	n := c.digits()
	if n == 0 || n > 1 && c.doc[whole] == '0' {
		return c.fail("invalid number")
	}
	if c.pos < len(c.doc) && c.doc[c.pos] == '.' {
		c.pos++
		if c.digits() == 0 {
			return c.fail("invalid number")
		}
	}
	if c.pos < len(c.doc) && (c.doc[c.pos] == 'e' || c.doc[c.pos] == 'E') {
		c.pos++
		if c.pos < len(c.doc) && (c.doc[c.pos] == '+' || c.doc[c.pos] == '-') {
			c.pos++
		}
		if c.digits() == 0 {
			return c.fail("invalid number")
		}
	}
	return nil
}

func (c *checker) digits() int {
	start := c.pos
	for c.pos < len(c.doc) && c.doc[c.pos] >= '0' && c.doc[c.pos] <= '9' {
		c.pos++
	}
	return c.pos - start
}
