package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1/publishv1connect"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// Path is what the paths of the RPC begin with.
const Path = "/" + publishv1connect.PublishServiceName + "/"

// maxRequestBytes bounds a request, whatever its app may publish: the largest batch with the largest payloads that an
// app may be allowed would be a hundred of a mebibyte, which nobody should send at once.
const maxRequestBytes = 8 << 20

// Apps tells which app a public key opens: [tenants.ErrNotFound] for a key that opens none,
// [tenants.ErrUnavailable] when that cannot be known at the moment.
type Apps interface {
	ByKey(ctx context.Context, public string) (*tenants.App, error)
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
}

// Server is the publish RPC.
type Server struct {
	cfg     Config
	handler http.Handler
	calls   *prometheus.CounterVec
}

// New returns a server.
func New(cfg Config) *Server {
	if cfg.Lists == nil {
		cfg.Lists = new(tenants.Turns)
	}
	s := &Server{cfg: cfg, calls: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peal_rpc_calls_total", Help: "Calls of the publish RPC, by procedure and code.",
	}, []string{"procedure", "code"})}
	_, h := publishv1connect.NewPublishServiceHandler(s,
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithCodec(strictJSON{"json"}),
		connect.WithCodec(strictJSON{"json; charset=utf-8"}),
		connect.WithInterceptors(s.count(), s.recoverPanics(), s.mapErrors(), authorize()))
	s.handler = requestid.Handler(s.authenticate(h))
	return s
}

var _ publishv1connect.PublishServiceHandler = (*Server)(nil)

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Collectors returns the server's metrics.
func (s *Server) Collectors() []prometheus.Collector { return []prometheus.Collector{s.calls} }

// tally is where what the app that calls uses is counted.
func (s *Server) tally(a *tenants.App) *usage.Tally {
	if a == nil {
		return nil
	}
	return s.cfg.Usage.Tally(a.TenantID, a.ID)
}

// recoverPanics turns a panic into an internal error, for the caller to see no more than that.
func (s *Server) recoverPanics() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (_ connect.AnyResponse, err error) {
			defer func() {
				if p := recover(); p != nil {
					s.cfg.Logger.ErrorContext(ctx, "publish call panicked", slog.String("procedure", req.Spec().Procedure),
						slog.String("request_id", requestid.From(ctx)), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
					err = connect.NewError(connect.CodeInternal, errInternal)
				}
			}()
			return next(ctx, req)
		}
	})
}

// count counts a call by what came of it.
func (s *Server) count() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			resp, err := next(ctx, req)
			code := "ok"
			if err != nil {
				code = connect.CodeOf(err).String()
			}
			s.calls.WithLabelValues(req.Spec().Procedure, code).Inc()
			return resp, err
		}
	})
}
