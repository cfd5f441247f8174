package adminapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

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
	if s.SendsMail {
		if wait := s.limits.mailByAddress.take(email, time.Now()); wait > 0 {
			return nil, tooMany(wait)
		}
	}
	hash, err := s.Passwords.Hash(ctx, req.GetPassword())
	if err != nil {
		return nil, err
	}
	in := pgpeople.SignUp{Email: email, PasswordHash: hash, TenantName: name}
	if s.SendsMail {
		in.Verify = s.verifyLink(email)
	}
	m, err := s.People.SignUp(ctx, actor(ctx), in)
	if err != nil {
		return nil, err
	}
	who, err := s.startSession(ctx, m.User.ID, pgpeople.Proof{PasswordHash: hash}, m.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return &adminv1.SignUpResponse{Account: accountToProto(who)}, nil
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
		if creds.PasswordHash, err = s.rehash(ctx, creds, req.GetPassword()); err != nil {
			return nil, err
		}
	}
	if creds.SecondFactor {
		return &adminv1.LogInResponse{SecondFactorRequired: true}, s.challenge(ctx, creds)
	}
	who, err := s.startSession(ctx, creds.UserID, creds.Proof(), uuid.Nil)
	if err != nil {
		return nil, err
	}
	return &adminv1.LogInResponse{Account: accountToProto(who)}, nil
}

// rehash stores the hash that a password has by the parameters of today, and returns it.
func (s *server) rehash(ctx context.Context, creds pgpeople.Credentials, password string) (string, error) {
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return "", err
	}
	return hash, s.People.SetPasswordHash(ctx, creds.UserID, creds.PasswordHash, hash)
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
	return &adminv1.WhoAmIResponse{Account: accountToProto(identityOf(ctx))}, nil
}

// startSession gives the caller a new session of a user, never one that was there before, and its cookie. It works in a tenant of
// the user, or in the one that the user joined first for uuid.Nil.
func (s *server) startSession(ctx context.Context, user uuid.UUID, login pgpeople.Proof, tenant uuid.UUID) (identity, error) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return identity{}, errors.New("start a session outside of a call")
	}
	if old := s.sessionToken(info.RequestHeader()); old != "" {
		if err := s.People.DeleteSession(ctx, tenants.HashToken(old)); err != nil {
			return identity{}, err
		}
	}
	token := tenants.NewSessionToken()
	hash := tenants.HashToken(token.Reveal())
	m, err := s.People.CreateSession(ctx, pgpeople.NewSession{
		User: user, Login: login, Tenant: tenant, Hash: hash, UserAgent: info.RequestHeader().Get("User-Agent"), IP: peerIP(ctx),
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return identity{}, tenants.Refuse(tenants.ErrState, "this account belongs to no tenant any more; ask somebody to invite it")
	}
	if err != nil {
		return identity{}, err
	}
	s.setCookie(info.ResponseHeader(), token.Reveal(), int(tenants.SessionLife.Seconds()))
	return identity{Membership: m, session: hash}, nil
}

// rotateSession gives the caller's session another token: whoever has the one before has nothing.
func (s *server) rotateSession(ctx context.Context) error {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return errors.New("rotate a session outside of a call")
	}
	token := tenants.NewSessionToken()
	if err := s.People.RotateSession(ctx, identityOf(ctx).session, tenants.HashToken(token.Reveal())); err != nil {
		return err
	}
	s.setCookie(info.ResponseHeader(), token.Reveal(), int(tenants.SessionLife.Seconds()))
	return nil
}

// setCookie sets the cookie of the session for maxAge seconds, or removes it when that is negative.
func (s *server) setCookie(h http.Header, value string, maxAge int) {
	c := &http.Cookie{ //nolint:gosec // Secure wherever people come by https; a cookie that is would not be sent back by http.
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(),
	}
	h.Add("Set-Cookie", c.String())
}
