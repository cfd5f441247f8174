package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/tenants"
)

// The routes, as metrics name them.
const (
	routeEvents        = "events"
	routeBatchEvents   = "batch_events"
	routeChannels      = "channels"
	routeChannel       = "channel"
	routeChannelUsers  = "channel_users"
	routeChannelStats  = "channel_stats"
	routeChannelEvents = "channel_events"
	routeConnections   = "connections"
	routeTerminate     = "terminate_connections"
	routeOther         = "other" // whatever else was asked for
)

// endpoint is what a route leads to.
type endpoint struct {
	name   string
	method string            // GET, which stands for HEAD as well, or POST
	scope  tenants.KeyScopes // what the key that signs a request must be for
	handle handler
	ok     prometheus.Counter // its answers of 200, resolved once so that counting them allocates nothing
}

// takes tells whether the endpoint answers to a method.
func (e *endpoint) takes(method string) bool {
	return method == e.method || method == http.MethodHead && e.method == http.MethodGet
}

// allow returns the methods that it answers to.
func (e *endpoint) allow() string {
	if e.method == http.MethodGet {
		return "GET, HEAD"
	}
	return e.method
}

// route is what a path asks for.
type route struct {
	*endpoint
	app  string // the app's id, decoded; empty where the path names none
	path string // as it was signed: as it was received, without the edge's prefix
	arg  string // the channel or the user that the path names, decoded
}

// received returns the path as it was sent. It is neither cleaned nor redirected nor escaped anew, because a signature
// covers it as it was sent.
func received(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// parseRoute reads a path as it was received.
func (s *Server) parseRoute(received string) (route, bool) {
	path, ok := strings.CutPrefix(received, s.cfg.PathPrefix)
	if !ok {
		return route{}, false
	}
	app, rest, ok := splitApp(path)
	if !ok {
		return route{}, false
	}
	name, arg := place(rest)
	end := s.routes[name]
	if end == nil || app == "" && name != routeTerminate {
		return route{}, false
	}
	app, appErr := url.PathUnescape(app)
	arg, argErr := url.PathUnescape(arg)
	return route{endpoint: end, app: app, path: path, arg: arg}, appErr == nil && argErr == nil
}

// splitApp takes the app from the beginning of a path. Python's library names none when it terminates the connections of
// a user (Pusher protocol, terminate).
func splitApp(path string) (app, rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, "/apps/"); ok {
		app, rest, ok = strings.Cut(rest, "/")
		return app, rest, ok && app != ""
	}
	rest, ok = strings.CutPrefix(path, "/")
	return "", rest, ok
}

// place names the route that a path leads to within its app, and the channel or user in it, still escaped.
func place(rest string) (name, arg string) {
	switch rest {
	case routeEvents, routeBatchEvents, routeChannels, routeConnections:
		return rest, ""
	}
	if inner, ok := strings.CutPrefix(rest, "channels/"); ok {
		return placeOfChannel(inner)
	}
	if inner, ok := strings.CutPrefix(rest, "users/"); ok {
		// A user's id may hold anything, and libraries put it into the path as it is, slashes included.
		if user, ok := strings.CutSuffix(inner, "/terminate_connections"); ok && user != "" {
			return routeTerminate, user
		}
	}
	return routeOther, ""
}

func placeOfChannel(inner string) (name, channel string) {
	channel, tail, more := strings.Cut(inner, "/")
	switch {
	case channel == "":
		return routeOther, ""
	case !more:
		return routeChannel, channel
	}
	switch tail {
	case "users":
		return routeChannelUsers, channel
	case "stats":
		return routeChannelStats, channel
	case "events":
		return routeChannelEvents, channel
	}
	return routeOther, ""
}
