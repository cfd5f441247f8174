package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, method, target string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Result()
}

func TestPages(t *testing.T) {
	h := pages(fstest.MapFS{
		"index.html":        {Data: []byte("<title>Peal</title>")},
		"theme.js":          {Data: []byte("0")},
		"assets/app-abc.js": {Data: []byte("1")},
	})
	for _, c := range []struct {
		method, path, cache string
		status              int
	}{
		{"GET", "/", "no-cache", 200},
		{"GET", "/index.html", "no-cache", 200},
		{"GET", "/apps/7/keys", "no-cache", 200},
		{"HEAD", "/apps", "no-cache", 200},
		{"GET", "/theme.js", "", 200},
		{"GET", "/assets/app-abc.js", "public, max-age=31536000, immutable", 200},
		{"GET", "/assets/gone-123.js", "", 404},
		{"GET", "/assets", "no-cache", 200},
		{"GET", "/../../etc/passwd", "no-cache", 200},
		{"POST", "/", "", 405},
	} {
		resp := get(t, h, c.method, c.path)
		if resp.StatusCode != c.status || resp.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s %s: %d, Cache-Control %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Cache-Control"))
		}
	}
}

func TestPagesThatWereNotBuilt(t *testing.T) {
	if resp := get(t, pages(fstest.MapFS{}), "GET", "/"); resp.StatusCode != 404 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	h := Handler(Config{ConnectTo: func(*http.Request) []string { return []string{"ws://edge.test:6001"} }, TLS: true})
	for _, target := range []string{"/", "/apps/7", "/assets/none.js"} {
		resp := get(t, h, "GET", target)
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "connect-src 'self' ws://edge.test:6001",
		} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", target, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", target, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  "max-age=31536000",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", target, name, got)
			}
		}
	}
}
