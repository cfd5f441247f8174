package requestid_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/internal/requestid"
)

func TestHandler(t *testing.T) {
	for given, kept := range map[string]bool{
		"":                       false,
		"abc-123_x.y":            true,
		"with space":             false,
		"line\nbreak":            false,
		"<script>":               false,
		strings.Repeat("a", 128): true,
		strings.Repeat("a", 129): false,
		"\xff":                   false,
	} {
		var inside string
		h := requestid.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = requestid.From(r.Context()) }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header[requestid.Header] = []string{given}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if echoed := w.Header().Get(requestid.Header); echoed != inside || inside == "" {
			t.Errorf("%q: echoed %q, inside %q", given, echoed, inside)
		}
		if (inside == given) != kept {
			t.Errorf("%q: became %q", given, inside)
		}
	}
}

// TestNewIDs looks at the ids that are made: versions, and none twice.
func TestNewIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		ctx := requestid.Begin(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		id, err := uuid.Parse(requestid.From(ctx))
		if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || seen[id.String()] {
			t.Fatalf("%s: version %d, variant %v, %v", id, id.Version(), id.Variant(), err)
		}
		if s, ns := id.Time().UnixTime(); time.Since(time.Unix(s, ns)).Abs() > time.Hour {
			t.Fatalf("%s is of %v", id, time.Unix(s, ns))
		}
		seen[id.String()] = true
	}
}

// TestContextKeepsWhatItHad looks through the id's context at the one outside of it.
func TestContextKeepsWhatItHad(t *testing.T) {
	type key struct{}
	outer, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "outer"))
	r := httptest.NewRequestWithContext(outer, http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	ctx := requestid.Begin(w, r)
	inner, stop := context.WithCancel(ctx)
	defer stop()
	if ctx.Value(key{}) != "outer" || requestid.From(inner) == "" {
		t.Errorf("outer value %v, id %q", ctx.Value(key{}), requestid.From(inner))
	}
	if cancel(); inner.Err() == nil {
		t.Error("the end of the outer context did not come through")
	}
	// The header belongs to whoever answers: what they do to it leaves the id as it is.
	id := requestid.From(ctx)
	w.Header().Add(requestid.Header, "more")
	w.Header().Set(requestid.Header, "other")
	if requestid.From(ctx) != id {
		t.Errorf("%q became %q", id, requestid.From(ctx))
	}
}
