package httpapi_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"go.uber.org/goleak"
)

// The description of the API, docs/openapi.yaml, is held against what the API does: every answer in these tests must be
// one that is described there, and everything that is described there must have been an answer.

type contract struct {
	spec  *openapi3.T
	paths []contractPath

	mu    sync.Mutex
	seen  map[string]bool // "GET /path 200"; guarded by mu
	found map[string]bool // answers that were found as described, because looking takes its time; guarded by mu
}

func newContract(spec *openapi3.T) *contract {
	return &contract{spec: spec, seen: make(map[string]bool), found: make(map[string]bool)}
}

type contractPath struct {
	template string
	pattern  *regexp.Regexp
	item     *openapi3.PathItem
}

var theContract = sync.OnceValue(func() *contract {
	spec, err := openapi3.NewLoader().LoadFromFile("../../docs/openapi.yaml")
	if err == nil {
		err = spec.Validate(context.Background())
	}
	if err != nil {
		panic(err)
	}
	c := newContract(spec)
	parameter := regexp.MustCompile(`\\{(\w+)\\}`)
	for template, item := range spec.Paths.Map() {
		pattern := parameter.ReplaceAllStringFunc(regexp.QuoteMeta(template), func(p string) string {
			if strings.Contains(p, "user_id") {
				return ".+" // which may hold slashes
			}
			return "[^/]+"
		})
		c.paths = append(c.paths, contractPath{template, regexp.MustCompile("^" + pattern + "$"), item})
	}
	return c
})

// checkContract holds one answer against the description.
func checkContract(t testing.TB, prefix string, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if err := theContract().check(prefix, r, w); err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL.EscapedPath(), err)
	}
}

func (c *contract) check(prefix string, r *http.Request, w *httptest.ResponseRecorder) error {
	received, _, _ := strings.Cut(r.RequestURI, "?")
	path, within := strings.CutPrefix(received, prefix)
	i := slices.IndexFunc(c.paths, func(p contractPath) bool { return within && p.pattern.MatchString(path) })
	if i < 0 {
		return only(w, http.StatusNotFound)
	}
	at := c.paths[i]
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	operation := at.item.GetOperation(method)
	if operation == nil {
		return only(w, http.StatusMethodNotAllowed)
	}
	c.note(method, at.template, w.Code)
	answer := sameAnswer(method, at.template, w)
	if c.wasFound(answer) {
		return nil
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r.Clone(r.Context()),
			Route:   &routers.Route{Spec: c.spec, Path: at.template, PathItem: at.item, Method: method, Operation: operation},
		},
		Status:  w.Code,
		Header:  w.Header(),
		Body:    io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if described := operation.Responses.Status(w.Code); described != nil && len(described.Value.Content) == 0 && w.Body.Len() > 0 {
		return fmt.Errorf("the description of %d has no body, the answer has %q", w.Code, w.Body)
	}
	if err := openapi3filter.ValidateResponse(r.Context(), input); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found[answer] = true
	return nil
}

// sameAnswer is the same for answers that differ only in a request id of ours.
func sameAnswer(method, template string, w *httptest.ResponseRecorder) string {
	h := w.Header().Clone()
	if len(h.Get("X-Request-Id")) == len("01a2067d-da5a-7661-925d-50238a8198e4") {
		h.Set("X-Request-Id", "new")
	}
	return fmt.Sprint(method, template, w.Code, h, w.Body)
}

func (c *contract) wasFound(answer string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found[answer]
}

// only expects the one answer that what is not described may get.
func only(w *httptest.ResponseRecorder, status int) error {
	if w.Code != status {
		return fmt.Errorf("it is not described, so that the answer must be %d, not %d", status, w.Code)
	}
	return nil
}

func (c *contract) note(method, template string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprint(method, " ", template, " ", status)] = true
}

// missing lists what is described and was never an answer.
func (c *contract) missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	for _, p := range c.paths {
		for method, operation := range p.item.Operations() {
			for status := range operation.Responses.Map() {
				if what := method + " " + p.template + " " + status; !c.seen[what] {
					missing = append(missing, what)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// suite runs all tests and then asks whether the description was used up.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	for _, part := range []string{"test.run", "test.skip", "test.fuzz", "test.list"} {
		if f := flag.Lookup(part); f != nil && f.Value.String() != "" {
			return code // it was not all of them
		}
	}
	if code != 0 {
		return code
	}
	for _, what := range theContract().missing() {
		fmt.Fprintf(os.Stderr, "docs/openapi.yaml describes what no test was answered: %s\n", what)
		code = 1
	}
	return code
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// TestContractIsHeld gives the check answers that are not as described.
func TestContractIsHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path, contentType, body string
		status                          int
	}{
		"undescribed path":         {"GET", "/apps/3/other", "application/json", "{}", 200},
		"undescribed method":       {"DELETE", "/apps/3/channels", "application/json", "{}", 200},
		"undescribed status":       {"GET", "/apps/3/channels", "text/plain", "no\n", 418},
		"undescribed member":       {"GET", "/apps/3/channels/a", "application/json", `{"occupied":true,"x":1}`, 200},
		"missing member":           {"GET", "/apps/3/channels/a", "application/json", `{}`, 200},
		"list for a map":           {"GET", "/apps/3/channels", "application/json", `{"channels":[]}`, 200},
		"null for a list":          {"GET", "/apps/3/channels/presence-a/users", "application/json", `{"users":null}`, 200},
		"number for an id":         {"GET", "/apps/3/channels/presence-a/users", "application/json", `{"users":[{"id":1}]}`, 200},
		"map for a list":           {"POST", "/apps/3/batch_events", "application/json", `{"batch":{}}`, 200},
		"no line break":            {"GET", "/apps/3/channels", "text/plain", "no", 400},
		"JSON for text":            {"GET", "/apps/3/channels", "application/json", `{"error":"no"}`, 400},
		"text for JSON":            {"GET", "/apps/3/channels", "text/plain", "ok\n", 200},
		"a body where there is no": {"POST", "/apps/3/channels/a/events", "application/json", "{}", 202},
		"no Retry-After":           {"GET", "/apps/3/channels", "text/plain", "no\n", 503},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("X-Request-Id", "1")
		w.Header().Set("Content-Type", c.contentType)
		w.WriteHeader(c.status)
		_, _ = w.WriteString(c.body)
		held := another()
		if err := held.check("", httptest.NewRequest(c.method, c.path, nil), w); err == nil {
			t.Errorf("%s: nobody noticed", name)
		}
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.WriteString(`{"channels":{}}`)
	held := another()
	if err := held.check("", httptest.NewRequest("GET", "/apps/3/channels", nil), w); err == nil {
		t.Error("nobody noticed that there is no request id")
	}
	if missing := held.missing(); slices.Contains(missing, "GET /apps/{app_id}/channels 200") || !slices.Contains(missing, "GET /apps/{app_id}/channels 400") {
		t.Errorf("missing: %q", missing)
	}
}

// another returns the contract as if nothing had been answered yet.
func another() *contract {
	c := newContract(theContract().spec)
	c.paths = theContract().paths
	return c
}
