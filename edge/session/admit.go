package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
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

// Visitor is who asks to be let in, by whatever door.
type Visitor struct {
	// Key is the public key that the address names.
	Key string
	// Query holds the parameters of the address: protocol, client, version.
	Query url.Values
	// Origin is that of the page, empty for what is no browser.
	Origin string
	// Addr is where the visitor comes from, with its port.
	Addr string
	// TLS says that the visitor came over TLS, to us or to a proxy before us.
	TLS bool
}

// VisitorOf reads what a request tells of who sent it. The key is for each door to find in its own paths.
func VisitorOf(r *http.Request, key string) Visitor {
	return Visitor{
		Key: key, Query: r.URL.Query(), Origin: r.Header.Get("Origin"), Addr: r.RemoteAddr,
		TLS: OverTLS(r),
	}
}

// OverTLS tells whether a request came over TLS, to us or to a proxy before us. From whom a proxy's word on that is
// taken is settled before a request comes here. Some proxies say wss of a WebSocket.
func OverTLS(r *http.Request) bool {
	proto := r.Header.Get("X-Forwarded-Proto")
	return r.TLS != nil || strings.EqualFold(proto, "https") || strings.EqualFold(proto, "wss")
}

// Guest is a visitor that may come in.
type Guest struct {
	Key    string
	Client string
	Origin string
	TLS    bool
	App    *tenants.App
}

// Admit tells who a visitor is, or why it may not come in. The guest's app is set whenever it is known.
func (r *Registry) Admit(ctx context.Context, v Visitor) (Guest, *Ending) {
	g := Guest{Key: v.Key, Client: v.Query.Get("client"), Origin: v.Origin, TLS: v.TLS}
	if r.cfg.Arrivals != nil && !r.cfg.Arrivals.Admit(v.Addr) {
		return g, &Ending{pusher.CloseOverCapacity, "Too many connections are being opened, try again in a moment"}
	}
	if end := checkProtocol(v.Query); end != nil {
		return g, end
	}
	var end *Ending
	why := whyNoKey
	g.App, end = r.lookUp(ctx, v.Key)
	if end == nil {
		end, why = mayUse(g.App, g.Origin, g.TLS), whyEnded
	}
	switch {
	case end == nil:
		k, _ := g.App.Key(v.Key)
		k.Use.Touch()
	case g.App != nil:
		r.Reject(g.App, why(end))
	}
	return g, end
}

// Reject counts somebody whom a door turns away although the app would let them in.
func (r *Registry) Reject(app *tenants.App, why usage.Reason) {
	if app != nil {
		r.cfg.Usage.Tally(app.TenantID, app.ID).Rejected(why)
	}
}

// whyNoKey tells why a key does not let somebody in.
func whyNoKey(end *Ending) usage.Reason {
	if end.Code == pusher.CloseUnauthorized {
		return usage.NotAllowed // It is for something else.
	}
	return whyEnded(end)
}

// whyEnded tells why an app's settings keep somebody out.
func whyEnded(end *Ending) usage.Reason {
	switch end.Code {
	case pusher.CloseAppDisabled:
		return usage.AppDisabled
	case pusher.CloseTLSOnly:
		return usage.TLSRequired
	case pusher.CloseUnauthorized:
		return usage.OriginRefused
	default:
		return usage.Unauthorized // The key has stopped to open the app meanwhile.
	}
}

// checkProtocol reads the protocol version. No version at all is taken for the newest, so that simple tools
// can connect.
func checkProtocol(query url.Values) *Ending {
	if !query.Has("protocol") {
		return nil
	}
	given := query.Get("protocol")
	if given == "" {
		return EndWith(pusher.CloseNoVersion)
	}
	version, err := strconv.Atoi(given)
	if err != nil {
		return EndWith(pusher.CloseInvalidVersion)
	}
	if version < minProtocol || version > maxProtocol {
		return EndWith(pusher.CloseUnsupportedVersion)
	}
	return nil
}

// lookUp returns the app that a key opens, or why the key opens nothing. What cannot be known is never told
// as a fact: a client that hears 4001 does not come back, one that hears 4100 does.
func (r *Registry) lookUp(ctx context.Context, key string) (*tenants.App, *Ending) {
	app, err := r.cfg.Apps.ByKey(ctx, key)
	switch {
	case errors.Is(err, tenants.ErrNotFound):
		text := "App key " + shortenKey(key) + " not in this cluster. Did you forget to specify the cluster?"
		return nil, &Ending{pusher.CloseUnknownApp, text}
	case err != nil:
		if !errors.Is(err, tenants.ErrUnavailable) && ctx.Err() == nil {
			r.cfg.Logger.ErrorContext(ctx, "look up app", slog.Any("error", err))
		}
		return nil, EndWith(pusher.CloseOverCapacity)
	}
	k, ok := app.Key(key)
	switch {
	case !ok: // It has stopped to work since.
		return app, &Ending{pusher.CloseUnknownApp, "App key " + shortenKey(key) + " does not work any more"}
	case !k.Scopes.Allow(tenants.ScopeSubscribe):
		return app, &Ending{pusher.CloseUnauthorized, "App key " + shortenKey(key) + " opens no sockets: it has no scope subscribe"}
	case !app.Open():
		return app, EndWith(pusher.CloseAppDisabled)
	}
	return app, nil
}

// mayUse tells why an app's settings keep somebody out, nil when they do not.
func mayUse(app *tenants.App, origin string, tls bool) *Ending {
	switch {
	case app.Features.TLSOnly && !tls:
		return EndWith(pusher.CloseTLSOnly)
	case !app.Origins.Allow(origin):
		return &Ending{pusher.CloseUnauthorized, "Connections from the origin " + shortenKey(origin) + " are not allowed by this app"}
	}
	return nil
}

// shortenKey cuts what a client sent to what fits into a close reason.
func shortenKey(key string) string { return pusher.Shorten(key, 40) }
