package adminapi_test

import (
	"fmt"
	"testing"

	"connectrpc.com/connect"

	adminapi "github.com/pealhq/peal/admin-api"
	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// TestAnotherPasswordEndsAChangeOfTheAddress: who knew the password before must not get the account by a link that still waits.
func TestAnotherPasswordEndsAChangeOfTheAddress(t *testing.T) {
	for name, set := range map[string]func(t *testing.T, d *desk, ann *person){
		"a change": func(t *testing.T, _ *desk, ann *person) {
			_, err := ann.profile.ChangePassword(t.Context(), &adminv1.ChangePasswordRequest{CurrentPassword: password, NewPassword: another})
			if err != nil {
				t.Fatal(err)
			}
		},
		"a reset": func(t *testing.T, d *desk, _ *person) { d.reset(t, "ann@example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:6002")
			ann := d.owner(t, "ann@example.com", "Acme")
			thief := d.stranger(t)
			if err := thief.logIn(t, "ann@example.com", password); err != nil {
				t.Fatal(err)
			}
			if _, err := thief.profile.ChangeEmail(t.Context(), &adminv1.ChangeEmailRequest{Password: password, Email: "thief@example.com"}); err != nil {
				t.Fatal(err)
			}
			link := token(t, d.nextMail(t, "thief@example.com", "new email").Text, "/verify-email")
			set(t, d, ann)
			_, err := thief.auth.VerifyEmail(t.Context(), &adminv1.VerifyEmailRequest{Token: link})
			wantCode(t, "the thief's link", err, connect.CodeNotFound)
			if err := d.stranger(t).logIn(t, "ann@example.com", another); err != nil {
				t.Error(err)
			}
		})
	}
}

// reset sets another password by a link in a mail.
func (d *desk) reset(t *testing.T, email string) {
	t.Helper()
	p := d.stranger(t)
	if _, err := p.auth.RequestPasswordReset(t.Context(), &adminv1.RequestPasswordResetRequest{Email: email}); err != nil {
		t.Fatal(err)
	}
	link := token(t, d.nextMail(t, email, "Set another password").Text, "/reset-password")
	if _, err := p.auth.ResetPassword(t.Context(), &adminv1.ResetPasswordRequest{Token: link, Password: another}); err != nil {
		t.Fatal(err)
	}
}

// TestMailsToStrangersAreBounded: one account does not write to any number of addresses, and signing up not often to one.
func TestMailsToStrangersAreBounded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	limited := func(what string, f func(i int) error) {
		for i := range 7 {
			if connect.CodeOf(f(i)) == connect.CodeResourceExhausted {
				return
			}
		}
		t.Error(what + " is not bounded")
	}
	limited("another address", func(i int) error {
		_, err := ann.profile.ChangeEmail(t.Context(), &adminv1.ChangeEmailRequest{Password: password, Email: fmt.Sprintf("s%d@example.com", i)})
		return err
	})
	limited("signing up", func(int) error {
		_, err := d.stranger(t).auth.SignUp(t.Context(), &adminv1.SignUpRequest{Email: "bo@example.com", Password: password, TenantName: "Bolt"})
		return err
	})
	quiet := newDesk(t, "http://localhost:6002", func(c *adminapi.Config) { c.SendsMail = false })
	bo := quiet.signedUp(t, "bo@example.com", "Bolt")
	for i := range 60 {
		_, err := bo.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: fmt.Sprintf("s%d@example.com", i), Role: "viewer"})
		if connect.CodeOf(err) == connect.CodeResourceExhausted {
			return
		}
	}
	t.Error("invitations without mail are not bounded")
}
