package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/netip"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// callerKey is where the context holds who calls.
type callerKey struct{}

// caller is the app that calls, with the key that it calls with.
type caller struct {
	app *tenants.App
	key tenants.Key
}

// app returns the app that calls. It is there in every method.
func app(ctx context.Context) *tenants.App {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c.app
}

var (
	errNoCredentials  = connect.NewError(connect.CodeUnauthenticated, errors.New("send an app's key and secret as HTTP Basic credentials"))
	errBadCredentials = connect.NewError(connect.CodeUnauthenticated, errors.New("there is no such key, or its secret is another"))
	errNotEncrypted   = connect.NewError(connect.CodePermissionDenied, errors.New("this would send the secret in the open; use https, or call from the same machine"))
	errDisabled       = connect.NewError(connect.CodePermissionDenied, errors.New("the app is disabled"))
	errNoTLS          = connect.NewError(connect.CodePermissionDenied, errors.New("the app is for TLS only; use https"))
)

// authenticate finds the caller's app before anything of the request's body is read.
func (s *Server) authenticate(next http.Handler) http.Handler {
	writer := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, key, err := s.caller(r)
		if err == nil {
			body := &measured{ReadCloser: r.Body}
			r.Body = body
			// When it is known how much was sent; a panic is caught before it comes here.
			defer func() { s.tally(a).Called(body.bytes) }()
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{a, key})))
			return
		}
		s.tally(a).Rejected(whyNot(err))
		mapped := s.toConnect(r.Context(), err)
		s.calls.WithLabelValues("none", mapped.Code().String()).Inc()
		if errors.Is(mapped, errNoCredentials) || errors.Is(mapped, errBadCredentials) {
			w.Header().Set("WWW-Authenticate", `Basic realm="an app's key and secret"`)
		}
		_ = writer.Write(w, r, mapped) // Who does not wait for the answer misses it.
	})
}

// measured is a body that knows how much of it was read.
type measured struct {
	io.ReadCloser
	bytes int
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.bytes += n
	return n, err
}

// whyNot tells by which reason a caller is counted that was refused.
func whyNot(err error) usage.Reason {
	switch {
	case errors.Is(err, errDisabled):
		return usage.AppDisabled
	case errors.Is(err, errNoTLS):
		return usage.TLSRequired
	case errors.Is(err, errTooLarge):
		return usage.TooLarge
	default:
		return usage.Unauthorized
	}
}

// caller returns the app whose key and secret a request carries, which is there also with an error, as soon as it is known.
// The secret travels as it is, so the way must be encrypted or not leave the machine.
func (s *Server) caller(r *http.Request) (a *tenants.App, key tenants.Key, err error) {
	if !encrypted(r) {
		return nil, key, errNotEncrypted
	}
	public, secret, ok := r.BasicAuth()
	if !ok || public == "" || secret == "" {
		return nil, key, errNoCredentials
	}
	a, err = s.cfg.Apps.ByKey(r.Context(), public)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, key, errBadCredentials
	}
	if err != nil {
		return nil, key, err
	}
	key, ok = a.Key(public)
	// Of equal length after hashing, so that the time tells nothing of the secret's either.
	want, got := sha256.Sum256([]byte(key.Secret.Reveal())), sha256.Sum256([]byte(secret))
	if !ok || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return a, key, errBadCredentials
	}
	key.Use.Touch()
	switch {
	case !a.Open():
		return a, key, errDisabled
	case a.Features.TLSOnly && !session.OverTLS(r):
		return a, key, errNoTLS
	case r.ContentLength > maxRequestBytes:
		return a, key, connect.NewError(connect.CodeInvalidArgument, errTooLarge)
	}
	return a, key, nil
}

// encrypted tells whether a request came over TLS, to us or to a proxy that we trust, or from this machine itself.
func encrypted(r *http.Request) bool {
	if session.OverTLS(r) {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && r.Header.Get("X-Forwarded-Proto") == ""
}
