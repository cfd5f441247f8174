package requestid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
