package adminapi_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminapi "github.com/pealhq/peal/admin-api"
	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/mail"
)

// verified marks everybody's address as verified.
func (d *desk) verified(t *testing.T) {
	t.Helper()
	d.exec(t, `UPDATE users SET email_verified_at = now()`)
}

// nextMail takes the mail that waits for this address and has this in its subject out of the outbox, and drops those before it.
func (d *desk) nextMail(t *testing.T, to, subject string) mail.Message {
	t.Helper()
	for {
		m, err := d.outbox.Claim(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if m == nil {
			t.Fatalf("no mail to %s about %q", to, subject)
		}
		if m.To == to && strings.Contains(m.Subject, subject) {
			return m.Message
		}
	}
}

// noMail checks that none waits.
func (d *desk) noMail(t *testing.T, what string) {
	t.Helper()
	if m, err := d.outbox.Claim(t.Context(), time.Hour); m != nil || err != nil {
		t.Errorf("%s: a mail %+v, %v", what, m, err)
	}
}

// token returns the token of the link in a mail to a page of the dashboard.
func token(t *testing.T, text, page string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "http://localhost:6002"+page+"#"); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("no link to %s in %q", page, text)
	return ""
}

func (p *person) account(t *testing.T) *adminv1.Account {
	t.Helper()
	resp, err := p.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetAccount()
}

func (p *person) invite(t *testing.T, email, role string) *adminv1.CreateInvitationResponse {
	t.Helper()
	resp, err := p.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: email, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// joined returns a new person who was invited by p and has accepted.
func (d *desk) joined(t *testing.T, p *person, email, role string) *person {
	t.Helper()
	p.invite(t, email, role)
	secret := token(t, d.nextMail(t, email, "Join").Text, "/invitation")
	q := d.stranger(t)
	if _, err := q.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: password}); err != nil {
		t.Fatal(err)
	}
	return q
}

// owner signs somebody up whose address is verified.
func (d *desk) owner(t *testing.T, email, tenant string) *person {
	t.Helper()
	p := d.signedUp(t, email, tenant)
	d.verified(t)
	return p
}

// ids are of things of a tenant that others must not reach.
type ids struct{ user, invitation, session, token, tenant string }

func (p *person) ids(t *testing.T, d *desk) ids {
	t.Helper()
	d.verified(t)
	a := p.account(t)
	sessions, err := p.profile.ListSessions(t.Context(), &adminv1.ListSessionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "ci", Scopes: []adminv1.Permission{adminv1.Permission_PERMISSION_APPS_READ}})
	if err != nil {
		t.Fatal(err)
	}
	return ids{
		user: a.GetUserId(), tenant: a.GetTenantId(), session: sessions.GetSessions()[0].GetId(), token: made.GetToken().GetId(),
		invitation: p.invite(t, "cy@example.com", "viewer").GetInvitation().GetId(),
	}
}

func (p *person) role(t *testing.T, email string) string {
	t.Helper()
	resp, err := p.members.ListMembers(t.Context(), &adminv1.ListMembersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range resp.GetMembers() {
		if m.GetEmail() == email {
			return m.GetRole()
		}
	}
	return ""
}

func TestAnInvitationIsAccepted(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	_, err := ann.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: "bo@example.com", Role: "viewer"})
	if ce := wantCode(t, "with an address that is not verified", err, connect.CodeFailedPrecondition); !strings.Contains(ce.Message(), "verify your own") {
		t.Error(ce)
	}
	d.verified(t)
	made := ann.invite(t, "Bo@Example.com", "developer")
	if made.GetLink() != "" {
		t.Error("the link is told although it was sent")
	}
	m := d.nextMail(t, "bo@example.com", "Acme")
	secret := token(t, m.Text, "/invitation")
	bo := d.stranger(t)
	got, err := bo.invites.GetInvitation(t.Context(), &adminv1.GetInvitationRequest{Token: secret})
	if err != nil || got.GetTenantName() != "Acme" || got.GetEmail() != "bo@example.com" || got.GetRole() != "developer" ||
		got.GetInvitedBy() != "ann@example.com" || got.GetHasAccount() || got.GetSignedIn() {
		t.Errorf("invitation %v, %v", got, err)
	}
	_, err = bo.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: "password"})
	wantViolation(t, "a bad password", err, connect.CodeInvalidArgument, "password", "easy to guess")
	joined, err := bo.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: password})
	if err != nil || joined.GetAccount().GetRole() != "developer" || joined.GetAccount().GetTenantName() != "Acme" || !joined.GetAccount().GetEmailVerified() {
		t.Fatalf("joined %v, %v", joined, err)
	}
	if bo.account(t).GetUserId() != joined.GetAccount().GetUserId() {
		t.Error("not signed in after joining")
	}
	_, err = d.stranger(t).invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: password})
	wantCode(t, "a used invitation", err, connect.CodeNotFound)
	_, err = ann.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: "bo@example.com", Role: "viewer"})
	wantViolation(t, "who is a member", err, connect.CodeAlreadyExists, "email", "member of this tenant already")
	if strings.Contains(d.log.String(), secret) {
		t.Error("the token was logged")
	}
}

func TestAnInvitationIsForOnePerson(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.owner(t, "bo@example.com", "Bolt")
	cy := d.owner(t, "cy@example.com", "Cyan")
	ann.invite(t, "bo@example.com", "admin")
	secret := token(t, d.nextMail(t, "bo@example.com", "Join").Text, "/invitation")
	accept := func(p *person, password string) error {
		_, err := p.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: password})
		return err
	}
	wantViolation(t, "a stranger without the password", accept(d.stranger(t), ""), connect.CodeInvalidArgument, "password", "not the password of bo@example.com")
	wantViolation(t, "somebody else", accept(cy, "wrong"), connect.CodeInvalidArgument, "password", "not the password of bo@example.com")
	if got, err := bo.invites.GetInvitation(t.Context(), &adminv1.GetInvitationRequest{Token: secret}); err != nil || !got.GetHasAccount() || !got.GetSignedIn() {
		t.Errorf("invitation as its person sees it %v, %v", got, err)
	}
	if err := accept(bo, ""); err != nil {
		t.Fatal(err)
	}
	if a := bo.account(t); a.GetTenantName() != "Acme" || a.GetRole() != "admin" {
		t.Errorf("after joining: %v", a)
	}
	list, err := bo.profile.ListMyTenants(t.Context(), &adminv1.ListMyTenantsRequest{})
	if err != nil || len(list.GetTenants()) != 2 || list.GetTenants()[0].GetName() != "Bolt" || list.GetTenants()[0].GetRole() != "owner" || !list.GetTenants()[1].GetCurrent() {
		t.Fatalf("tenants %v, %v", list, err)
	}
	back, err := bo.profile.SwitchTenant(t.Context(), &adminv1.SwitchTenantRequest{TenantId: list.GetTenants()[0].GetTenantId()})
	if err != nil || back.GetAccount().GetTenantName() != "Bolt" || bo.account(t).GetRole() != "owner" {
		t.Errorf("after switching: %v, %v", back, err)
	}
	_, err = cy.profile.SwitchTenant(t.Context(), &adminv1.SwitchTenantRequest{TenantId: list.GetTenants()[0].GetTenantId()})
	wantCode(t, "another's tenant", err, connect.CodeNotFound)
}

func TestInvitationsAreResentRevokedAndOver(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	id := ann.invite(t, "bo@example.com", "viewer").GetInvitation().GetId()
	first := token(t, d.nextMail(t, "bo@example.com", "Join").Text, "/invitation")
	if _, err := ann.invites.ResendInvitation(t.Context(), &adminv1.ResendInvitationRequest{InvitationId: id}); err != nil {
		t.Fatal(err)
	}
	second := token(t, d.nextMail(t, "bo@example.com", "Join").Text, "/invitation")
	look := func(secret string) error {
		_, err := d.stranger(t).invites.GetInvitation(t.Context(), &adminv1.GetInvitationRequest{Token: secret})
		return err
	}
	wantCode(t, "the link before", look(first), connect.CodeNotFound)
	if err := look(second); err != nil {
		t.Error(err)
	}
	_, err := ann.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: "BO@example.com", Role: "viewer"})
	wantViolation(t, "invited twice", err, connect.CodeAlreadyExists, "email", "invited already")
	d.exec(t, `UPDATE invitations SET expires_at = now()`)
	wantCode(t, "a link that is over", look(second), connect.CodeNotFound)
	list, err := ann.invites.ListInvitations(t.Context(), &adminv1.ListInvitationsRequest{})
	if err != nil || len(list.GetInvitations()) != 1 || list.GetInvitations()[0].GetExpireTime().AsTime().After(time.Now()) {
		t.Errorf("list %v, %v", list, err)
	}
	if _, err := ann.invites.ResendInvitation(t.Context(), &adminv1.ResendInvitationRequest{InvitationId: id}); err != nil {
		t.Fatal(err)
	}
	third := token(t, d.nextMail(t, "bo@example.com", "Join").Text, "/invitation")
	if _, err := ann.invites.RevokeInvitation(t.Context(), &adminv1.RevokeInvitationRequest{InvitationId: id}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "taken back", look(third), connect.CodeNotFound)
	d.exec(t, `DELETE FROM outbox`)
	limited := false
	for range 10 {
		made, err := ann.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: "bo@example.com", Role: "viewer"})
		if limited = connect.CodeOf(err) == connect.CodeResourceExhausted; limited {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ann.invites.RevokeInvitation(t.Context(), &adminv1.RevokeInvitationRequest{InvitationId: made.GetInvitation().GetId()}); err != nil {
			t.Fatal(err)
		}
	}
	if !limited {
		t.Error("one address was sent ten mails in a row")
	}
}

func TestWithoutMailLinksAreHandedOver(t *testing.T) {
	d := newDesk(t, "http://localhost:6002", func(c *adminapi.Config) { c.SendsMail = false })
	ann := d.signedUp(t, "ann@example.com", "Acme")
	made := ann.invite(t, "bo@example.com", "viewer")
	secret := token(t, made.GetLink(), "/invitation")
	d.noMail(t, "an invitation without mail")
	bo := d.stranger(t)
	joined, err := bo.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: secret, Password: password})
	if err != nil || joined.GetAccount().GetEmailVerified() {
		t.Errorf("joined %v, %v", joined, err)
	}
	_, err = d.stranger(t).auth.RequestPasswordReset(t.Context(), &adminv1.RequestPasswordResetRequest{Email: "ann@example.com"})
	if ce := wantCode(t, "a reset", err, connect.CodeFailedPrecondition); !strings.Contains(ce.Message(), "sends no mail") {
		t.Error(ce)
	}
	_, err = ann.profile.SendVerification(t.Context(), &adminv1.SendVerificationRequest{})
	wantCode(t, "a verification", err, connect.CodeFailedPrecondition)
	changed, err := ann.profile.ChangeEmail(t.Context(), &adminv1.ChangeEmailRequest{Password: password, Email: "ann2@example.com"})
	if err != nil || changed.GetConfirmByMail() || ann.account(t).GetEmail() != "ann2@example.com" {
		t.Errorf("changed %v, %v", changed, err)
	}
}

func TestNobodyRaisesAboveThemselves(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.joined(t, ann, "bo@example.com", "admin")
	d.joined(t, ann, "cy@example.com", "developer")
	id := func(p *person) string { return p.account(t).GetUserId() }
	change := func(p *person, user, role string) error {
		_, err := p.members.ChangeMemberRole(t.Context(), &adminv1.ChangeMemberRoleRequest{UserId: user, Role: role})
		return err
	}
	_, err := bo.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: "dee@example.com", Role: "owner"})
	denied := connect.CodePermissionDenied
	if ce := wantCode(t, "an admin invites an owner", err, denied); !strings.Contains(ce.Message(), "owner") {
		t.Error(ce)
	}
	wantCode(t, "an admin makes themselves an owner", change(bo, id(bo), "owner"), denied)
	wantCode(t, "an admin lowers an owner", change(bo, id(ann), "viewer"), denied)
	_, err = bo.members.RemoveMember(t.Context(), &adminv1.RemoveMemberRequest{UserId: id(ann)})
	wantCode(t, "an admin removes an owner", err, denied)
	_, err = bo.members.TransferOwnership(t.Context(), &adminv1.TransferOwnershipRequest{UserId: id(bo)})
	wantCode(t, "an admin takes the tenant", err, denied)

	state := connect.CodeFailedPrecondition
	if ce := wantCode(t, "the last owner lowers themselves", change(ann, id(ann), "admin"), state); !strings.Contains(ce.Message(), "keep an owner") {
		t.Error(ce)
	}
	_, err = ann.members.RemoveMember(t.Context(), &adminv1.RemoveMemberRequest{UserId: id(ann)})
	wantCode(t, "the last owner removes themselves", err, state)
	_, err = ann.members.LeaveTenant(t.Context(), &adminv1.LeaveTenantRequest{})
	wantCode(t, "the last owner leaves", err, state)

	bo.invite(t, "dee@example.com", "viewer")
	if _, err := ann.members.TransferOwnership(t.Context(), &adminv1.TransferOwnershipRequest{UserId: id(bo)}); err != nil {
		t.Fatal(err)
	}
	if bo.account(t).GetRole() != "owner" || ann.account(t).GetRole() != "admin" {
		t.Error("the tenant was not handed over")
	}
	if err := change(bo, id(ann), "viewer"); err != nil {
		t.Error(err)
	}
	_, err = ann.members.RemoveMember(t.Context(), &adminv1.RemoveMemberRequest{UserId: id(bo)})
	wantCode(t, "who was lowered acts on", err, denied)
}

func TestWhoIsRemovedIsOut(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.joined(t, ann, "bo@example.com", "admin")
	made, err := bo.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "ci", Scopes: []adminv1.Permission{adminv1.Permission_PERMISSION_APPS_READ}})
	if err != nil {
		t.Fatal(err)
	}
	bo.invite(t, "mole@example.com", "admin")
	mole := token(t, d.nextMail(t, "mole@example.com", "Join").Text, "/invitation")
	if _, err := ann.members.RemoveMember(t.Context(), &adminv1.RemoveMemberRequest{UserId: bo.account(t).GetUserId()}); err != nil {
		t.Fatal(err)
	}
	_, err = bo.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "the session of who was removed", err, connect.CodeUnauthenticated)
	_, err = d.withToken(t, made.GetText()).auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "the token of who was removed", err, connect.CodeUnauthenticated)
	_, err = d.stranger(t).invites.GetInvitation(t.Context(), &adminv1.GetInvitationRequest{Token: mole})
	wantCode(t, "the invitation of who was removed", err, connect.CodeNotFound)
	_, err = bo.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: "bo@example.com", Password: password})
	if ce := wantCode(t, "who belongs to no tenant logs in", err, connect.CodeFailedPrecondition); !strings.Contains(ce.Message(), "no tenant") {
		t.Error(ce)
	}
	// Being invited again, the account joins with its password.
	ann.invite(t, "bo@example.com", "viewer")
	again := token(t, d.nextMail(t, "bo@example.com", "Join").Text, "/invitation")
	if _, err := bo.invites.AcceptInvitation(t.Context(), &adminv1.AcceptInvitationRequest{Token: again, Password: password}); err != nil {
		t.Error(err)
	}
	if ann.role(t, "bo@example.com") != "viewer" {
		t.Error("not back")
	}
	if _, err := bo.members.LeaveTenant(t.Context(), &adminv1.LeaveTenantRequest{}); err != nil {
		t.Error(err)
	}
	if ann.role(t, "bo@example.com") != "" {
		t.Error("still there after leaving")
	}
}
