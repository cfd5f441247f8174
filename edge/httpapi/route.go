package httpapi

import (
	"net/url"
	"strings"
)

// route is what a path asks for.
type route struct {
	app  string // the app's id, decoded
	path string // as it was signed: escaped, and without the edge's prefix
	// name is the last part of the path, for the handler and for metrics.
	name string
}

// parseRoute reads an escaped path. It is neither cleaned nor redirected, because a signature covers the path
// as it was sent.
func (s *Server) parseRoute(escapedPath string) (route, bool) {
	path, ok := strings.CutPrefix(escapedPath, s.cfg.PathPrefix)
	if !ok {
		return route{}, false
	}
	rest, ok := strings.CutPrefix(path, "/apps/")
	if !ok {
		return route{}, false
	}
	app, name, ok := strings.Cut(rest, "/")
	if !ok || app == "" {
		return route{}, false
	}
	app, err := url.PathUnescape(app)
	return route{app: app, path: path, name: name}, err == nil
}
