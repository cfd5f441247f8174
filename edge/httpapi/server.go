package httpapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// Apps tells which app an id names or a public key opens: [tenants.ErrNotFound] where there is none,
// [tenants.ErrUnavailable] when that cannot be known at the moment.
type Apps interface {
	ByID(ctx context.Context, id string) (*tenants.App, error)
	ByKey(ctx context.Context, publicKey string) (*tenants.App, error)
}

// Config is what a [Server] needs.
type Config struct {
	Apps      Apps
	Publisher *publish.Publisher
	Presence  channels.Presence
	// Lists has an app's lists of channels take turns, over all doors; nil is for a single one.
	Lists *tenants.Turns
	// Usage counts for each app; nil is for nobody.
	Usage  *usage.Meter
	Logger *slog.Logger
	// PathPrefix stands before /apps/ in the path but is not signed: PHP's library adds it after signing. It
	// is empty or begins with a slash and ends without one.
	PathPrefix string
}

// Server is the HTTP API. Time limits and the size of headers are set on the http.Server that it is used with.
type Server struct {
	cfg      Config
	routes   map[string]*endpoint // by the route's name
	scratch  scratches
	away     rate.Sometimes // when to log that something is
	newKeys  *rate.Limiter  // of questions whether a key is one that this edge has not heard of yet
	json     []string       // the content type of an answer, shared by all of them
	requests *prometheus.CounterVec
	panics   prometheus.Counter
}

// query is a request that is signed, whose body was read, and that the app may make.
type query struct {
	app    *tenants.App
	scopes tenants.KeyScopes // of the key that signed it
	route  route
	header http.Header
	work   *scratch
	w      http.ResponseWriter // for an answer that is too large to be made at once
}

// handler answers one query.
type handler func(ctx context.Context, q query) (response, error)

// response is an answer other than a refusal.
type response struct {
	body string // a JSON object
	// status is 200 where it is 0. Any other has no body.
	status int
	// written says that the handler has written the answer itself.
	written bool
	// replayed says that this answer was given before, and that nothing was done now.
	replayed bool
}

// newKeysPerSecond bounds how often it is asked whether a key that a known app does not have has been made meanwhile.
const newKeysPerSecond = 100

// NewServer returns a server.
func NewServer(cfg Config) *Server {
	if cfg.Lists == nil {
		cfg.Lists = new(tenants.Turns)
	}
	s := &Server{
		cfg:    cfg,
		routes: make(map[string]*endpoint),
		json:   []string{"application/json"},
		away:   rate.Sometimes{First: 1, Interval: time.Second},
		// Whoever guesses keys must not take the database's time.
		newKeys: rate.NewLimiter(newKeysPerSecond, newKeysPerSecond),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_http_requests_total", Help: "Requests to the HTTP API, by route and status.",
		}, []string{"route", "code"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peal_http_panics_total", Help: "Panics while a request was handled; each is a bug.",
		}),
	}
	for _, e := range []endpoint{
		{name: routeEvents, method: http.MethodPost, scope: tenants.ScopePublish, handle: s.events},
		{name: routeBatchEvents, method: http.MethodPost, scope: tenants.ScopePublish, handle: s.batchEvents},
		{name: routeChannelEvents, method: http.MethodPost, scope: tenants.ScopePublish, handle: s.channelEvents},
		{name: routeChannels, method: http.MethodGet, scope: tenants.ScopeQuery, handle: s.channels},
		{name: routeChannel, method: http.MethodGet, scope: tenants.ScopeQuery, handle: s.channel},
		{name: routeChannelUsers, method: http.MethodGet, scope: tenants.ScopeQuery, handle: s.channelUsers},
		{name: routeChannelStats, method: http.MethodGet, scope: tenants.ScopeQuery, handle: s.channelStats},
		{name: routeConnections, method: http.MethodGet, scope: tenants.ScopeQuery, handle: s.connections},
		{name: routeTerminate, method: http.MethodPost, scope: tenants.ScopePublish, handle: s.terminate},
	} {
		e.ok = s.requests.WithLabelValues(e.name, strconv.Itoa(http.StatusOK))
		s.routes[e.name] = &e
	}
	return s
}

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.requests, s.panics}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(requestid.Begin(w, r), w, r) //nolint:contextcheck // Begin's context lies around the request's
}

func (s *Server) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	name, status := routeOther, http.StatusInternalServerError // what is counted
	defer func() {
		if p := recover(); p != nil {
			s.panics.Inc()
			status = s.fail(ctx, w, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		s.count(name, status)
	}()
	route, ok := s.parseRoute(received(r.URL))
	if !ok {
		status = s.fail(ctx, w, refuse(http.StatusNotFound, "Not found"))
		return
	}
	name = route.name
	if !route.takes(r.Method) {
		w.Header().Set("Allow", route.allow())
		status = s.fail(ctx, w, refuse(http.StatusMethodNotAllowed, "Method not allowed, use %s", route.method))
		return
	}
	answer, err := s.answer(ctx, w, r, route)
	if err != nil {
		status = s.fail(ctx, w, err)
		return
	}
	status = s.respond(w, answer)
}

func (s *Server) count(name string, status int) {
	if end := s.routes[name]; end != nil && status == http.StatusOK {
		end.ok.Inc()
		return
	}
	s.requests.WithLabelValues(name, strconv.Itoa(status)).Inc()
}

func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, route route) (response, error) {
	work := s.scratch.get()
	defer s.scratch.put(work)
	app, key, err := s.authenticate(ctx, &work.signed, r, route)
	var tally *usage.Tally // Nobody's while nobody knows whose.
	if app != nil {
		tally = s.cfg.Usage.Tally(app.TenantID, app.ID)
	}
	if err == nil {
		work.body, err = readBody(work.body, w, r, &app.Limits)
	}
	if err == nil {
		err = work.signed.Verify(key.Secret.Reveal(), work.body)
	}
	if err != nil {
		reject(tally, err)
		return response{}, err
	}
	tally.Called(len(work.body))
	key.Use.Touch()
	if why, err := mayAsk(app, &key, route, r); err != nil {
		tally.Rejected(why)
		return response{}, err
	}
	answer, err := route.handle(ctx, query{app: app, scopes: key.Scopes, route: route, header: r.Header, work: work, w: w})
	if err != nil {
		reject(tally, err)
	}
	return answer, err
}

// respond writes an answer and returns its status.
func (s *Server) respond(w http.ResponseWriter, answer response) int {
	if answer.replayed {
		w.Header().Set(publish.ReplayedHeader, "true")
	}
	switch {
	case answer.written:
		return http.StatusOK
	case answer.status != 0:
		w.WriteHeader(answer.status)
		return answer.status
	}
	w.Header()["Content-Type"] = s.json
	// The request was carried out; who does not wait for the answer misses it.
	_, _ = io.WriteString(w, answer.body)
	return http.StatusOK
}
