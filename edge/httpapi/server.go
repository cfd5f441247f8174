package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
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
	handlers map[string]handler // by the route's name
	buffers  sync.Pool          // of *bytes.Buffer, each used for one body
	http     http.Handler
	requests *prometheus.CounterVec
	panics   prometheus.Counter
}

// handler answers one request that is signed and whose body was read.
type handler func(ctx context.Context, app *tenants.App, body []byte) (response, error)

// response is a JSON object.
type response string

// NewServer returns a server.
func NewServer(cfg Config) *Server {
	s := &Server{
		cfg:     cfg,
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_http_requests_total", Help: "Requests to the HTTP API, by route and status.",
		}, []string{"route", "code"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "peal_http_panics_total", Help: "Panics while a request was handled; each is a bug.",
		}),
	}
	s.handlers = map[string]handler{
		"events":       s.events,
		"batch_events": s.batchEvents,
	}
	s.http = requestid.Handler(http.HandlerFunc(s.serve))
	return s
}

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.requests, s.panics}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.http.ServeHTTP(w, r) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	name, status := "other", http.StatusInternalServerError // what is counted; "other" is what is no route
	defer func() {
		if p := recover(); p != nil {
			s.panics.Inc()
			status = s.fail(ctx, w, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
		s.requests.WithLabelValues(name, strconv.Itoa(status)).Inc()
	}()
	route, ok := s.parseRoute(r.URL.EscapedPath())
	handle := s.handlers[route.name]
	if !ok || handle == nil {
		status = s.fail(ctx, w, refuse(http.StatusNotFound, "Not found"))
		return
	}
	name = route.name
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		status = s.fail(ctx, w, refuse(http.StatusMethodNotAllowed, "Method not allowed, use POST"))
		return
	}
	answer, err := s.answer(w, r, route, handle)
	if err != nil {
		status = s.fail(ctx, w, err)
		return
	}
	status = http.StatusOK
	w.Header().Set("Content-Type", "application/json")
	// The request was carried out; who does not wait for the answer misses it.
	_, _ = io.WriteString(w, string(answer)) //nolint:gosec // JSON of ours, under its own content type
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, route route, handle handler) (response, error) {
	app, err := s.cfg.Apps.ByID(r.Context(), route.app)
	if err != nil {
		return "", err
	}
	signed, secret, err := authenticate(r, route, app, time.Now())
	if err != nil {
		return "", err
	}
	buf := s.buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool holds nothing else
	defer s.release(buf)
	if err := readBody(buf, w, r, &app.Limits); err != nil {
		return "", err
	}
	if err := signed.Verify(secret, buf.Bytes()); err != nil {
		return "", err
	}
	if !app.Enabled {
		return "", refuse(http.StatusForbidden, "App %s is disabled", app.ID)
	}
	return handle(r.Context(), app, buf.Bytes())
}
