package adminapi

import (
	"context"
	"errors"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

var (
	errNoMail   = tenants.Refuse(tenants.ErrState, "this platform sends no mail; ask who operates it")
	errDeadLink = tenants.Refuse(tenants.ErrNotFound, "this link is over, or was used already; ask for another")
)

// resetTakes is how long an answer to who has forgotten a password takes at least, so that the time does not tell either whether
// there is an account.
const resetTakes = 300 * time.Millisecond

// newPassword checks a new password and returns its hash. context holds words that it must not carry.
func (s *server) newPassword(ctx context.Context, field, password string, words ...string) (string, error) {
	if err := tenants.CheckPassword(field, password, words...); err != nil {
		return "", err
	}
	return s.Passwords.Hash(ctx, password)
}

// checkPassword asks somebody for the password once more. It counts as a login does, so that it helps nobody to guess.
func (s *server) checkPassword(ctx context.Context, field, email, password string) error {
	if wait := s.limits.loginByAccount.take(email, time.Now()); wait > 0 {
		return tooMany(wait)
	}
	creds, err := s.People.Credentials(ctx, email)
	if err != nil {
		return err
	}
	ok, _, err := s.Passwords.Verify(ctx, creds.PasswordHash, password)
	if err == nil && !ok {
		err = tenants.Invalid(field, "is not the password of "+email)
	}
	return err
}

// RequestPasswordReset implements AuthService.
func (s *server) RequestPasswordReset(ctx context.Context, req *adminv1.RequestPasswordResetRequest) (*adminv1.RequestPasswordResetResponse, error) {
	if !s.SendsMail {
		return nil, errNoMail
	}
	email, err := tenants.CheckEmail("email", req.GetEmail())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if wait := s.limits.mailByIP.take(network(peerIP(ctx)), began); wait > 0 {
		return nil, tooMany(wait)
	}
	if wait := s.limits.mailByAddress.take(email, began); wait > 0 {
		return nil, tooMany(wait)
	}
	creds, err := s.People.Credentials(ctx, email)
	if err == nil {
		who := actor(ctx)
		who.UserID = creds.UserID
		err = s.People.SendReset(ctx, who, creds.UserID, s.resetLink(creds.Email))
	}
	if err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return nil, err
	}
	select {
	case <-time.After(resetTakes - time.Since(began)):
		return &adminv1.RequestPasswordResetResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ResetPassword implements AuthService.
func (s *server) ResetPassword(ctx context.Context, req *adminv1.ResetPasswordRequest) (*adminv1.ResetPasswordResponse, error) {
	if wait := s.limits.linkByIP.take(network(peerIP(ctx)), time.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	link := tenants.HashToken(req.GetToken())
	email, err := s.People.ResetLink(ctx, link)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, errDeadLink
	}
	if err != nil {
		return nil, err
	}
	hash, err := s.newPassword(ctx, "password", req.GetPassword(), email)
	if err != nil {
		return nil, err
	}
	notice := s.notice(email, "Your password was changed", "The password of your account on Peal was set anew by a link in a mail, and all sessions have ended.")
	err = s.People.ResetPassword(ctx, actor(ctx), link, hash, notice)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, errDeadLink
	}
	if err != nil {
		return nil, err
	}
	return &adminv1.ResetPasswordResponse{}, nil
}

// ChangePassword implements ProfileService.
func (s *server) ChangePassword(ctx context.Context, req *adminv1.ChangePasswordRequest) (*adminv1.ChangePasswordResponse, error) {
	who := identityOf(ctx)
	if err := s.checkPassword(ctx, "current_password", who.User.Email, req.GetCurrentPassword()); err != nil {
		return nil, err
	}
	hash, err := s.newPassword(ctx, "new_password", req.GetNewPassword(), who.User.Email, who.Tenant.Name)
	if err != nil {
		return nil, err
	}
	notice := s.notice(who.User.Email, "Your password was changed", "The password of your account on Peal was changed in the dashboard, and all other sessions have ended.")
	if err := s.People.ChangePassword(ctx, actor(ctx), hash, who.session, notice); err != nil {
		return nil, err
	}
	return &adminv1.ChangePasswordResponse{}, s.rotateSession(ctx)
}
