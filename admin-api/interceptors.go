package adminapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
)

// callerKey is where the context holds the [tenants.Membership] of the caller.
type callerKey struct{}

// caller returns who calls. It is there in every method that needs more than the public permission.
func caller(ctx context.Context) tenants.Membership {
	m, _ := ctx.Value(callerKey{}).(tenants.Membership)
	return m
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

// authenticate finds the session of the caller. A call without one goes on as nobody's; what needs a session
// is refused by authorize.
func (s *server) authenticate() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			if permissionOf(req.Spec()) == public {
				return next(ctx, req)
			}
			m, err := s.whoCalls(ctx, req.Header())
			if err != nil {
				return nil, err
			}
			return next(context.WithValue(ctx, callerKey{}, m), req)
		}
	})
}

// whoCalls returns whose session the headers of a request name.
func (s *server) whoCalls(ctx context.Context, h http.Header) (tenants.Membership, error) {
	token := s.sessionToken(h)
	if token == "" {
		return tenants.Membership{}, errNoSession
	}
	m, err := s.People.Session(ctx, tenants.HashToken(token))
	if errors.Is(err, tenants.ErrNotFound) {
		return tenants.Membership{}, errNoSession
	}
	return m, err
}

// authorize refuses who may not do what a method needs. A method that names no permission is refused for
// everybody.
func authorize() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			switch p := permissionOf(req.Spec()); {
			case p == public, p == signedIn && caller(ctx).Role != "":
				return next(ctx, req)
			case p == unnamed:
				return nil, connect.NewError(connect.CodePermissionDenied, errors.New("nobody may call this method"))
			default:
				if err := mayCall(caller(ctx), p); err != nil {
					return nil, err
				}
				return next(ctx, req)
			}
		}
	})
}

// mayCall refuses who lacks a permission of a role.
func mayCall(m tenants.Membership, p tenants.Permission) error {
	if m.Role.May(p) {
		return nil
	}
	return connect.NewError(connect.CodePermissionDenied,
		fmt.Errorf("this needs the permission %s, which the role %s does not have; ask an owner or admin", p, m.Role))
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
	m := caller(ctx)
	return tenants.Actor{
		TenantID: m.Tenant.ID, UserID: m.User.ID, Email: m.User.Email, Via: "dashboard",
		IP: peerIP(ctx), RequestID: requestid.From(ctx),
	}
}
