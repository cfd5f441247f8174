package socket

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// Apps tells which app a public key opens: [tenants.ErrNotFound] for a key that opens none,
// [tenants.ErrUnavailable] when that cannot be known at the moment.
type Apps interface {
	ByKey(ctx context.Context, publicKey string) (*tenants.App, error)
}

// The protocol versions that are spoken; 1 to 3 are retired (Pusher protocol, connection).
const (
	minProtocol = 4
	maxProtocol = 7
)

// ending says with which code a socket is closed, and why in words.
type ending struct {
	code pusher.CloseCode
	text string
}

// final tells whether a socket that is open must go for this. What is only not known at the moment is no reason.
func (e *ending) final() bool { return e != nil && e.code != pusher.CloseOverCapacity }

func endWith(code pusher.CloseCode) *ending { return &ending{code, code.String()} }

// guest is a connection that may come in.
type guest struct {
	key    string
	client string
	app    *tenants.App
}

// admit tells who a request comes from, or why it may not come in.
func (s *Server) admit(r *http.Request) (guest, *ending) {
	key, ok := s.appKey(r.URL.EscapedPath())
	if !ok {
		return guest{}, endWith(pusher.ClosePathNotFound)
	}
	query := r.URL.Query()
	if end := checkProtocol(query); end != nil {
		return guest{}, end
	}
	app, end := s.lookUp(r.Context(), key)
	return guest{key: key, client: query.Get("client"), app: app}, end
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

// checkProtocol reads the protocol version. No version at all is taken for the newest, so that simple tools
// can connect.
func checkProtocol(query url.Values) *ending {
	if !query.Has("protocol") {
		return nil
	}
	given := query.Get("protocol")
	if given == "" {
		return endWith(pusher.CloseNoVersion)
	}
	version, err := strconv.Atoi(given)
	if err != nil {
		return endWith(pusher.CloseInvalidVersion)
	}
	if version < minProtocol || version > maxProtocol {
		return endWith(pusher.CloseUnsupportedVersion)
	}
	return nil
}

// lookUp returns the app that a key opens, or why the key opens nothing. What cannot be known is never told
// as a fact: a client that hears 4001 does not come back, one that hears 4100 does.
func (s *Server) lookUp(ctx context.Context, key string) (*tenants.App, *ending) {
	app, err := s.cfg.Apps.ByKey(ctx, key)
	switch {
	case errors.Is(err, tenants.ErrNotFound):
		text := "App key " + shorten(key) + " not in this cluster. Did you forget to specify the cluster?"
		return nil, &ending{pusher.CloseUnknownApp, text}
	case err != nil:
		if !errors.Is(err, tenants.ErrUnavailable) && ctx.Err() == nil {
			s.cfg.Logger.ErrorContext(ctx, "look up app", slog.Any("error", err))
		}
		return nil, endWith(pusher.CloseOverCapacity)
	case !app.Enabled:
		return app, endWith(pusher.CloseAppDisabled)
	}
	return app, nil
}

// shorten cuts what a client sent to what fits into a close reason, and to characters that may stand there.
func shorten(key string) string {
	const enough = 40
	key = strings.ToValidUTF8(key, "�")
	if utf8.RuneCountInString(key) <= enough {
		return key
	}
	return string([]rune(key)[:enough]) + "…"
}
