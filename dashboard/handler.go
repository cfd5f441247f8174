// Package dashboard serves the dashboard's pages from the binary. The pages are a client of the admin API
// and this package imports nothing of Peal's; it adds the headers that a browser needs to be told. Start
// with [Handler]; the pages themselves are in src, beginning at src/routes.tsx.
package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

//go:embed all:dist
var dist embed.FS

// Config is what [Handler] needs.
type Config struct {
	// ConnectTo returns the origins, besides its own, that the pages of this request may connect to: the
	// edge, whose events the pages show.
	ConnectTo func(r *http.Request) []string
	// TLS says that people reach the pages by https only.
	TLS bool
}

// Handler serves the pages. A path that is no file is a page of the application and gets its one HTML file.
func Handler(cfg Config) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // The folder is part of the program.
	}
	return gzhttp.GzipHandler(headers(cfg, pages(files)))
}

func pages(files fs.FS) http.Handler {
	index, err := fs.ReadFile(files, "index.html")
	static := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		if err != nil {
			http.Error(w, "The dashboard's pages are not part of this binary. Build them with `make build`.", http.StatusNotFound)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if info, err := fs.Stat(files, name); err == nil && !info.IsDir() && name != "index.html" {
			if strings.HasPrefix(name, "assets/") {
				// Their names hold a hash of what is in them.
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			static.ServeHTTP(w, r)
			return
		}
		if path.Ext(name) != "" && strings.HasPrefix(name, "assets/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(index) //nolint:errcheck // Whoever asked has gone away; nobody is left to be told.
	})
}

func headers(cfg Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connect := strings.Join(append([]string{"connect-src 'self'"}, cfg.ConnectTo(r)...), " ")
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+connect)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if cfg.TLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
