package socket

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/usage"
)

// Config is what a [Server] needs. Zero durations and numbers mean the defaults named beside them.
type Config struct {
	Sessions *session.Registry
	Logger   *slog.Logger
	// PathPrefix stands before /app/ in the path, such as "/ws". It is empty or begins with a slash and ends
	// without one.
	PathPrefix string
	// MaxSockets bounds how many sockets are open at once; more are told that the edge is full. 0 is no bound.
	MaxSockets int
	// MaxRefused bounds how many connections at once are being told something (128) when there is such a bound; more are
	// turned away without the upgrade.
	MaxRefused int
	// QueueBytes bounds what may wait for one client that does not read (4 MiB). QueueFrames bounds it in frames
	// (10,000), for portable sockets.
	QueueFrames int
	QueueBytes  int
	// TotalQueueBytes bounds what may wait for all clients together (256 MiB). Beyond it the slowest are closed.
	TotalQueueBytes int64
	// Memory returns which share of the memory that the process may use is in use, 1 being all. When it nears that,
	// nobody is let in any more and the slowest are closed. It is nil where nobody watches it.
	Memory func() float64
	// WriteTimeout is how long one write may take before the peer counts as gone (10 s).
	WriteTimeout time.Duration
	// CloseTimeout is how long a socket that is being closed may take to read its last frames (5 s).
	CloseTimeout time.Duration
	// ReadTimeout is how long a message that has begun may take to go on (30 s). It holds for wired sockets.
	ReadTimeout time.Duration
	// DrainWindow is over which time at least a shutdown sends the sockets elsewhere; by default it is as short as may be.
	DrainWindow time.Duration
	// Portable serves every socket with two goroutines of its own, also where the wire could carry it.
	Portable bool
}

// Server is the WebSocket endpoint. All methods may be called at the same time.
type Server struct {
	cfg      Config
	sockets  *registry
	metrics  metrics
	wired    *wiring   // nil where every socket is portable
	buffers  sync.Pool // of *bytes.Buffer, each used while a message is read and handled
	shutdown *session.Ending
	full     atomic.Bool // memory is short
}

// NewServer returns a server without sockets.
func NewServer(cfg Config) *Server {
	orDefault(&cfg.QueueFrames, 10_000)
	orDefault(&cfg.QueueBytes, 4<<20)
	orDefault(&cfg.WriteTimeout, 10*time.Second)
	orDefault(&cfg.CloseTimeout, 5*time.Second)
	orDefault(&cfg.MaxRefused, 128)
	orDefault(&cfg.ReadTimeout, 30*time.Second)
	orDefault(&cfg.TotalQueueBytes, 256<<20)
	s := &Server{
		cfg:      cfg,
		sockets:  newRegistry(),
		metrics:  newMetrics(),
		buffers:  sync.Pool{New: func() any { return new(bytes.Buffer) }},
		shutdown: &session.Ending{Code: pusher.CloseReconnect, Text: "Server is shutting down, please reconnect"},
	}
	s.wired = newWiring(s)
	return s
}

func orDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector { return s.metrics.collectors() }

// Run carries what the sockets write and read until ctx ends. It must run while the server serves.
func (s *Server) Run(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error { return s.watchPressure(ctx) })
	if s.wired != nil {
		all.Go(func() error { return s.wired.run(ctx) })
	}
	return all.Wait()
}

// ServeHTTP lets one connection in, and serves it until it ends unless the wire carries it. Who may not come in is
// told so after the upgrade, because a browser cannot see why an upgrade failed (Pusher protocol, invariants).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !IsUpgrade(r) {
		s.servePlain(w, r)
		return
	}
	if !s.sockets.open() {
		turnAway(w, "shutting down")
		return
	}
	g, end := s.admit(r)
	if s.cfg.MaxSockets > 0 {
		members, refused := s.sockets.count()
		if refused >= s.cfg.MaxRefused {
			turnAway(w, "over capacity")
			return
		}
		if end == nil && members >= s.cfg.MaxSockets {
			end = s.noRoom(g)
		}
	}
	if end == nil && s.full.Load() {
		end = s.noRoom(g)
	}
	c := s.newSocket(g)
	if s.wired != nil && r.TLS == nil && !c.compressed() {
		s.wired.serve(w, r, c, end) //nolint:contextcheck // A socket outlives the request that opened it.
		return
	}
	s.servePortable(w, r, c, end)
}

// noRoom is why a guest may not come in for whom this edge has no room.
func (s *Server) noRoom(g session.Guest) *session.Ending {
	s.cfg.Sessions.Reject(g.App, usage.Capacity)
	return session.EndWith(pusher.CloseOverCapacity)
}

// turnAway answers before the upgrade, against the rule: a client should come back, but not at once to here.
func turnAway(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Connection", "close")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// servePlain answers who does not ask for a WebSocket.
func (s *Server) servePlain(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.appKey(r.URL.EscapedPath()); !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "websocket")
	http.Error(w, "this address speaks WebSocket only", http.StatusUpgradeRequired)
}

// welcome lets the conversation begin on a socket whose connection stands, and returns why it must end all the same,
// or nil. farewell belongs to its end in any case.
func (s *Server) welcome(ctx context.Context, c *socket) *session.Ending {
	s.sockets.letIn()
	s.metrics.accepted.Inc()
	s.metrics.connections.Inc()
	c.conn.SetReadLimit(readLimit(&c.session.App().Limits))
	return c.session.Open(ctx)
}

func (s *Server) farewell() {
	s.sockets.out()
	s.metrics.connections.Dec()
}

// newSocket returns a socket that lacks only its connection. A guest that was refused may have no app.
func (s *Server) newSocket(g session.Guest) *socket {
	c := &socket{server: s, id: session.NewSocketID()}
	if g.App == nil {
		c.alive = newKeepAlive(maxPongWait)
		return c
	}
	c.alive = newKeepAlive(g.App.Limits.ActivityTimeout)
	c.session = s.cfg.Sessions.New(g, c)
	c.lane = c.session.Lane()
	return c
}

// Shutdown lets nobody in any more, closes all sockets one after the other with a code that makes them reconnect
// elsewhere, and waits until they are gone. When ctx ends before, it drops those that are left and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	inside := s.sockets.close()
	session.Drain(ctx, s.cfg.DrainWindow, inside, func(c *socket) { c.End(s.shutdown) })
	select {
	case <-s.sockets.emptied:
		return nil
	case <-ctx.Done():
	}
	for _, c := range inside {
		c.line.abort()
	}
	<-s.sockets.emptied
	return ctx.Err()
}

var _ http.Handler = (*Server)(nil)
