package adminapi

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/mail"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// errInvitation is the answer to a token that is good for nothing, whatever the reason is.
var errInvitation = tenants.Refuse(tenants.ErrNotFound, "this invitation is over, was taken back, or has been accepted; ask for another")

// CreateInvitation implements InvitationService.
func (s *server) CreateInvitation(ctx context.Context, req *adminv1.CreateInvitationRequest) (*adminv1.CreateInvitationResponse, error) {
	email, err := tenants.CheckEmail("email", req.GetEmail())
	if err != nil {
		return nil, err
	}
	role := tenants.Role(req.GetRole())
	inv, err := s.inviting(ctx, email, role)
	if err != nil {
		return nil, err
	}
	made, err := s.People.CreateInvitation(ctx, actor(ctx), pgpeople.NewInvitation{Email: email, Role: role, Hash: inv.hash, Mail: inv.letter})
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateInvitationResponse{Invitation: invitationToProto(made), Link: inv.link}, nil
}

// ResendInvitation implements InvitationService.
func (s *server) ResendInvitation(ctx context.Context, req *adminv1.ResendInvitationRequest) (*adminv1.ResendInvitationResponse, error) {
	id, err := parseID(req.GetInvitationId())
	if err != nil {
		return nil, err
	}
	before, err := s.People.Invitation(ctx, caller(ctx).Tenant.ID, id)
	if err != nil {
		return nil, err
	}
	inv, err := s.inviting(ctx, before.Email, before.Role)
	if err != nil {
		return nil, err
	}
	sent, err := s.People.ResendInvitation(ctx, actor(ctx), id, inv.hash, inv.letter)
	if err != nil {
		return nil, err
	}
	return &adminv1.ResendInvitationResponse{Invitation: invitationToProto(sent), Link: inv.link}, nil
}

// inviting is a link on its way: by mail, or where none is sent as text for who invites.
type inviting struct {
	hash   []byte
	letter *mail.Message
	link   string
}

// inviting makes the link of an invitation, for who may have mails sent to others: who has an address of their own, and not too often.
func (s *server) inviting(ctx context.Context, email string, role tenants.Role) (inviting, error) {
	who := caller(ctx)
	address, hash := s.link("/invitation")
	if err := s.needsVerified(who.User); err != nil {
		return inviting{}, err
	}
	now := time.Now()
	// Without mail too: an invitation tells who makes it whether the address has an account.
	if wait := s.limits.mailByTenant.take(who.Tenant.ID.String(), now); wait > 0 {
		return inviting{}, tooMany(wait)
	}
	if !s.SendsMail {
		return inviting{hash: hash, link: address}, nil
	}
	if wait := s.limits.mailByAddress.take(email, now); wait > 0 {
		return inviting{}, tooMany(wait)
	}
	return inviting{hash: hash, letter: invitationLetter(email, who.User.Email, who.Tenant.Name, role, address)}, nil
}

// needsVerified refuses who has not shown that the address is theirs, where that could be shown.
func (s *server) needsVerified(u tenants.User) error {
	if s.SendsMail && !u.EmailVerified {
		return tenants.Refuse(tenants.ErrState, "verify your own email address first: the link is in a mail to "+u.Email+", and your profile sends it again")
	}
	return nil
}

// ListInvitations implements InvitationService.
func (s *server) ListInvitations(ctx context.Context, _ *adminv1.ListInvitationsRequest) (*adminv1.ListInvitationsResponse, error) {
	list, err := s.People.Invitations(ctx, caller(ctx).Tenant.ID)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListInvitationsResponse{}
	for _, i := range list {
		resp.Invitations = append(resp.Invitations, invitationToProto(i))
	}
	return resp, nil
}

// RevokeInvitation implements InvitationService.
func (s *server) RevokeInvitation(ctx context.Context, req *adminv1.RevokeInvitationRequest) (*adminv1.RevokeInvitationResponse, error) {
	id, err := parseID(req.GetInvitationId())
	if err != nil {
		return nil, err
	}
	if err := s.People.RevokeInvitation(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &adminv1.RevokeInvitationResponse{}, nil
}

// invited returns the invitation of a token, and the account with its address, if there is one.
func (s *server) invited(ctx context.Context, token string) (tenants.Invitation, *pgpeople.Credentials, error) {
	if wait := s.limits.linkByIP.take(network(peerIP(ctx)), time.Now()); wait > 0 {
		return tenants.Invitation{}, nil, tooMany(wait)
	}
	in, err := s.People.InvitationByToken(ctx, tenants.HashToken(token))
	if errors.Is(err, tenants.ErrNotFound) {
		return in, nil, errInvitation
	}
	if err != nil {
		return in, nil, err
	}
	creds, err := s.People.Credentials(ctx, in.Email)
	if errors.Is(err, tenants.ErrNotFound) {
		return in, nil, nil
	}
	return in, &creds, err
}

// signedInAs tells whether the call comes in a session of this user. The methods that ask are public.
func (s *server) signedInAs(ctx context.Context, user uuid.UUID) (bool, error) {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return false, errors.New("asked who calls outside of a call")
	}
	who, err := s.identify(ctx, info.RequestHeader(), peerIP(ctx))
	if errors.Is(err, errNoSession) || errors.Is(err, errNoToken) {
		return false, nil
	}
	return err == nil && who.session != nil && who.User.ID == user, err
}

// GetInvitation implements InvitationService.
func (s *server) GetInvitation(ctx context.Context, req *adminv1.GetInvitationRequest) (*adminv1.GetInvitationResponse, error) {
	in, creds, err := s.invited(ctx, req.GetToken())
	if err != nil {
		return nil, err
	}
	resp := invitedToProto(in)
	if creds == nil {
		return resp, nil
	}
	resp.HasAccount, resp.SecondFactor = true, creds.SecondFactor
	resp.SignedIn, err = s.signedInAs(ctx, creds.UserID)
	return resp, err
}

// AcceptInvitation implements InvitationService.
func (s *server) AcceptInvitation(ctx context.Context, req *adminv1.AcceptInvitationRequest) (*adminv1.AcceptInvitationResponse, error) {
	in, creds, err := s.invited(ctx, req.GetToken())
	if err != nil {
		return nil, err
	}
	var user uuid.UUID
	var hash string
	var login pgpeople.Proof
	if creds != nil {
		user, login = creds.UserID, creds.Proof()
		err = s.comesAs(ctx, *creds, req)
	} else {
		hash, err = s.newPassword(ctx, "password", req.GetPassword(), in.Email, in.Tenant.Name)
		login.PasswordHash = hash
	}
	if err != nil {
		return nil, err
	}
	user, err = s.People.AcceptInvitation(ctx, actor(ctx), tenants.HashToken(req.GetToken()), user, hash)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil, errInvitation
	}
	if err != nil {
		return nil, err
	}
	who, err := s.startSession(ctx, user, login, in.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return &adminv1.AcceptInvitationResponse{Account: accountToProto(who)}, nil
}

// comesAs checks that who accepts is the user who is invited: by the session, or by password and code.
func (s *server) comesAs(ctx context.Context, creds pgpeople.Credentials, req *adminv1.AcceptInvitationRequest) error {
	if same, err := s.signedInAs(ctx, creds.UserID); err != nil || same {
		return err
	}
	if err := s.checkPassword(ctx, "password", creds.Email, req.GetPassword()); err != nil {
		return err
	}
	if !creds.SecondFactor {
		return nil
	}
	return codeError(s.People.UseCode(ctx, actor(ctx), creds.UserID, req.GetCode()))
}
