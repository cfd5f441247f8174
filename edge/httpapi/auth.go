package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// authenticate checks all of a request's signature that needs no body, in the protocol's order, and returns the app and
// the key that it was signed for. What is left is to verify signed with that key's secret. The app is there as soon
// as it is known, also with an error.
func (s *Server) authenticate(ctx context.Context, signed *pusher.SignedRequest, r *http.Request, route route) (app *tenants.App, key tenants.Key, err error) {
	if route.app != "" {
		if app, err = s.cfg.Apps.ByID(ctx, route.app); err != nil {
			return nil, key, err
		}
	}
	if err := signed.Parse(r.Method, route.path, r.URL.RawQuery); err != nil {
		return app, key, err
	}
	if app == nil {
		if app, err = s.byKey(ctx, signed.Key()); err != nil {
			return nil, key, err
		}
	}
	if known, ok := app.Key(signed.Key()); ok {
		return app, known, signed.CheckTime(time.Now())
	}
	if !s.newKeys.Allow() {
		return app, key, pusher.ErrUnknownKey()
	}
	newer, err := s.byKey(ctx, signed.Key())
	if err != nil {
		return app, key, err
	}
	key, ok := newer.Key(signed.Key())
	if !ok || newer.ID != app.ID {
		return app, key, pusher.ErrUnknownKey()
	}
	return newer, key, signed.CheckTime(time.Now())
}

// byKey finds the app of a request whose path names none, and that of a key which the app that is known does not have: a key
// may be used before this edge has heard that it was made.
func (s *Server) byKey(ctx context.Context, key string) (*tenants.App, error) {
	app, err := s.cfg.Apps.ByKey(ctx, key)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, pusher.ErrUnknownKey()
	}
	return app, err
}

// mayAsk tells why an app's settings, or the scopes of the key, refuse a request whose signature holds.
func mayAsk(app *tenants.App, key *tenants.Key, route route, r *http.Request) (usage.Reason, error) {
	switch {
	case !app.Open():
		return usage.AppDisabled, refuse(http.StatusForbidden, "App %s is disabled", app.ID)
	case app.Features.TLSOnly && !session.OverTLS(r):
		return usage.TLSRequired, refuse(http.StatusForbidden, "App %s accepts requests over TLS only, use https", app.ID)
	}
	return usage.NotAllowed, key.Need(route.scope)
}
