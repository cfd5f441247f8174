package adminapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
)

// callerKey is where the context holds who calls.
type callerKey struct{}

// identity is who calls, and by what.
type identity struct {
	tenants.Membership
	// session is the hash of the session's token; nil with an API token.
	session []byte
	// token is the API token; nil in a session.
	token *tenants.APIToken
}

func identityOf(ctx context.Context) identity {
	who, _ := ctx.Value(callerKey{}).(identity)
	return who
}

// caller returns who calls. It is there in every method that needs more than the public permission.
func caller(ctx context.Context) tenants.Membership { return identityOf(ctx).Membership }

// permissions returns what the caller may do: what a member may now and, with a token, what the token was given.
func (i identity) permissions() []tenants.Permission {
	if i.token != nil {
		return i.token.Permissions(i.Membership)
	}
	return i.Membership.Permissions()
}

// recoverPanics turns a panic into an internal error, for the caller to see no more than that.
func recoverPanics(logger *slog.Logger) connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (_ connect.AnyResponse, err error) {
			defer func() {
				if p := recover(); p != nil {
					logger.ErrorContext(ctx, "admin call panicked", "procedure", req.Spec().Procedure,
						"request_id", requestid.From(ctx), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
					err = connect.NewError(connect.CodeInternal, errInternal)
				}
			}()
			return next(ctx, req)
		}
	})
}

// logCalls logs each call, once, without what is in it.
func logCalls(logger *slog.Logger) connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			started := time.Now()
			resp, err := next(ctx, req)
			code := "ok"
			if err != nil {
				code = connect.CodeOf(err).String()
			}
			logger.DebugContext(ctx, "admin call", "procedure", req.Spec().Procedure, "code", code,
				"duration", time.Since(started), "request_id", requestid.From(ctx))
			return resp, err
		}
	})
}

// authenticate finds out who calls, by an API token or a session. A public method is called by nobody in particular.
func (s *server) authenticate() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if permissionOf(req.Spec()) == public {
				return next(ctx, req)
			}
			who, err := s.identify(ctx, req.Header(), peerIP(ctx))
			if err != nil {
				return nil, err
			}
			return next(context.WithValue(ctx, callerKey{}, who), req)
		}
	})
}

// identify tells who calls. A Bearer token counts before a cookie; of other schemes, which are some proxy's, nothing is known here.
func (s *server) identify(ctx context.Context, h http.Header, ip string) (identity, error) {
	if scheme, text, _ := strings.Cut(h.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		token, m, err := s.Tokens.Use(ctx, tenants.HashToken(strings.TrimSpace(text)), ip)
		if errors.Is(err, tenants.ErrNotFound) {
			return identity{}, errNoToken
		}
		return identity{Membership: m, token: &token}, err
	}
	text := s.sessionToken(h)
	if text == "" {
		return identity{}, errNoSession
	}
	hash := tenants.HashToken(text)
	m, err := s.People.Session(ctx, hash)
	if errors.Is(err, tenants.ErrNotFound) {
		return identity{}, errNoSession
	}
	return identity{Membership: m, session: hash}, err
}

// authorize refuses who may not do what a method needs. A method that names no permission is refused for
// everybody.
func authorize() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			who := identityOf(ctx)
			switch p := permissionOf(req.Spec()); {
			case p == public, p == signedIn && who.Role != "", p == inSession && who.session != nil && !who.Impersonating:
				return next(ctx, req)
			case who.Impersonating && !who.May(p):
				return nil, connect.NewError(connect.CodePermissionDenied, errImpersonating)
			case p == unnamed:
				return nil, connect.NewError(connect.CodePermissionDenied, errors.New("nobody may call this method"))
			case p == inSession:
				return nil, connect.NewError(connect.CodePermissionDenied, errors.New("an API token may not do this; log in to the dashboard for it"))
			default:
				if err := mayCall(who, p); err != nil {
					return nil, err
				}
				return next(ctx, req)
			}
		}
	})
}

// mayCall refuses who may not do something now, or calls with a token that may not.
func mayCall(who identity, p tenants.Permission) error {
	if !slices.Contains(who.permissions(), p) {
		return connect.NewError(connect.CodePermissionDenied, refusal(who, p))
	}
	return nil
}

// refusal says why somebody may not do something.
func refusal(who identity, p tenants.Permission) error {
	switch {
	case p == tenants.PlatformOperate && !who.User.Operator:
		return fmt.Errorf("this needs the permission %s, which only operators of the platform have", p)
	case who.May(p):
		return fmt.Errorf("this needs the permission %s, which is not a scope of the API token %q; make another token", p, who.token.Name)
	case who.Role.May(p):
		return fmt.Errorf("this needs the permission %s, which nobody has while the account is suspended: %s", p, who.Tenant.SuspendedFor)
	default:
		return fmt.Errorf("this needs the permission %s, which the role %s does not have; ask an owner or admin", p, who.Role)
	}
}

// sessionToken returns the token in the cookie of the session, or an empty string.
func (s *server) sessionToken(h http.Header) string {
	c, err := (&http.Request{Header: h}).Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// actor is who calls, for the audit row of a change.
func actor(ctx context.Context) tenants.Actor {
	who := identityOf(ctx)
	via := "dashboard"
	if who.token != nil {
		via = "token"
	}
	return tenants.Actor{
		TenantID: who.Tenant.ID, UserID: who.User.ID, Email: who.User.Email, Via: via, Token: who.token,
		IP: peerIP(ctx), RequestID: requestid.From(ctx),
	}
}
