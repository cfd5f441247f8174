package socket

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// admit tells who a request comes from, or why it may not come in.
func (s *Server) admit(r *http.Request) (session.Guest, *session.Ending) {
	key, ok := s.appKey(r.URL.EscapedPath())
	if !ok {
		return session.Guest{}, session.EndWith(pusher.ClosePathNotFound)
	}
	return s.cfg.Sessions.Admit(r.Context(), session.VisitorOf(r, key))
}

// appKey returns the key in an escaped path. The path is neither cleaned nor decoded before it is matched: an
// escaped slash is a part of the key, which is then unknown.
func (s *Server) appKey(escapedPath string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(escapedPath, s.cfg.PathPrefix+"/app/")
	if !ok || rest == "" || strings.Contains(rest, "/") {
		return "", false
	}
	key, err := url.PathUnescape(rest)
	return key, err == nil
}
