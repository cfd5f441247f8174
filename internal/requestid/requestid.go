// Package requestid gives every HTTP request an id that joins what the caller saw with what was logged. It
// knows nothing of Peal's. Start with [Handler].
package requestid

import (
	"context"
	"net/http"

	"github.com/google/uuid"
)

// Header carries the id in both directions.
const Header = "X-Request-Id"

// maxLength bounds an id that a caller brings, in bytes.
const maxLength = 128

type contextKey struct{}

// Handler puts the id of each request into its context and into the answer's header: the one that the caller
// brought when it is fit to be logged, or a new one.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(Header)
		if !valid(id) {
			id = uuid.Must(uuid.NewV7()).String()
		}
		w.Header().Set(Header, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, id)))
	})
}

// From returns the id in a request's context, or an empty string.
func From(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
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
