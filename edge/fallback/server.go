package fallback

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

// Config is what a [Server] needs. Zero durations and numbers mean the defaults named beside them.
type Config struct {
	Sessions *session.Registry
	Logger   *slog.Logger
	// PathPrefix stands before the paths, such as "/realtime". It is empty or begins with a slash and ends without one.
	PathPrefix string
	// Hostname is where clients send the rest of a conversation that they began here, so that a balancer cannot send it
	// elsewhere. When it is empty they stay with the name that they know.
	Hostname string
	// Node names this edge in a cookie, for balancers that go by one. When it is empty there is no cookie.
	Node string
	// MaxSessions bounds how many conversations there are at once; more are told that the edge is full. 0 is no bound.
	MaxSessions int
	// MaxRefused bounds how many pollers at once are remembered until they fetch why they may not come in (128); more are
	// told at once.
	MaxRefused int
	// QueueBytes bounds what may wait for one client that does not receive (4 MiB), and QueueFrames bounds it in
	// frames (10,000).
	QueueBytes  int
	QueueFrames int
	// TotalQueueBytes bounds what may wait for all clients together (64 MiB). Beyond it those are closed for whom more
	// waits than the same share for each would be.
	TotalQueueBytes int64
	// Memory returns which share of the memory that the process may use is in use, 1 being all. When it nears that, nobody
	// is let in. It may be nil.
	Memory func() float64
	// MaxFrames bounds the frames of one request to send (100).
	MaxFrames int
	// WriteTimeout is how long one write may take before the client counts as gone (10 s).
	WriteTimeout time.Duration
	// Orphan is how long a conversation lasts while nobody receives (8 s).
	Orphan time.Duration
	// CloseTimeout is how long a conversation that has ended waits for its client to hear of it (8 s).
	CloseTimeout time.Duration
	// DrainWindow is over which time at least a shutdown sends the clients elsewhere; by default it is as short as may be.
	DrainWindow time.Duration
	// HandOver is how long a stream that has become too long waits for the client to open another before it goes on (10 s).
	HandOver time.Duration
}

// Server is the HTTP fallbacks. All methods may be called at the same time.
type Server struct {
	cfg           Config
	bases         []string
	conversations *registry
	metrics       metrics
	queued        atomic.Int64 // bytes that wait for all clients
	members       atomic.Int64 // conversations that were let in
	shutdown      *session.Ending
}

// NewServer returns a server without conversations.
func NewServer(cfg Config) *Server {
	orDefault(&cfg.MaxRefused, 128)
	orDefault(&cfg.QueueBytes, 4<<20)
	orDefault(&cfg.QueueFrames, 10_000)
	orDefault(&cfg.TotalQueueBytes, 64<<20)
	orDefault(&cfg.MaxFrames, 100)
	orDefault(&cfg.WriteTimeout, 10*time.Second)
	orDefault(&cfg.Orphan, 8*time.Second)
	orDefault(&cfg.CloseTimeout, 8*time.Second)
	orDefault(&cfg.HandOver, 10*time.Second)
	return &Server{
		cfg:           cfg,
		bases:         bases(cfg.PathPrefix),
		conversations: newRegistry(cfg.MaxSessions, cfg.MaxRefused),
		metrics:       newMetrics(),
		shutdown:      &session.Ending{Code: pusher.CloseReconnect, Text: "Server is shutting down, please reconnect"},
	}
}

func orDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector {
	return s.metrics.collectors(func() float64 { return float64(s.queued.Load()) })
}

// ServeHTTP answers one request. See Serves for which requests are the fallbacks'.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if s.isTimeline(path) {
		serveTimeline(w)
		return
	}
	at, how, ok := s.parse(path)
	switch {
	case !ok:
		letRead(w, r, nil)
		answer(w, http.StatusNotFound, "not found")
	case r.Method == http.MethodOptions:
		preflight(w)
	case r.Method != http.MethodPost:
		letRead(w, r, nil)
		w.Header().Set("Allow", methods)
		answer(w, http.StatusMethodNotAllowed, "method not allowed")
	case how == sending:
		s.send(w, r, at)
	default:
		s.receive(w, r, at, how)
	}
}

// serveTimeline answers who reports how connecting went. Nobody here wants to know. A page that asks for a script gets
// none: its name in the path would be a script on our host.
func serveTimeline(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("{}")) // Who does not wait for an answer gets none.
}

// Shutdown lets nobody in any more, ends all conversations with a code that makes clients reconnect elsewhere, and waits
// until they are over. When ctx ends before, it drops those that are left and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	inside := s.conversations.close()
	session.Drain(ctx, s.cfg.DrainWindow, inside, func(c *conversation) { c.stop(s.shutdown) })
	select {
	case <-s.conversations.emptied:
		return nil
	case <-ctx.Done():
	}
	for _, c := range inside {
		c.abandon()
	}
	<-s.conversations.emptied
	return ctx.Err()
}

var _ http.Handler = (*Server)(nil)
