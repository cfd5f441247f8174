package adminapi_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp/totp"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// code returns what an authenticator app shows a number of steps from now.
func code(t *testing.T, seed string, steps int) string {
	t.Helper()
	text, err := totp.GenerateCode(seed, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// enrolled turns the second factor on, by the code of the step before, and returns seed and recovery codes.
func (p *person) enrolled(t *testing.T) (seed string, recovery []string) {
	t.Helper()
	begun, err := p.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	on, err := p.factor.ConfirmSecondFactor(t.Context(), &adminv1.ConfirmSecondFactorRequest{Code: code(t, begun.GetSecret(), -1)})
	if err != nil {
		t.Fatal(err)
	}
	return begun.GetSecret(), on.GetRecoveryCodes()
}

func (p *person) secondStep(t *testing.T, code string) error {
	t.Helper()
	_, err := p.auth.LogInSecondFactor(t.Context(), &adminv1.LogInSecondFactorRequest{Code: code})
	return err
}

// challenged returns somebody whose password was right.
func (d *desk) challenged(t *testing.T) *person {
	t.Helper()
	p := d.stranger(t)
	resp, err := p.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: "ann@example.com", Password: password})
	if err != nil || !resp.GetSecondFactorRequired() || resp.GetAccount() != nil {
		t.Fatalf("first step: %v, %v", resp, err)
	}
	return p
}

func TestEnrolling(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	elsewhere := d.stranger(t)
	if err := elsewhere.logIn(t, "ann@example.com", password); err != nil {
		t.Fatal(err)
	}
	_, err := ann.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: "wrong"})
	wantViolation(t, "without the password", err, connect.CodeInvalidArgument, "password", "not the password")
	begun, err := ann.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(begun.GetUrl())
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Peal:ann@example.com" || u.Query().Get("secret") != begun.GetSecret() || len(begun.GetSecret()) != 32 {
		t.Errorf("url %s, %v", begun.GetUrl(), err)
	}
	if begun.GetQrSize() < 29 || !strings.HasPrefix(begun.GetQrPath(), "M4 4h7v1h-7z") {
		t.Errorf("a QR code of %d: %.40s", begun.GetQrSize(), begun.GetQrPath())
	}
	if d.stranger(t).logIn(t, "ann@example.com", password) != nil || ann.account(t).GetSecondFactor() {
		t.Error("a factor that was not confirmed is asked for")
	}
	_, err = ann.factor.ConfirmSecondFactor(t.Context(), &adminv1.ConfirmSecondFactorRequest{Code: "000000"})
	wantViolation(t, "a wrong code", err, connect.CodeInvalidArgument, "code", "not right")
	before := ann.cookie(t)
	on, err := ann.factor.ConfirmSecondFactor(t.Context(), &adminv1.ConfirmSecondFactorRequest{Code: code(t, begun.GetSecret(), 0)})
	if err != nil || len(on.GetRecoveryCodes()) != 10 || len(on.GetRecoveryCodes()[0]) != 19 {
		t.Fatalf("on: %v, %v", on, err)
	}
	if ann.cookie(t) == before || !ann.account(t).GetSecondFactor() {
		t.Error("the session has the token of before, or does not know")
	}
	_, err = elsewhere.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "another session", err, connect.CodeUnauthenticated)
	_, err = ann.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: password})
	wantCode(t, "twice", err, connect.CodeFailedPrecondition)
	d.nextMail(t, "ann@example.com", "Two-factor login is on")
	d.holdsNone(t, append(on.GetRecoveryCodes(), begun.GetSecret())...)
}

// holdsNone looks for texts in everything that the database and the log hold.
func (d *desk) holdsNone(t *testing.T, secrets ...string) {
	t.Helper()
	var all bytes.Buffer
	for _, table := range []string{
		"users", "sessions", "invitations", "user_links", "second_factors", "recovery_codes", "login_challenges", "api_tokens", "audit", "outbox",
	} {
		for _, row := range d.rows(t, `SELECT x::text FROM `+table+` x`) {
			all.WriteString(row + "\n")
		}
	}
	all.WriteString(d.log.String())
	for _, s := range secrets {
		if s == "" || bytes.Contains(all.Bytes(), []byte(s)) {
			t.Errorf("%q is in the database or the log", s)
		}
	}
}

// rows returns one column of text.
func (d *desk) rows(t *testing.T, sql string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLoginInTwoSteps(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	seed, recovery := d.owner(t, "ann@example.com", "Acme").enrolled(t)
	p := d.challenged(t)
	_, err := p.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "between the steps", err, connect.CodeUnauthenticated)
	wantViolation(t, "a wrong code", p.secondStep(t, "123456"), connect.CodeInvalidArgument, "code", "not right")
	now := code(t, seed, 0)
	if err := p.secondStep(t, now[:3]+" "+now[3:]); err != nil {
		t.Fatal(err)
	}
	if !p.account(t).GetSecondFactor() {
		t.Error("not signed in")
	}
	wantCode(t, "the challenge twice", p.secondStep(t, code(t, seed, 1)), connect.CodeUnauthenticated)
	wantViolation(t, "the code twice", d.challenged(t).secondStep(t, now), connect.CodeInvalidArgument, "code", "used before")
	q := d.challenged(t)
	if err := q.secondStep(t, strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	wantViolation(t, "a recovery code twice", d.challenged(t).secondStep(t, recovery[3]), connect.CodeInvalidArgument, "code", "used before")
	left, err := q.factor.GetSecondFactor(t.Context(), &adminv1.GetSecondFactorRequest{})
	if err != nil || left.GetRecoveryCodesLeft() != 9 || !left.GetEnabled() || left.GetEnableTime() == nil {
		t.Errorf("left %v, %v", left, err)
	}
	wantCode(t, "no first step", d.stranger(t).secondStep(t, code(t, seed, 1)), connect.CodeUnauthenticated)
	late := d.challenged(t)
	d.exec(t, `UPDATE login_challenges SET expires_at = now()`)
	wantCode(t, "a first step of long ago", late.secondStep(t, code(t, seed, 1)), connect.CodeUnauthenticated)
}

// TestACodeIsGoodOnceUnderRace has many logins show one code at once.
func TestACodeIsGoodOnceUnderRace(t *testing.T) {
	for _, name := range []string{"a code of the app", "a recovery code"} {
		d := newDesk(t, "http://localhost:6002")
		seed, recovery := d.owner(t, "ann@example.com", "Acme").enrolled(t)
		text := recovery[0]
		if name == "a code of the app" {
			text = code(t, seed, 0)
		}
		people := make([]*person, 5)
		for i := range people {
			people[i] = d.challenged(t)
		}
		var mu sync.Mutex
		codes := map[connect.Code]int{}
		let := make(chan struct{})
		var all sync.WaitGroup
		for _, p := range people {
			all.Go(func() {
				<-let
				_, err := p.auth.LogInSecondFactor(t.Context(), &adminv1.LogInSecondFactorRequest{Code: text})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					codes[0]++
				} else {
					codes[connect.CodeOf(err)]++
				}
			})
		}
		close(let)
		all.Wait()
		if codes[0] != 1 || codes[connect.CodeInvalidArgument] != 4 {
			t.Errorf("%s, shown five times at once: %v (0 is who got in)", name, codes)
		}
	}
}

func TestGuessingCodesIsSlowedDown(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	seed, _ := d.owner(t, "ann@example.com", "Acme").enrolled(t)
	p := d.challenged(t)
	var err error
	for range 7 {
		if err = p.secondStep(t, "111111"); connect.CodeOf(err) == connect.CodeResourceExhausted {
			break
		}
	}
	ce := wantCode(t, "the seventh guess", err, connect.CodeResourceExhausted)
	if ce.Meta().Get("Retry-After") == "" {
		t.Errorf("no time is told: %v", ce)
	}
	wantCode(t, "the right code meanwhile", d.challenged(t).secondStep(t, code(t, seed, 0)), connect.CodeResourceExhausted)
	d.exec(t, `UPDATE second_factors SET blocked_until = now()`)
	if err := d.challenged(t).secondStep(t, code(t, seed, 0)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if n := d.rows(t, `SELECT failures::text FROM second_factors`); n[0] != "0" {
		t.Errorf("%s failures after a right code", n[0])
	}
}

func TestTurningItOffAndOtherCodes(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	seed, recovery := ann.enrolled(t)
	_, err := ann.factor.RegenerateRecoveryCodes(t.Context(), &adminv1.RegenerateRecoveryCodesRequest{Password: password, Code: "999999"})
	wantViolation(t, "without a code", err, connect.CodeInvalidArgument, "code", "not right")
	other, err := ann.factor.RegenerateRecoveryCodes(t.Context(), &adminv1.RegenerateRecoveryCodesRequest{Password: password, Code: code(t, seed, 0)})
	if err != nil || len(other.GetRecoveryCodes()) != 10 {
		t.Fatalf("%v, %v", other, err)
	}
	off := func(password, code string) error {
		_, err := ann.factor.DisableSecondFactor(t.Context(), &adminv1.DisableSecondFactorRequest{Password: password, Code: code})
		return err
	}
	wantViolation(t, "a code of before", off(password, recovery[0]), connect.CodeInvalidArgument, "code", "not right")
	wantViolation(t, "without the password", off("wrong", other.GetRecoveryCodes()[0]), connect.CodeInvalidArgument, "password", "not the password")
	if err := off(password, other.GetRecoveryCodes()[0]); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "twice", off(password, other.GetRecoveryCodes()[1]), connect.CodeFailedPrecondition)
	if err := d.stranger(t).logIn(t, "ann@example.com", password); err != nil {
		t.Error(err)
	}
	d.nextMail(t, "ann@example.com", "Two-factor login is off")
}

func TestTheCookieBetweenTheSteps(t *testing.T) {
	d := newDesk(t, "https://peal.example.com")
	body := `{"email":"ann@example.com","password":"` + password + `","tenantName":"Acme"}`
	if resp := post(t, d, "AuthService/SignUp", body, nil); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	d.exec(t, `INSERT INTO second_factors (user_id, sealed, sealed_with, confirmed_at) SELECT id, '', '', now() FROM users`)
	resp := post(t, d, "AuthService/LogIn", `{"email":"ann@example.com","password":"`+password+`"}`, nil)
	got := resp.Header.Values("Set-Cookie")
	if len(got) != 1 {
		t.Fatalf("cookies %q", got)
	}
	for _, part := range []string{"__Host-peal_session_login=", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=300", "Path=/"} {
		if !strings.Contains(got[0], part) {
			t.Errorf("cookie %q lacks %q", got[0], part)
		}
	}
}

// TestWhoDoesNotOwnAnAddressLocksNobodyOut: neither by a second factor, nor by one from a time when addresses were not verified.
func TestWhoDoesNotOwnAnAddressLocksNobodyOut(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	squatter := d.signedUp(t, "ann@example.com", "Acme")
	_, err := squatter.factor.BeginSecondFactor(t.Context(), &adminv1.BeginSecondFactorRequest{Password: password})
	wantCode(t, "with an address that is not verified", err, connect.CodeFailedPrecondition)
	d.verified(t)
	squatter.enrolled(t)
	d.exec(t, `UPDATE users SET email_verified_at = NULL`)
	d.reset(t, "ann@example.com")
	if resp, err := d.stranger(t).auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: "ann@example.com", Password: another}); err != nil || resp.GetSecondFactorRequired() {
		t.Errorf("the owner of the address: %v, %v", resp, err)
	}
	if n := d.rows(t, `SELECT purpose FROM user_links`); len(n) > 0 {
		t.Errorf("links are left: %v", n)
	}
}

// TestARecoveryCodeIsShownWhateverHappens after the factor is on.
func TestARecoveryCodeIsShownWhateverHappens(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	d.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`)
	d.exec(t, `CREATE TRIGGER refuse BEFORE UPDATE OF token_hash ON sessions FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if _, codes := ann.enrolled(t); len(codes) != 10 {
		t.Errorf("codes %v", codes)
	}
	if !strings.Contains(d.log.String(), "session keeps its token") {
		t.Error("not logged")
	}
}
