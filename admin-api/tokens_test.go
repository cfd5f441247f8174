package adminapi_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// bearer sends a token with every request.
type bearer struct{ text string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.text)
	return http.DefaultTransport.RoundTrip(r)
}

// withToken returns a program that calls with a token.
func (d *desk) withToken(t *testing.T, text string) *person {
	t.Helper()
	p := d.stranger(t)
	p.http.Transport = bearer{text}
	return p
}

func (p *person) newToken(t *testing.T, days int32, scopes ...adminv1.Permission) *adminv1.CreateTokenResponse {
	t.Helper()
	resp, err := p.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "deploy", Scopes: scopes, ExpireDays: days})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

const (
	appsRead  = adminv1.Permission_PERMISSION_APPS_READ
	appsWrite = adminv1.Permission_PERMISSION_APPS_WRITE
)

func TestATokenCalls(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	_, err := ann.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "deploy", Scopes: []adminv1.Permission{appsRead}})
	wantCode(t, "with an address that is not verified", err, connect.CodeFailedPrecondition)
	d.verified(t)
	made := ann.newToken(t, 0, appsRead, appsWrite)
	if !regexp.MustCompile(`^peal_[0-9A-Za-z]{43}$`).MatchString(made.GetText()) || made.GetToken().GetHint() != made.GetText()[:9] {
		t.Errorf("token %q, hint %q", made.GetText(), made.GetToken().GetHint())
	}
	if days := time.Until(made.GetToken().GetExpireTime().AsTime()).Hours() / 24; days < 89.9 || days > 90 {
		t.Errorf("good for %f days", days)
	}
	program := d.withToken(t, made.GetText())
	a := program.account(t)
	if a.GetEmail() != "ann@example.com" || a.GetToken().GetName() != "deploy" || !a.GetToken().GetExpireTime().AsTime().Equal(made.GetToken().GetExpireTime().AsTime()) ||
		!slices.Equal(a.GetPermissions(), []adminv1.Permission{appsRead, appsWrite}) {
		t.Errorf("who calls: %v", a)
	}
	app, _ := program.app(t, "Made by a program")
	if got := d.rows(t, `SELECT via || ' ' || (user_id IS NOT NULL) FROM audit WHERE action = 'app.created'`); len(got) != 1 || got[0] != "token true" {
		t.Errorf("audited %q", got)
	}
	_, err = program.apps.DeleteApp(t.Context(), &adminv1.DeleteAppRequest{AppId: app.GetId()})
	if ce := wantCode(t, "what is no scope", err, connect.CodePermissionDenied); !strings.Contains(ce.Message(), "apps.delete") || !strings.Contains(ce.Message(), "deploy") {
		t.Error(ce)
	}
	d.holdsNone(t, made.GetText(), made.GetText()[9:])

	list, err := ann.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	if err != nil || len(list.GetTokens()) != 1 || list.GetTokens()[0].GetLastUsedTime() == nil || list.GetTokens()[0].GetLastUsedIp() != "127.0.0.1" || !list.GetTokens()[0].GetOwn() {
		t.Fatalf("list %v, %v", list, err)
	}
	used := func() string { return d.rows(t, `SELECT last_used_at::text FROM api_tokens`)[0] }
	before := used()
	program.account(t)
	if used() != before {
		t.Error("each use is written down")
	}
	d.exec(t, `UPDATE api_tokens SET last_used_at = now() - interval '2 minutes'`)
	before = used()
	program.account(t)
	if used() == before {
		t.Error("a use after two minutes is not written down")
	}
	if _, err := ann.tokens.RevokeToken(t.Context(), &adminv1.RevokeTokenRequest{TokenId: made.GetToken().GetId()}); err != nil {
		t.Fatal(err)
	}
	_, err = program.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "a revoked token", err, connect.CodeUnauthenticated)
}

func TestATokenIsNoMoreThanItsOwner(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.joined(t, ann, "bo@example.com", "developer")
	_, err := bo.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "x", Scopes: []adminv1.Permission{appsRead, adminv1.Permission_PERMISSION_APPS_DELETE}})
	wantViolation(t, "more than the role", err, connect.CodeInvalidArgument, "scopes", "apps.delete")
	for _, scope := range []adminv1.Permission{
		adminv1.Permission_PERMISSION_TENANT_TRANSFER, adminv1.Permission_PERMISSION_TOKENS_MANAGE, adminv1.Permission_PERMISSION_SESSION, adminv1.Permission_PERMISSION_PUBLIC,
	} {
		_, err := ann.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "x", Scopes: []adminv1.Permission{scope}})
		wantViolation(t, scope.String(), err, connect.CodeInvalidArgument, "scopes", "no API token")
	}
	_, err = ann.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "x", Scopes: []adminv1.Permission{appsRead}, ExpireDays: 366})
	wantViolation(t, "more than a year", err, connect.CodeInvalidArgument, "expire_days", "")

	program := d.withToken(t, bo.newToken(t, 365, appsRead, appsWrite).GetText())
	program.app(t, "one")
	if _, err := ann.members.ChangeMemberRole(t.Context(), &adminv1.ChangeMemberRoleRequest{UserId: bo.account(t).GetUserId(), Role: "viewer"}); err != nil {
		t.Fatal(err)
	}
	_, err = program.apps.CreateApp(t.Context(), &adminv1.CreateAppRequest{Name: "two"})
	wantCode(t, "after its owner was lowered", err, connect.CodePermissionDenied)
	if _, err := program.apps.ListApps(t.Context(), &adminv1.ListAppsRequest{}); err != nil {
		t.Error(err)
	}
	if got := program.account(t).GetPermissions(); !slices.Equal(got, []adminv1.Permission{appsRead}) {
		t.Errorf("may %v", got)
	}
	d.exec(t, `UPDATE api_tokens SET expires_at = now()`)
	_, err = program.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	wantCode(t, "a token that is over", err, connect.CodeUnauthenticated)
}

func TestWhoSeesWhichTokens(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.joined(t, ann, "bo@example.com", "developer")
	anns, bos := ann.newToken(t, 1, appsRead), bo.newToken(t, 1, appsRead)
	count := func(p *person) int {
		list, err := p.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.GetTokens())
	}
	if a, b := count(ann), count(bo); a != 2 || b != 1 {
		t.Errorf("an owner sees %d tokens and a developer %d", a, b)
	}
	_, err := bo.tokens.RevokeToken(t.Context(), &adminv1.RevokeTokenRequest{TokenId: anns.GetToken().GetId()})
	wantCode(t, "a developer revokes an owner's", err, connect.CodeNotFound)
	if _, err := ann.tokens.RevokeToken(t.Context(), &adminv1.RevokeTokenRequest{TokenId: bos.GetToken().GetId()}); err != nil {
		t.Error(err)
	}
}

// TestWhatNoTokenMayDo walks the methods that want a session: no token may call one, whatever its scopes are.
func TestWhatNoTokenMayDo(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	list, err := ann.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	if err != nil {
		t.Fatal(err)
	}
	program := d.withToken(t, ann.newToken(t, 1, list.GetGrantable()...).GetText())
	refused := []string{}
	for _, m := range methods() {
		switch permission(m) {
		case adminv1.Permission_PERMISSION_SESSION, adminv1.Permission_PERMISSION_TENANT_TRANSFER, adminv1.Permission_PERMISSION_TOKENS_MANAGE:
			wantCode(t, string(m.FullName()), program.call(t.Context(), m, nil), connect.CodePermissionDenied)
			refused = append(refused, string(m.Name()))
		case adminv1.Permission_PERMISSION_PUBLIC, adminv1.Permission_PERMISSION_SIGNED_IN:
		default:
			if err := program.call(t.Context(), m, nil); connect.CodeOf(err) == connect.CodePermissionDenied && slices.Contains(list.GetGrantable(), permission(m)) {
				t.Errorf("%s: %v", m.FullName(), err)
			}
		}
	}
	for _, name := range []string{"CreateToken", "ChangePassword", "ChangeEmail", "BeginSecondFactor", "DisableSecondFactor", "RegenerateRecoveryCodes", "TransferOwnership", "SwitchTenant", "RevokeSession"} {
		if !slices.Contains(refused, name) {
			t.Errorf("%s is not among what no token may do", name)
		}
	}
}

// TestATokenSeesAndEndsOnlyThoseOfItsOwner, though its owner may manage those of all.
func TestATokenSeesAndEndsOnlyThoseOfItsOwner(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo := d.owner(t, "bo@example.com", "Bolt")
	d.exec(t, `INSERT INTO memberships (tenant_id, user_id, role) SELECT t.id, u.id, 'developer' FROM tenants t, users u WHERE t.name = 'Acme' AND u.email = 'bo@example.com'`)
	d.exec(t, `UPDATE sessions SET tenant_id = (SELECT id FROM tenants WHERE name = 'Acme') WHERE user_id = (SELECT id FROM users WHERE email = 'bo@example.com')`)
	own, bos := ann.newToken(t, 1, appsRead), bo.newToken(t, 1, appsRead)
	program := d.withToken(t, own.GetText())
	list, err := program.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	if err != nil || len(list.GetTokens()) != 1 || list.GetTokens()[0].GetId() != own.GetToken().GetId() {
		t.Errorf("listed %v, %v", list, err)
	}
	_, err = program.tokens.RevokeToken(t.Context(), &adminv1.RevokeTokenRequest{TokenId: bos.GetToken().GetId()})
	wantCode(t, "another member's token", err, connect.CodeNotFound)
	if _, err := program.tokens.RevokeToken(t.Context(), &adminv1.RevokeTokenRequest{TokenId: own.GetToken().GetId()}); err != nil {
		t.Error(err)
	}
	_, err = program.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	wantCode(t, "after it has ended itself", err, connect.CodeUnauthenticated)
}

func TestTokensInHeaders(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	text := ann.newToken(t, 1, appsRead).GetText()
	who := func(header map[string]string) *http.Response { return post(t, d, "AuthService/WhoAmI", `{}`, header) }
	session := "peal_session_6002=" + ann.cookie(t)
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"a token":                         {map[string]string{"Authorization": "Bearer " + text}, 200},
		"in lower case":                   {map[string]string{"Authorization": "bearer " + text}, 200},
		"cut short":                       {map[string]string{"Authorization": "Bearer " + text[:47]}, 401},
		"nothing":                         {map[string]string{"Authorization": "Bearer "}, 401},
		"a session's token":               {map[string]string{"Authorization": "Bearer " + ann.cookie(t)}, 401},
		"a token as a cookie":             {map[string]string{"Cookie": "peal_session_6002=" + text}, 401},
		"a bad token and a good session":  {map[string]string{"Authorization": "Bearer x", "Cookie": session}, 401},
		"a proxy's scheme and a session":  {map[string]string{"Authorization": "Basic eDp5", "Cookie": session}, 200},
		"a token from another site":       {map[string]string{"Authorization": "Bearer " + text, "Sec-Fetch-Site": "cross-site"}, 403},
		"a token from an old, other site": {map[string]string{"Authorization": "Bearer " + text, "Origin": "https://evil.example"}, 403},
	} {
		if resp := who(c.header); resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, c.status)
		}
	}
	// CORS is not opened: a browser asks first, and is not told yes.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, d.URL+"/api/peal.admin.v1.AuthService/WhoAmI", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "authorization,connect-protocol-version,content-type")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a preflight is answered with %s", name)
		}
	}
}

func TestTokensOfAUserAreBounded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	for range tenants.MaxUserTokens {
		ann.newToken(t, 1, appsRead)
	}
	_, err := ann.tokens.CreateToken(t.Context(), &adminv1.CreateTokenRequest{Name: "x", Scopes: []adminv1.Permission{appsRead}})
	if ce := wantCode(t, "one more", err, connect.CodeResourceExhausted); !strings.Contains(ce.Message(), "revoke one first") {
		t.Error(ce)
	}
}

// TestATokenMakesNobodyMoreThanItself, though its owner may make and unmake anybody.
func TestATokenMakesNobodyMoreThanItself(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.owner(t, "ann@example.com", "Acme")
	bo, cy := d.joined(t, ann, "bo@example.com", "admin"), d.joined(t, ann, "cy@example.com", "viewer")
	waits := ann.invite(t, "dee@example.com", "admin").GetInvitation().GetId()
	list, err := ann.tokens.ListTokens(t.Context(), &adminv1.ListTokensRequest{})
	if err != nil {
		t.Fatal(err)
	}
	few := d.withToken(t, ann.newToken(t, 1, appsRead, adminv1.Permission_PERMISSION_KEYS_READ, adminv1.Permission_PERMISSION_MEMBERS_READ,
		adminv1.Permission_PERMISSION_USAGE_READ, adminv1.Permission_PERMISSION_MEMBERS_WRITE).GetText())
	all := d.withToken(t, ann.newToken(t, 1, list.GetGrantable()...).GetText())
	invite := func(p *person, email, role string) error {
		_, err := p.invites.CreateInvitation(t.Context(), &adminv1.CreateInvitationRequest{Email: email, Role: role})
		return err
	}
	change := func(p *person, user *person, role string) error {
		_, err := p.members.ChangeMemberRole(t.Context(), &adminv1.ChangeMemberRoleRequest{UserId: user.account(t).GetUserId(), Role: role})
		return err
	}
	denied := connect.CodePermissionDenied
	wantCode(t, "few scopes invite a developer", invite(few, "eve@example.com", "developer"), denied)
	wantCode(t, "few scopes raise to developer", change(few, cy, "developer"), denied)
	for _, role := range []string{"owner", "admin"} {
		wantCode(t, "invites "+role, invite(all, "eve@example.com", role), denied)
		wantCode(t, "raises to "+role, change(all, cy, role), denied)
	}
	wantCode(t, "lowers an admin", change(all, bo, "viewer"), denied)
	wantCode(t, "lowers its owner", change(all, ann, "viewer"), denied)
	_, err = all.members.RemoveMember(t.Context(), &adminv1.RemoveMemberRequest{UserId: bo.account(t).GetUserId()})
	wantCode(t, "removes an admin", err, denied)
	_, err = all.invites.ResendInvitation(t.Context(), &adminv1.ResendInvitationRequest{InvitationId: waits})
	wantCode(t, "sends an admin's invitation", err, denied)
	if err := invite(few, "eve@example.com", "viewer"); err != nil {
		t.Error(err)
	}
	if err := change(all, cy, "developer"); err != nil {
		t.Error(err)
	}
}
