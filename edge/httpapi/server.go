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

	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
)

// Apps tells which app an id names: [tenants.ErrNotFound] for an id that names none,
// [tenants.ErrUnavailable] when that cannot be known at the moment.
type Apps interface {
	ByID(ctx context.Context, id string) (*tenants.App, error)
}

// Config is what a [Server] needs.
type Config struct {
	Apps      Apps
	Publisher *publish.Publisher
	Logger    *slog.Logger
	// PathPrefix stands before /apps/ in the path but is not signed: PHP's library adds it after signing. It
	// is empty or begins with a slash and ends without one.
	PathPrefix string
}

// Server is the HTTP API. Time limits and the size of headers are set on the http.Server that it is used with.
type Server struct {
	cfg      Config
	routes   map[string]*endpoint // by the route's name
	scratch  scratches
	json     []string // the content type of an answer, shared by all of them
	requests *prometheus.CounterVec
	panics   prometheus.Counter
}

// handler answers one request that is signed and whose body was read.
type handler func(ctx context.Context, app *tenants.App, work *scratch) (response, error)

// endpoint is what a route leads to.
type endpoint struct {
	handle handler
	ok     prometheus.Counter // its answers of 200, resolved once so that counting them allocates nothing
}

// response is a JSON object.
type response string

// NewServer returns a server.
func NewServer(cfg Config) *Server {
	s := &Server{
		cfg:  cfg,
		json: []string{"application/json"},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_http_requests_total", Help: "Requests to the HTTP API, by route and status.",
		}, []string{"route", "code"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peal_http_panics_total", Help: "Panics while a request was handled; each is a bug.",
		}),
	}
	s.routes = map[string]*endpoint{
		"events":       s.endpoint("events", s.events),
		"batch_events": s.endpoint("batch_events", s.batchEvents),
	}
	return s
}

func (s *Server) endpoint(name string, handle handler) *endpoint {
	return &endpoint{handle: handle, ok: s.requests.WithLabelValues(name, strconv.Itoa(http.StatusOK))}
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
	name, status := "other", http.StatusInternalServerError // what is counted; "other" is what is no route
	defer func() {
		if p := recover(); p != nil {
			s.panics.Inc()
			status = s.fail(ctx, w, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		s.count(name, status)
	}()
	route, ok := s.parseRoute(r.URL.EscapedPath())
	end := s.routes[route.name]
	if !ok || end == nil {
		status = s.fail(ctx, w, refuse(http.StatusNotFound, "Not found"))
		return
	}
	name = route.name
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		status = s.fail(ctx, w, refuse(http.StatusMethodNotAllowed, "Method not allowed, use POST"))
		return
	}
	answer, err := s.answer(ctx, w, r, route, end.handle)
	if err != nil {
		status = s.fail(ctx, w, err)
		return
	}
	status = http.StatusOK
	w.Header()["Content-Type"] = s.json
	// The request was carried out; who does not wait for the answer misses it.
	_, _ = io.WriteString(w, string(answer)) //nolint:gosec // JSON of ours, under its own content type
}

func (s *Server) count(name string, status int) {
	if end := s.routes[name]; end != nil && status == http.StatusOK {
		end.ok.Inc()
		return
	}
	s.requests.WithLabelValues(name, strconv.Itoa(status)).Inc()
}

func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, route route, handle handler) (response, error) {
	app, err := s.cfg.Apps.ByID(ctx, route.app)
	if err != nil {
		return "", err
	}
	work := s.scratch.get()
	defer s.scratch.put(work)
	secret, err := authenticate(&work.signed, r, route, app, time.Now())
	if err != nil {
		return "", err
	}
	if work.body, err = readBody(work.body, w, r, &app.Limits); err != nil {
		return "", err
	}
	if err := work.signed.Verify(secret, work.body); err != nil {
		return "", err
	}
	if !app.Enabled {
		return "", refuse(http.StatusForbidden, "App %s is disabled", app.ID)
	}
	return handle(ctx, app, work)
}
