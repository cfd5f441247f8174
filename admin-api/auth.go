package adminapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// SignUp implements AuthService.
func (s *server) SignUp(ctx context.Context, req *adminv1.SignUpRequest) (*adminv1.SignUpResponse, error) {
	if wait := s.limits.signUpByIP.take(network(peerIP(ctx)), time.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	email, err := tenants.CheckEmail("email", req.GetEmail())
	if err != nil {
		return nil, err
	}
	name, err := tenants.CheckName("tenant_name", req.GetTenantName())
	if err != nil {
		return nil, err
	}
	if err := tenants.CheckPassword("password", req.GetPassword(), email, name); err != nil {
		return nil, err
	}
	hash, err := s.Passwords.Hash(ctx, req.GetPassword())
	if err != nil {
		return nil, err
	}
	who := actor(ctx)
	m, err := s.People.SignUp(ctx, who, pgpeople.SignUp{Email: email, PasswordHash: hash, TenantName: name})
	if err != nil {
		return nil, err
	}
	if m, err = s.startSession(ctx, pgpeople.Credentials{UserID: m.User.ID}); err != nil {
		return nil, err
	}
	return &adminv1.SignUpResponse{Account: accountToProto(m)}, nil
}

// LogIn implements AuthService. Whether the address or the password was wrong is not told, in words or time.
func (s *server) LogIn(ctx context.Context, req *adminv1.LogInRequest) (*adminv1.LogInResponse, error) {
	email := strings.ToLower(strings.TrimSpace(req.GetEmail()))
	now := time.Now()
	if wait := s.limits.loginByIP.take(network(peerIP(ctx)), now); wait > 0 {
		return nil, tooMany(wait) // Who is slowed down takes nothing from the account's own bucket.
	}
	if wait := s.limits.loginByAccount.take(email, now); wait > 0 {
		return nil, tooMany(wait)
	}
	creds, err := s.People.Credentials(ctx, email)
	if err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return nil, err
	}
	ok, rehash, err := s.Passwords.Verify(ctx, creds.PasswordHash, req.GetPassword())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("email or password is wrong"))
	}
	if rehash {
		if err := s.rehash(ctx, creds, req.GetPassword()); err != nil {
			return nil, err
		}
	}
	m, err := s.startSession(ctx, creds)
	if err != nil {
		return nil, err
	}
	return &adminv1.LogInResponse{Account: accountToProto(m)}, nil
}

func (s *server) rehash(ctx context.Context, creds pgpeople.Credentials, password string) error {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.People.SetPasswordHash(ctx, creds.UserID, hash)
}

// LogOut implements AuthService.
func (s *server) LogOut(ctx context.Context, _ *adminv1.LogOutRequest) (*adminv1.LogOutResponse, error) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return nil, errors.New("log out outside of a call")
	}
	if token := s.sessionToken(info.RequestHeader()); token != "" {
		if err := s.People.DeleteSession(ctx, tenants.HashToken(token)); err != nil {
			return nil, err
		}
	}
	s.setCookie(info.ResponseHeader(), "", -1)
	return &adminv1.LogOutResponse{}, nil
}

// WhoAmI implements AuthService.
func (s *server) WhoAmI(ctx context.Context, _ *adminv1.WhoAmIRequest) (*adminv1.WhoAmIResponse, error) {
	return &adminv1.WhoAmIResponse{Account: accountToProto(caller(ctx))}, nil
}

// startSession gives the caller a new session, never one that was there before, and its cookie.
func (s *server) startSession(ctx context.Context, creds pgpeople.Credentials) (tenants.Membership, error) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return tenants.Membership{}, errors.New("start a session outside of a call")
	}
	if old := s.sessionToken(info.RequestHeader()); old != "" {
		if err := s.People.DeleteSession(ctx, tenants.HashToken(old)); err != nil {
			return tenants.Membership{}, err
		}
	}
	token := tenants.NewSessionToken()
	m, err := s.People.CreateSession(ctx, creds.UserID, tenants.HashToken(token.Reveal()))
	if err != nil {
		return tenants.Membership{}, err
	}
	s.setCookie(info.ResponseHeader(), token.Reveal(), int(tenants.SessionLife.Seconds()))
	return m, nil
}

// setCookie sets the cookie of the session for maxAge seconds, or removes it when that is negative.
func (s *server) setCookie(h http.Header, value string, maxAge int) {
	c := &http.Cookie{ //nolint:gosec // Secure wherever people come by https; a cookie that is would not be sent back by http.
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(),
	}
	h.Add("Set-Cookie", c.String())
}
