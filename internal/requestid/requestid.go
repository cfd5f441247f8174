// Package requestid gives every HTTP request an id that joins what the caller saw with what was logged. It
// knows nothing of Peal's. Start with [Handler], or with [Begin] on a path where every allocation counts.
package requestid

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Header carries the id in both directions.
const Header = "X-Request-Id"

// maxLength bounds an id that a caller brings, in bytes.
const maxLength = 128

// Handler puts the id of each request into its context and into the answer's header: the one that the caller
// brought when it is fit to be logged, or a new one.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(Begin(w, r))) //nolint:contextcheck // Begin's context lies around the request's
	})
}

// Begin does for one request what [Handler] does, but leaves the request as it is: its context with the id is
// returned, and the caller must use that one from there on. It saves the copy of the request.
func Begin(w http.ResponseWriter, r *http.Request) context.Context {
	id := brought(r)
	if !valid(id) {
		id = newID()
	}
	c := &identified{Context: r.Context(), id: [1]string{id}}
	w.Header()[Header] = c.id[:]
	return c
}

// From returns the id in a request's context, or an empty string.
func From(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

type contextKey struct{}

// identified is a context with a request's id. It is a type of its own because so the context, its value and
// the list that the answer's header wants are a single allocation.
type identified struct {
	context.Context //nolint:containedctx // a context is what this is
	// id is never changed, though the header shares it: an http.Header replaces its lists or appends to them,
	// and this one has no room to append.
	id [1]string
}

// Value returns the id for our key, and what the outer context has for any other.
func (c *identified) Value(key any) any {
	if key == (contextKey{}) {
		return c.id[0]
	}
	return c.Context.Value(key)
}

// brought returns the id that the caller sent, or an empty string.
func brought(r *http.Request) string {
	if sent := r.Header[Header]; len(sent) > 0 {
		return sent[0]
	}
	return ""
}

// newID returns a UUID of version 7 (RFC 9562, 5.7): milliseconds since 1970, then randomness. It names a
// request and guards nothing, so that the runtime's own generator, which costs no system call, is enough.
func newID() string {
	var id uuid.UUID
	millis := uint64(time.Now().UnixMilli())
	binary.BigEndian.PutUint64(id[:8], millis<<16|rand.Uint64()>>48) //nolint:gosec // as said above
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())                //nolint:gosec // as said above
	id[6] = id[6]&0x0f | 0x70                                        // the version
	id[8] = id[8]&0x3f | 0x80                                        // the variant
	return id.String()
}

func valid(id string) bool {
	if id == "" || len(id) > maxLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
