package adminapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

const another = "quiet-heron-drum-four"

func (p *person) logIn(t *testing.T, email, password string) error {
	t.Helper()
	_, err := p.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: email, Password: password})
	return err
}

func TestAnAddressIsVerified(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	first := token(t, d.nextMail(t, "ann@example.com", "Verify").Text, "/verify-email")
	if _, err := ann.profile.SendVerification(t.Context(), &adminv1.SendVerificationRequest{}); err != nil {
		t.Fatal(err)
	}
	second := token(t, d.nextMail(t, "ann@example.com", "Verify").Text, "/verify-email")
	verify := func(secret string) (*adminv1.VerifyEmailResponse, error) {
		return d.stranger(t).auth.VerifyEmail(t.Context(), &adminv1.VerifyEmailRequest{Token: secret})
	}
	_, err := verify(first)
	wantCode(t, "the link before", err, connect.CodeNotFound)
	if got, err := verify(second); err != nil || got.GetEmail() != "ann@example.com" || !ann.account(t).GetEmailVerified() {
		t.Errorf("verified %v, %v", got, err)
	}
	_, err = verify(second)
	wantCode(t, "a link twice", err, connect.CodeNotFound)
	_, err = ann.profile.SendVerification(t.Context(), &adminv1.SendVerificationRequest{})
	wantCode(t, "once more", err, connect.CodeFailedPrecondition)
}

func TestAnotherAddress(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	d.signedUp(t, "bo@example.com", "Bolt")
	change := func(password, email string) error {
		_, err := ann.profile.ChangeEmail(t.Context(), &adminv1.ChangeEmailRequest{Password: password, Email: email})
		return err
	}
	wantViolation(t, "without the password", change("wrong", "new@example.com"), connect.CodeInvalidArgument, "password", "not the password")
	wantViolation(t, "a taken address", change(password, "BO@example.com"), connect.CodeAlreadyExists, "email", "another account")
	wantViolation(t, "the same address", change(password, "Ann@example.com"), connect.CodeInvalidArgument, "email", "already")
	if err := change(password, "new@example.com"); err != nil {
		t.Fatal(err)
	}
	if a := ann.account(t); a.GetEmail() != "ann@example.com" || !a.GetEmailVerified() {
		t.Errorf("before the link: %v", a)
	}
	d.nextMail(t, "ann@example.com", "is to be changed")
	link := token(t, d.nextMail(t, "new@example.com", "new email").Text, "/verify-email")
	if _, err := d.stranger(t).auth.VerifyEmail(t.Context(), &adminv1.VerifyEmailRequest{Token: link}); err != nil {
		t.Fatal(err)
	}
	if a := ann.account(t); a.GetEmail() != "new@example.com" || !a.GetEmailVerified() {
		t.Errorf("after the link: %v", a)
	}
	if err := d.stranger(t).logIn(t, "new@example.com", password); err != nil {
		t.Error(err)
	}
	// An address that somebody else has taken meanwhile is theirs.
	if err := change(password, "late@example.com"); err != nil {
		t.Fatal(err)
	}
	late := token(t, d.nextMail(t, "late@example.com", "new email").Text, "/verify-email")
	d.signedUp(t, "late@example.com", "Late")
	_, err := d.stranger(t).auth.VerifyEmail(t.Context(), &adminv1.VerifyEmailRequest{Token: late})
	wantViolation(t, "taken meanwhile", err, connect.CodeAlreadyExists, "email", "another account")
}

func TestAForgottenPassword(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	ask := func(email string) (time.Duration, error) {
		began := time.Now()
		_, err := d.stranger(t).auth.RequestPasswordReset(t.Context(), &adminv1.RequestPasswordResetRequest{Email: email})
		return time.Since(began), err
	}
	known, err := ask("Ann@example.com")
	unknown, err2 := ask("nobody@example.com")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if difference := (known - unknown).Abs(); known < 300*time.Millisecond || unknown < 300*time.Millisecond || difference > 250*time.Millisecond {
		t.Errorf("an answer takes %s for who is known and %s for who is not", known, unknown)
	}
	link := token(t, d.nextMail(t, "ann@example.com", "Set another password").Text, "/reset-password")
	d.noMail(t, "nobody")
	reset := func(secret, password string) error {
		_, err := d.stranger(t).auth.ResetPassword(t.Context(), &adminv1.ResetPasswordRequest{Token: secret, Password: password})
		return err
	}
	wantViolation(t, "a bad password", reset(link, "password"), connect.CodeInvalidArgument, "password", "easy to guess")
	if err := reset(link, another); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a link twice", reset(link, another), connect.CodeNotFound)
	_, err = ann.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "a session of before", err, connect.CodeUnauthenticated)
	wantCode(t, "the password before", d.stranger(t).logIn(t, "ann@example.com", password), connect.CodeUnauthenticated)
	if err := ann.logIn(t, "ann@example.com", another); err != nil {
		t.Error(err)
	}
	if !ann.account(t).GetEmailVerified() {
		t.Error("who followed a link in a mail has shown that the address is theirs")
	}
	d.nextMail(t, "ann@example.com", "was changed")
	if _, err := ask("ann@example.com"); err != nil {
		t.Fatal(err)
	}
	link = token(t, d.nextMail(t, "ann@example.com", "Set another password").Text, "/reset-password")
	d.exec(t, `UPDATE user_links SET expires_at = now()`)
	wantCode(t, "a link after an hour", reset(link, another), connect.CodeNotFound)
	for i := range 10 {
		if _, err = ask("ann@example.com"); err != nil {
			break
		}
		if i == 9 {
			t.Error("one address was sent ten mails in a row")
		}
	}
	wantCode(t, "too many", err, connect.CodeResourceExhausted)
}

func TestAnotherPassword(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	elsewhere := d.stranger(t)
	if err := elsewhere.logIn(t, "ann@example.com", password); err != nil {
		t.Fatal(err)
	}
	before := ann.cookie(t)
	change := func(current, next string) error {
		_, err := ann.profile.ChangePassword(t.Context(), &adminv1.ChangePasswordRequest{CurrentPassword: current, NewPassword: next})
		return err
	}
	wantViolation(t, "without the password", change("wrong", another), connect.CodeInvalidArgument, "current_password", "not the password")
	wantViolation(t, "a bad one", change(password, "password1"), connect.CodeInvalidArgument, "new_password", "easy to guess")
	if err := change(password, another); err != nil {
		t.Fatal(err)
	}
	if ann.cookie(t) == before {
		t.Error("the session has the token of before")
	}
	ann.account(t)
	_, err := elsewhere.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "another session", err, connect.CodeUnauthenticated)
	d.nextMail(t, "ann@example.com", "was changed")
}

// cookie returns the session's token.
func (p *person) cookie(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.http.Jar.Cookies(r.URL) {
		if c.Name == "peal_session_6002" {
			return c.Value
		}
	}
	return ""
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	phone, tablet := d.stranger(t), d.stranger(t)
	for _, p := range []*person{phone, tablet} {
		if err := p.logIn(t, "ann@example.com", password); err != nil {
			t.Fatal(err)
		}
	}
	list, err := ann.profile.ListSessions(t.Context(), &adminv1.ListSessionsRequest{})
	if err != nil || len(list.GetSessions()) != 3 {
		t.Fatalf("sessions %v, %v", list, err)
	}
	for i, s := range list.GetSessions() {
		if s.GetCurrent() != (i == 0) || s.GetIp() != "127.0.0.1" || !strings.Contains(s.GetUserAgent(), "connect") || s.GetTenantName() != "Acme" || s.GetLastSeenTime() == nil {
			t.Errorf("session %d: %v", i, s)
		}
	}
	theirs, err := phone.profile.ListSessions(t.Context(), &adminv1.ListSessionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.profile.RevokeSession(t.Context(), &adminv1.RevokeSessionRequest{SessionId: theirs.GetSessions()[0].GetId()}); err != nil {
		t.Fatal(err)
	}
	_, err = phone.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "the session that was ended", err, connect.CodeUnauthenticated)
	tablet.account(t)
	ended, err := ann.profile.RevokeOtherSessions(t.Context(), &adminv1.RevokeOtherSessionsRequest{})
	if err != nil || ended.GetEnded() != 1 {
		t.Errorf("ended %v, %v", ended, err)
	}
	_, err = tablet.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "the others", err, connect.CodeUnauthenticated)
	ann.account(t)
}
