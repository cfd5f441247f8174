package adminapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/validate"

	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgaudit"
	"github.com/pealhq/peal/tenants/pgpeople"
	"github.com/pealhq/peal/tenants/pgplatform"
	"github.com/pealhq/peal/tenants/pgstore"
	"github.com/pealhq/peal/tenants/pgtokens"
	"github.com/pealhq/peal/usage/pgusage"
)

// Prefix is the path under which the API is served.
const Prefix = "/api"

const (
	// maxRequestBytes bounds a request; the largest field is an event's data of 10 KB.
	maxRequestBytes = 256 << 10
	// maxCallTime bounds a call, waiting for a turn to hash a password included.
	maxCallTime = 15 * time.Second
)

// Publisher publishes an event by the road that customers' own publishes take.
type Publisher interface {
	// Publish returns a [tenants.FieldError] for what breaks a rule, and [tenants.ErrUnavailable] when the
	// event could not be handed on.
	Publish(ctx context.Context, app *tenants.App, channel, name, data string) error
}

// Live is what is going on at this moment, over all edges.
type Live interface {
	// Connections returns how many clients of an app are connected; of a tenant only where its plan bounds them, else 0.
	Connections(ctx context.Context, owner string) (int, error)
	// MessagesToday returns how many messages an app or a tenant has published since midnight UTC, where that is bounded.
	MessagesToday(ctx context.Context, owner string) (int, error)
}

// Config is what the API needs. All fields but the URLs must be set.
type Config struct {
	Store     *pgstore.Store
	People    *pgpeople.Store
	Audit     *pgaudit.Store
	Usage     *pgusage.Store
	Tokens    *pgtokens.Store
	Passwords *tenants.Passwords
	Publisher Publisher
	// Operations is what operators decide.
	Operations *pgplatform.Store
	Live       Live
	Logger     *slog.Logger
	// ControlURL is the address people open the dashboard at. With https, cookies are Secure.
	ControlURL *url.URL
	// Edge tells where customers reach the edge, given the host that the caller used to reach this API.
	Edge func(host string) Edge
	// Version is that of the binary.
	Version string
	// SendsMail says that who is sent a mail will see it. Without it links are handed over, and addresses are not verified.
	SendsMail bool
}

// Edge is an address of the edge door.
type Edge struct {
	Host string
	Port int
	TLS  bool
}

// server implements the services.
type server struct {
	Config
	limits limits
}

// New returns the API as a handler for everything under [Prefix].
func New(cfg Config) (http.Handler, error) {
	s := &server{Config: cfg, limits: newLimits()}
	options := connect.WithHandlerOptions(
		// Outermost first.
		connect.WithInterceptors(
			recoverPanics(cfg.Logger),
			logCalls(cfg.Logger),
			mapErrors(cfg.Logger),
			s.authenticate(),
			authorize(),
			validate.NewInterceptor(),
		),
		connect.WithReadMaxBytes(maxRequestBytes),
		// The header is not a simple one, so that a page of another site needs a preflight to send it.
		connect.WithRequireConnectProtocolHeader(),
	)
	mux := http.NewServeMux()
	mux.Handle(adminv1connect.NewAuthServiceHandler(s, options))
	mux.Handle(adminv1connect.NewAppServiceHandler(s, options))
	mux.Handle(adminv1connect.NewKeyServiceHandler(s, options))
	mux.Handle(adminv1connect.NewSettingsServiceHandler(s, options))
	mux.Handle(adminv1connect.NewEventServiceHandler(s, options))
	mux.Handle(adminv1connect.NewPlatformServiceHandler(s, options))
	mux.Handle(adminv1connect.NewAuditServiceHandler(s, options))
	mux.Handle(adminv1connect.NewUsageServiceHandler(s, options))
	mux.Handle(adminv1connect.NewMemberServiceHandler(s, options))
	mux.Handle(adminv1connect.NewInvitationServiceHandler(s, options))
	mux.Handle(adminv1connect.NewProfileServiceHandler(s, options))
	mux.Handle(adminv1connect.NewSecondFactorServiceHandler(s, options))
	mux.Handle(adminv1connect.NewTokenServiceHandler(s, options))
	mux.Handle(adminv1connect.NewPlanServiceHandler(s, options))
	mux.Handle(adminv1connect.NewOperatorServiceHandler(s, options))
	if err := everyMethodNamesAPermission(); err != nil {
		return nil, fmt.Errorf("admin API: %w", err)
	}
	// A file takes longer than a call, and has its own bound.
	all := http.NewServeMux()
	all.Handle("/export/", s.exports())
	all.Handle("/", prepare(mux))
	h := http.StripPrefix(Prefix, all)
	h = http.NewCrossOriginProtection().Handler(h)
	return requestid.Handler(h), nil
}

// hostKey is where the context holds the host that the caller used, without its port.
type hostKey struct{}

// prepare bounds the time of a call and keeps its host, which Connect does not hand on.
func prepare(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), maxCallTime)
		defer cancel()
		ctx = context.WithValue(ctx, hostKey{}, hostOf(r.Host))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// secure tells whether people reach the dashboard by https.
func (s *server) secure() bool { return s.ControlURL != nil && s.ControlURL.Scheme == "https" }

// cookieName is the session cookie's. Browsers keep one set of cookies for all ports of a host, so a port
// that is not the scheme's own is part of the name: two platforms on one machine do not sign each other out.
func (s *server) cookieName() string {
	name := "peal_session"
	if s.ControlURL != nil && s.ControlURL.Port() != "" {
		name += "_" + s.ControlURL.Port()
	}
	if s.secure() {
		// Browsers take this prefix only with Secure, Path=/ and without Domain.
		return "__Host-" + name
	}
	return name
}

// hostOf returns the host of a Host header, without its port.
func hostOf(header string) string { return (&url.URL{Host: header}).Hostname() }
