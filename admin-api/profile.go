package adminapi

import (
	"context"
	"errors"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// ListMyTenants implements ProfileService.
func (s *server) ListMyTenants(ctx context.Context, _ *adminv1.ListMyTenantsRequest) (*adminv1.ListMyTenantsResponse, error) {
	list, err := s.People.MyTenants(ctx, caller(ctx).User.ID)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListMyTenantsResponse{}
	for _, m := range list {
		resp.Tenants = append(resp.Tenants, &adminv1.MyTenant{
			TenantId: m.Tenant.ID.String(), Name: m.Tenant.Name, Role: string(m.Role), Current: m.Tenant.ID == caller(ctx).Tenant.ID,
		})
	}
	return resp, nil
}

// SwitchTenant implements ProfileService.
func (s *server) SwitchTenant(ctx context.Context, req *adminv1.SwitchTenantRequest) (*adminv1.SwitchTenantResponse, error) {
	id, err := parseID(req.GetTenantId())
	if err != nil {
		return nil, err
	}
	who := identityOf(ctx)
	if err := s.People.SwitchTenant(ctx, who.session, id); err != nil {
		return nil, err
	}
	if who.Membership, err = s.People.Session(ctx, who.session); err != nil {
		return nil, err
	}
	return &adminv1.SwitchTenantResponse{Account: accountToProto(who)}, nil
}

// SendVerification implements ProfileService.
func (s *server) SendVerification(ctx context.Context, _ *adminv1.SendVerificationRequest) (*adminv1.SendVerificationResponse, error) {
	user := caller(ctx).User
	switch {
	case user.EmailVerified:
		return nil, tenants.Refuse(tenants.ErrState, "your address is verified already; load the page again")
	case !s.SendsMail:
		return nil, errNoMail
	}
	if wait := s.limits.mailByAddress.take(user.Email, time.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	if err := s.People.SendVerification(ctx, actor(ctx), *s.verifyLink(user.Email)); err != nil {
		return nil, err
	}
	return &adminv1.SendVerificationResponse{}, nil
}

// VerifyEmail implements AuthService.
func (s *server) VerifyEmail(ctx context.Context, req *adminv1.VerifyEmailRequest) (*adminv1.VerifyEmailResponse, error) {
	if wait := s.limits.linkByIP.take(network(peerIP(ctx)), time.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	email, err := s.People.VerifyEmail(ctx, actor(ctx), tenants.HashToken(req.GetToken()))
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, errDeadLink
	}
	if err != nil {
		return nil, err
	}
	return &adminv1.VerifyEmailResponse{Email: email}, nil
}

// ChangeEmail implements ProfileService.
func (s *server) ChangeEmail(ctx context.Context, req *adminv1.ChangeEmailRequest) (*adminv1.ChangeEmailResponse, error) {
	user := caller(ctx).User
	email, err := tenants.CheckEmail("email", req.GetEmail())
	if err != nil {
		return nil, err
	}
	if email == user.Email {
		return nil, tenants.Invalid("email", "is your address already")
	}
	if err := s.checkPassword(ctx, "password", user.Email, req.GetPassword()); err != nil {
		return nil, err
	}
	var link *pgpeople.Link
	var notice *mail.Message
	if s.SendsMail {
		if err := s.mayMail(ctx, user, email); err != nil {
			return nil, err
		}
		link = s.changeLink(email)
		notice = s.notice(user.Email, "Your email address is to be changed",
			"Your account on Peal is to be logged in to with "+email+" from now on. That happens once a link in a mail to that address was followed.")
	}
	if err := s.People.ChangeEmail(ctx, actor(ctx), email, link, notice); err != nil {
		return nil, err
	}
	return &adminv1.ChangeEmailResponse{ConfirmByMail: link != nil}, nil
}

// mayMail bounds how many mails a user has sent to addresses that may be anybody's.
func (s *server) mayMail(ctx context.Context, user tenants.User, email string) error {
	now := time.Now()
	if wait := s.limits.mailByIP.take(network(peerIP(ctx)), now); wait > 0 {
		return tooMany(wait)
	}
	if wait := s.limits.mailByUser.take(user.ID.String(), now); wait > 0 {
		return tooMany(wait)
	}
	if wait := s.limits.mailByAddress.take(email, now); wait > 0 {
		return tooMany(wait)
	}
	return nil
}

// ListSessions implements ProfileService.
func (s *server) ListSessions(ctx context.Context, _ *adminv1.ListSessionsRequest) (*adminv1.ListSessionsResponse, error) {
	who := identityOf(ctx)
	list, err := s.People.Sessions(ctx, who.User.ID, who.session)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListSessionsResponse{}
	for _, one := range list {
		resp.Sessions = append(resp.Sessions, sessionToProto(one))
	}
	return resp, nil
}

// RevokeSession implements ProfileService.
func (s *server) RevokeSession(ctx context.Context, req *adminv1.RevokeSessionRequest) (*adminv1.RevokeSessionResponse, error) {
	id, err := parseID(req.GetSessionId())
	if err != nil {
		return nil, err
	}
	if err := s.People.RevokeSession(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &adminv1.RevokeSessionResponse{}, nil
}

// RevokeOtherSessions implements ProfileService.
func (s *server) RevokeOtherSessions(ctx context.Context, _ *adminv1.RevokeOtherSessionsRequest) (*adminv1.RevokeOtherSessionsResponse, error) {
	n, err := s.People.RevokeOtherSessions(ctx, actor(ctx), identityOf(ctx).session)
	if err != nil {
		return nil, err
	}
	return &adminv1.RevokeOtherSessionsResponse{Ended: int32(n)}, nil //nolint:gosec // Nobody has that many.
}
