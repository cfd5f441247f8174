package adminapi_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// nobodyYet returns an address that no other case uses.
func nobodyYet() string { return fmt.Sprintf("p%d@example.com", time.Now().UnixNano()) }

// peopleWrites has the cases of what is done to people, by whoever owns the tenant.
func peopleWrites(d *desk) map[string]write {
	invited := func(t *testing.T, p *person) string {
		t.Helper()
		d.verified(t)
		return p.invite(t, nobodyYet(), "developer").GetInvitation().GetId()
	}
	member := func(t *testing.T, p *person) string {
		t.Helper()
		d.verified(t)
		return d.joined(t, p, nobodyYet(), "developer").account(t).GetUserId()
	}
	return map[string]write{
		"MemberService.ChangeMemberRole": func(t *testing.T, p *person) func(context.Context) error {
			id := member(t, p)
			return func(ctx context.Context) error {
				_, err := p.members.ChangeMemberRole(ctx, &adminv1.ChangeMemberRoleRequest{UserId: id, Role: "viewer"})
				return err
			}
		},
		"MemberService.RemoveMember": func(t *testing.T, p *person) func(context.Context) error {
			id := member(t, p)
			return func(ctx context.Context) error {
				_, err := p.members.RemoveMember(ctx, &adminv1.RemoveMemberRequest{UserId: id})
				return err
			}
		},
		"MemberService.TransferOwnership": func(t *testing.T, p *person) func(context.Context) error {
			id, me := member(t, p), p.account(t).GetUserId()
			return func(ctx context.Context) error {
				_, err := p.members.TransferOwnership(ctx, &adminv1.TransferOwnershipRequest{UserId: id})
				if err == nil { // for the cases that come after
					d.exec(t, `UPDATE memberships SET role = 'owner' WHERE user_id = $1`, me) //nolint:contextcheck // It is the test that mends, not the call.
				}
				return err
			}
		},
		"InvitationService.CreateInvitation": func(t *testing.T, p *person) func(context.Context) error {
			d.verified(t)
			return func(ctx context.Context) error {
				_, err := p.invites.CreateInvitation(ctx, &adminv1.CreateInvitationRequest{Email: nobodyYet(), Role: "viewer"})
				return err
			}
		},
		"InvitationService.ResendInvitation": func(t *testing.T, p *person) func(context.Context) error {
			id := invited(t, p)
			return func(ctx context.Context) error {
				_, err := p.invites.ResendInvitation(ctx, &adminv1.ResendInvitationRequest{InvitationId: id})
				return err
			}
		},
		"InvitationService.RevokeInvitation": func(t *testing.T, p *person) func(context.Context) error {
			id := invited(t, p)
			return func(ctx context.Context) error {
				_, err := p.invites.RevokeInvitation(ctx, &adminv1.RevokeInvitationRequest{InvitationId: id})
				return err
			}
		},
		"AuthService.RequestPasswordReset": func(t *testing.T, _ *person) func(context.Context) error {
			q := d.stranger(t)
			return func(ctx context.Context) error {
				_, err := q.auth.RequestPasswordReset(ctx, &adminv1.RequestPasswordResetRequest{Email: "ann@example.com"})
				return err
			}
		},
		"ProfileService.SendVerification": func(t *testing.T, p *person) func(context.Context) error {
			d.exec(t, `UPDATE users SET email_verified_at = NULL`)
			return func(ctx context.Context) error {
				_, err := p.profile.SendVerification(ctx, &adminv1.SendVerificationRequest{})
				return err
			}
		},
		"ProfileService.ChangePassword": func(t *testing.T, p *person) func(context.Context) error {
			hash := d.rows(t, `SELECT password_hash FROM users WHERE email = 'ann@example.com'`)[0]
			return func(ctx context.Context) error {
				_, err := p.profile.ChangePassword(ctx, &adminv1.ChangePasswordRequest{CurrentPassword: password, NewPassword: another})
				if err == nil {
					d.exec(t, `UPDATE users SET password_hash = $1 WHERE email = 'ann@example.com'`, hash) //nolint:contextcheck // The same.
				}
				return err
			}
		},
		"ProfileService.ChangeEmail": func(_ *testing.T, p *person) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := p.profile.ChangeEmail(ctx, &adminv1.ChangeEmailRequest{Password: password, Email: nobodyYet()})
				return err
			}
		},
		"ProfileService.RevokeSession": func(t *testing.T, p *person) func(context.Context) error {
			d.exec(t, `DELETE FROM second_factors`)
			d.verified(t)
			q := d.stranger(t)
			if err := q.logIn(t, "ann@example.com", password); err != nil {
				t.Fatal(err)
			}
			list, err := q.profile.ListSessions(t.Context(), &adminv1.ListSessionsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error {
				_, err := p.profile.RevokeSession(ctx, &adminv1.RevokeSessionRequest{SessionId: list.GetSessions()[0].GetId()})
				return err
			}
		},
		"ProfileService.RevokeOtherSessions": func(_ *testing.T, p *person) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := p.profile.RevokeOtherSessions(ctx, &adminv1.RevokeOtherSessionsRequest{})
				return err
			}
		},
		"SecondFactorService.BeginSecondFactor": func(t *testing.T, p *person) func(context.Context) error {
			d.exec(t, `DELETE FROM second_factors`)
			d.verified(t)
			return func(ctx context.Context) error {
				_, err := p.factor.BeginSecondFactor(ctx, &adminv1.BeginSecondFactorRequest{Password: password})
				return err
			}
		},
		"SecondFactorService.ConfirmSecondFactor": func(t *testing.T, p *person) func(context.Context) error {
			d.exec(t, `DELETE FROM second_factors`)
			d.verified(t)
			begun, err := p.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: password})
			if err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error {
				_, err := p.factor.ConfirmSecondFactor(ctx, &adminv1.ConfirmSecondFactorRequest{Code: code(t, begun.GetSecret(), 0)})
				return err
			}
		},
		"SecondFactorService.DisableSecondFactor": func(t *testing.T, p *person) func(context.Context) error {
			seed := d.enrolledAnew(t, p)
			return func(ctx context.Context) error {
				_, err := p.factor.DisableSecondFactor(ctx, &adminv1.DisableSecondFactorRequest{Password: password, Code: code(t, seed, 1)})
				return err
			}
		},
		"SecondFactorService.RegenerateRecoveryCodes": func(t *testing.T, p *person) func(context.Context) error {
			seed := d.enrolledAnew(t, p)
			return func(ctx context.Context) error {
				_, err := p.factor.RegenerateRecoveryCodes(ctx, &adminv1.RegenerateRecoveryCodesRequest{Password: password, Code: code(t, seed, 1)})
				return err
			}
		},
		"TokenService.CreateToken": func(t *testing.T, p *person) func(context.Context) error {
			d.verified(t)
			return func(ctx context.Context) error {
				_, err := p.tokens.CreateToken(ctx, &adminv1.CreateTokenRequest{Name: "ci", Scopes: []adminv1.Permission{appsRead}})
				return err
			}
		},
		"TokenService.RevokeToken": func(t *testing.T, p *person) func(context.Context) error {
			d.verified(t)
			id := p.newToken(t, 1, appsRead).GetToken().GetId()
			return func(ctx context.Context) error {
				_, err := p.tokens.RevokeToken(ctx, &adminv1.RevokeTokenRequest{TokenId: id})
				return err
			}
		},
	}
}

// enrolledAnew turns the second factor on, whether it was or not.
func (d *desk) enrolledAnew(t *testing.T, p *person) (seed string) {
	t.Helper()
	d.exec(t, `DELETE FROM second_factors`)
	d.verified(t)
	seed, _ = p.enrolled(t)
	return seed
}

// TestWhatOthersDoIsAudited has the methods that somebody calls who is not yet, or no longer, a member with a session.
func TestWhatOthersDoIsAudited(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	last := func(action, who, detail string) {
		t.Helper()
		rows := d.auditRows(t)
		if r := rows[len(rows)-1]; r.Action != action || r.Who != who || r.Detail != detail || r.IP != "127.0.0.1" || r.Request == "" {
			t.Errorf("last row %+v, want %s by %s: %s", r, action, who, detail)
		}
	}
	link := token(t, d.nextMail(t, "ann@example.com", "Verify").Text, "/verify-email")
	if _, err := d.stranger(t).auth.VerifyEmail(t.Context(), &adminv1.VerifyEmailRequest{Token: link}); err != nil {
		t.Fatal(err)
	}
	last("user.email_verified", "ann@example.com", `{"after": {"email_verified": true}, "before": {"email_verified": false}}`)
	bo := d.joined(t, ann, "bo@example.com", "developer")
	last("member.added", "bo@example.com", `{"after": {"role": "developer", "email": "bo@example.com"}}`)
	if _, err := d.stranger(t).auth.RequestPasswordReset(t.Context(), &adminv1.RequestPasswordResetRequest{Email: "ann@example.com"}); err != nil {
		t.Fatal(err)
	}
	reset := token(t, d.nextMail(t, "ann@example.com", "Set another").Text, "/reset-password")
	if _, err := d.stranger(t).auth.ResetPassword(t.Context(), &adminv1.ResetPasswordRequest{Token: reset, Password: another}); err != nil {
		t.Fatal(err)
	}
	last("user.password_reset", "ann@example.com", `{}`)
	if _, err := bo.members.LeaveTenant(t.Context(), &adminv1.LeaveTenantRequest{}); err != nil {
		t.Fatal(err)
	}
	last("member.left", "bo@example.com", `{"before": {"role": "developer", "email": "bo@example.com"}}`)
}
