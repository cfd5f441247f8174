package channels

import (
	"strconv"
	"strings"
)

// MaxNameLength is the longest channel name that any app may allow, in characters: the server libraries
// refuse to publish on a longer one (Pusher protocol, names and types).
const MaxNameLength = 200

// Kind is what a channel's prefix makes of it.
type Kind uint8

// The kinds of channels, each named for its prefix.
const (
	KindPublic Kind = iota
	KindCache
	KindPrivate
	KindPrivateCache
	KindPrivateEncrypted
	KindPrivateEncryptedCache
	KindPresence
	KindPresenceCache
)

// prefixes are in the order in which they must be tested, so that the longest wins. The hyphen belongs to
// them: "presence@x" is public.
var prefixes = [...]struct {
	prefix string
	kind   Kind
}{
	{"private-encrypted-cache-", KindPrivateEncryptedCache},
	{"private-encrypted-", KindPrivateEncrypted},
	{"private-cache-", KindPrivateCache},
	{"presence-cache-", KindPresenceCache},
	{"private-", KindPrivate},
	{"presence-", KindPresence},
	{"cache-", KindCache},
}

// KindOf tells the kind of a channel from the beginning of its name.
func KindOf(name string) Kind {
	for _, p := range &prefixes {
		if strings.HasPrefix(name, p.prefix) {
			return p.kind
		}
	}
	return KindPublic
}

// String returns the kind in words, for people.
func (k Kind) String() string {
	switch k {
	case KindCache:
		return "cache"
	case KindPrivate:
		return "private"
	case KindPrivateCache:
		return "private cache"
	case KindPrivateEncrypted:
		return "encrypted"
	case KindPrivateEncryptedCache:
		return "encrypted cache"
	case KindPresence:
		return "presence"
	case KindPresenceCache:
		return "presence cache"
	default:
		return "public"
	}
}

// Authorized tells whether a client needs its server's signature to subscribe.
func (k Kind) Authorized() bool { return k != KindPublic && k != KindCache }

// Members tells whether the channel's subscribers see each other.
func (k Kind) Members() bool { return k == KindPresence || k == KindPresenceCache }

// Cached tells whether the last event is kept for those who come later.
func (k Kind) Cached() bool {
	return k == KindCache || k == KindPrivateCache || k == KindPrivateEncryptedCache || k == KindPresenceCache
}

// Encrypted tells whether the events are sealed between customers' servers and clients.
func (k Kind) Encrypted() bool { return k == KindPrivateEncrypted || k == KindPrivateEncryptedCache }

// NameError says what is wrong with a channel's name. Its text may be shown to whoever sent the name.
type NameError struct{ Reason string }

func (e *NameError) Error() string { return e.Reason }

// CheckName tells whether a name may be a channel's: from 1 to limit characters, never more than
// [MaxNameLength], out of letters, digits and _ - = @ , . ;
//
// That a colon is refused is a matter of security: a customer's server that signs any name for a client could
// otherwise be asked for one that reads, byte for byte, as a sign-in of another user.
func CheckName(name string, limit int) error {
	if name == "" {
		return &NameError{"a channel name must not be empty"}
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return &NameError{"a channel name may hold only letters, digits and _ - = @ , . ;"}
		}
	}
	if limit = min(limit, MaxNameLength); len(name) > limit {
		return &NameError{"a channel name may have at most " + strconv.Itoa(limit) + " characters"}
	}
	return nil
}

func nameByte(b byte) bool {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		return true
	}
	return b == '_' || b == '-' || b == '=' || b == '@' || b == ',' || b == '.' || b == ';'
}
