package adminapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"

	adminapi "github.com/pealhq/peal/admin-api"
	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/admin-api/gen/peal/admin/v1/adminv1connect"
	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgaudit"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgpeople"
	"github.com/pealhq/peal/tenants/pgplatform"
	"github.com/pealhq/peal/tenants/pgstore"
	"github.com/pealhq/peal/tenants/pgtokens"
	"github.com/pealhq/peal/usage/pgusage"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// desk is the API in front of a real database, with what it logged and published.
type desk struct {
	*httptest.Server
	databaseURL string
	log         *lockedBuffer
	published   *published
	live        *live
	outbox      *pgoutbox.Outbox
}

// live knows what is going on, by app or tenant, or is away.
type live struct {
	connections, messages map[string]int
	err                   error
}

func (l *live) Connections(_ context.Context, appID string) (int, error) {
	return l.connections[appID], l.err
}

func (l *live) MessagesToday(_ context.Context, owner string) (int, error) {
	return l.messages[owner], l.err
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// published keeps what was published, or refuses it.
type published struct {
	mu   sync.Mutex
	err  error
	last []string
}

func (p *published) Publish(_ context.Context, app *tenants.App, channel, name, data string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = []string{app.ID, channel, name, data}
	return p.err
}

func newDesk(t *testing.T, controlURL string, changes ...func(*adminapi.Config)) *desk {
	t.Helper()
	d := &desk{databaseURL: testenv.Postgres(t), log: &lockedBuffer{}, published: &published{}, live: &live{connections: map[string]int{}, messages: map[string]int{}}}
	sealer, err := tenants.NewSealer(tenants.NewKeyEncryptionKey())
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgdb.Open(t.Context(), d.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	u, err := url.Parse(controlURL)
	if err != nil {
		t.Fatal(err)
	}
	outbox := pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer})
	d.outbox = outbox
	cfg := adminapi.Config{
		Store:      pgstore.New(pgstore.Config{DB: db, Sealer: sealer}),
		Audit:      pgaudit.New(db),
		Usage:      pgusage.New(db),
		Live:       d.live,
		Operations: pgplatform.New(db),
		People:     pgpeople.New(pgpeople.Config{DB: db, Outbox: outbox, Sealer: sealer}),
		Tokens:     pgtokens.New(db),
		Passwords:  tenants.NewPasswords(2), Publisher: d.published,
		Logger:     slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ControlURL: u,
		Edge:       func(host string) adminapi.Edge { return adminapi.Edge{Host: host, Port: 6001} },
		Version:    "test",
		SendsMail:  true,
	}
	for _, change := range changes {
		change(&cfg)
	}
	h, err := adminapi.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(h)
	t.Cleanup(d.Close)
	return d
}

// person is one browser.
type person struct {
	http     *http.Client
	base     string
	auth     adminv1connect.AuthServiceClient
	apps     adminv1connect.AppServiceClient
	keys     adminv1connect.KeyServiceClient
	event    adminv1connect.EventServiceClient
	settings adminv1connect.SettingsServiceClient
	audit    adminv1connect.AuditServiceClient
	usage    adminv1connect.UsageServiceClient
	members  adminv1connect.MemberServiceClient
	invites  adminv1connect.InvitationServiceClient
	profile  adminv1connect.ProfileServiceClient
	factor   adminv1connect.SecondFactorServiceClient
	tokens   adminv1connect.TokenServiceClient
	plans    adminv1connect.PlanServiceClient
	operate  adminv1connect.OperatorServiceClient
}

func (d *desk) stranger(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	base := d.URL + adminapi.Prefix
	return &person{
		http: c, base: base,
		auth:     adminv1connect.NewAuthServiceClient(c, base),
		apps:     adminv1connect.NewAppServiceClient(c, base),
		keys:     adminv1connect.NewKeyServiceClient(c, base),
		event:    adminv1connect.NewEventServiceClient(c, base),
		settings: adminv1connect.NewSettingsServiceClient(c, base),
		audit:    adminv1connect.NewAuditServiceClient(c, base),
		usage:    adminv1connect.NewUsageServiceClient(c, base),
		members:  adminv1connect.NewMemberServiceClient(c, base),
		invites:  adminv1connect.NewInvitationServiceClient(c, base),
		profile:  adminv1connect.NewProfileServiceClient(c, base),
		factor:   adminv1connect.NewSecondFactorServiceClient(c, base),
		tokens:   adminv1connect.NewTokenServiceClient(c, base),
		plans:    adminv1connect.NewPlanServiceClient(c, base),
		operate:  adminv1connect.NewOperatorServiceClient(c, base),
	}
}

const password = "tidal-otter-lamp-nine"

func (d *desk) signedUp(t *testing.T, email, tenant string) *person {
	t.Helper()
	p := d.stranger(t)
	if _, err := p.auth.SignUp(t.Context(), &adminv1.SignUpRequest{Email: email, Password: password, TenantName: tenant}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) app(t *testing.T, name string) (*adminv1.App, *adminv1.Key) {
	t.Helper()
	resp, err := p.apps.CreateApp(t.Context(), &adminv1.CreateAppRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetApp(), resp.GetKey()
}

func wantCode(t *testing.T, what string, err error, code connect.Code) *connect.Error {
	t.Helper()
	var ce *connect.Error
	if !errors.As(err, &ce) || ce.Code() != code {
		t.Errorf("%s: %v, want %v", what, err, code)
		return connect.NewError(connect.CodeUnknown, nil)
	}
	return ce
}

// wantViolation checks that an error names a field in the way that forms understand.
func wantViolation(t *testing.T, what string, err error, code connect.Code, field, text string) {
	t.Helper()
	for _, detail := range wantCode(t, what, err, code).Details() {
		v, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		violations, ok := v.(*validate.Violations)
		if !ok || len(violations.GetViolations()) == 0 {
			continue
		}
		got := violations.GetViolations()[0]
		if name := pathText(got.GetField()); name != field || !strings.Contains(got.GetMessage(), text) {
			t.Errorf("%s: %s: %s; want %s: …%s…", what, name, got.GetMessage(), field, text)
		}
		return
	}
	t.Errorf("%s: %v names no field", what, err)
}

func pathText(p *validate.FieldPath) string {
	var names []string
	for _, e := range p.GetElements() {
		name := e.GetFieldName()
		if i, ok := e.GetSubscript().(*validate.FieldPathElement_Index); ok {
			name += fmt.Sprintf("[%d]", i.Index)
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

func TestSignUpLogInLogOut(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann := d.signedUp(t, "Ann@Example.com", "  Acme  ")
	me, err := ann.auth.WhoAmI(ctx, &adminv1.WhoAmIRequest{})
	if err != nil {
		t.Fatal(err)
	}
	a := me.GetAccount()
	if a.GetEmail() != "ann@example.com" || a.GetTenantName() != "Acme" || a.GetRole() != "owner" || len(a.GetPermissions()) != len(tenants.RoleOwner.Permissions()) || a.GetEmailVerified() {
		t.Errorf("account %v", a)
	}
	if _, err := ann.auth.LogOut(ctx, &adminv1.LogOutRequest{}); err != nil {
		t.Fatal(err)
	}
	_, err = ann.auth.WhoAmI(ctx, &adminv1.WhoAmIRequest{})
	wantCode(t, "after log-out", err, connect.CodeUnauthenticated)
	if _, err := ann.auth.LogIn(ctx, &adminv1.LogInRequest{Email: " ann@example.COM ", Password: password}); err != nil {
		t.Errorf("log in: %v", err)
	}
	if _, err := ann.auth.WhoAmI(ctx, &adminv1.WhoAmIRequest{}); err != nil {
		t.Errorf("after log-in: %v", err)
	}
	if _, err := d.stranger(t).auth.LogOut(ctx, &adminv1.LogOutRequest{}); err != nil {
		t.Errorf("log out without a session: %v", err)
	}
}

func TestLogInTellsNothing(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	d.signedUp(t, "ann@example.com", "Acme")
	p := d.stranger(t)
	_, wrong := p.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: "ann@example.com", Password: "not-the-password"})
	_, nobody := p.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: "nobody@example.com", Password: "not-the-password"})
	wantCode(t, "wrong password", wrong, connect.CodeUnauthenticated)
	wantCode(t, "no such user", nobody, connect.CodeUnauthenticated)
	if wrong.Error() != nobody.Error() {
		t.Errorf("%q and %q tell whether an address has an account", wrong, nobody)
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	ann.app(t, "Chat")
	signUp := func(email, password, tenant string) error {
		_, err := d.stranger(t).auth.SignUp(t.Context(), &adminv1.SignUpRequest{Email: email, Password: password, TenantName: tenant})
		return err
	}
	create := func(name string) error {
		_, err := ann.apps.CreateApp(t.Context(), &adminv1.CreateAppRequest{Name: name})
		return err
	}
	list := func(size int32, token string) error {
		_, err := ann.apps.ListApps(t.Context(), &adminv1.ListAppsRequest{PageSize: size, PageToken: token})
		return err
	}
	invalid, taken := connect.CodeInvalidArgument, connect.CodeAlreadyExists
	for _, c := range []struct {
		what        string
		err         error
		code        connect.Code
		field, text string
	}{
		{"no address", signUp("", password, "x"), invalid, "email", "not an email address"},
		{"a broken address", signUp("ann@", password, "x"), invalid, "email", "not an email address"},
		{"a name and address", signUp("Ann <a@example.com>", password, "x"), invalid, "email", "not an email address"},
		{"a taken address", signUp("ann@example.com", password, "x"), taken, "email", "log in instead"},
		{"a taken address in capitals", signUp("ANN@EXAMPLE.COM", password, "x"), taken, "email", "log in instead"},
		{"a short password", signUp("bo@example.com", "short", "x"), invalid, "password", "8 to 256"},
		{"a common password", signUp("bo@example.com", "password123", "x"), invalid, "password", "easy to guess"},
		{"the address as password", signUp("bo@example.com", "bo@example.com", "x"), invalid, "password", "easy to guess"},
		{"a huge password", signUp("bo@example.com", strings.Repeat("x", 257), "x"), invalid, "password", "8 to 256"},
		{"no tenant name", signUp("bo@example.com", password, ""), invalid, "tenant_name", "1 to 60"},
		{"a blank tenant name", signUp("bo@example.com", password, " \t "), invalid, "tenant_name", "1 to 60"},
		{"no app name", create(""), invalid, "name", "1 to 60"},
		{"a blank app name", create("   "), invalid, "name", "1 to 60"},
		{"a long app name", create(strings.Repeat("ä", 61)), invalid, "name", "1 to 60"},
		{"a control character", create("a\x00b"), invalid, "name", "control"},
		{"a taken app name", create("chat"), taken, "name", "another app"},
		{"a negative page", list(-1, ""), invalid, "page_size", ""},
		{"a huge page", list(1000, ""), invalid, "page_size", ""},
		{"a made-up token", list(10, "bm9uc2Vuc2U"), invalid, "page_token", ""},
		{"a broken token", list(10, "%%%"), invalid, "page_token", ""},
	} {
		wantViolation(t, c.what, c.err, c.code, c.field, c.text)
	}
	if err := create(strings.Repeat("ä", 60)); err != nil {
		t.Errorf("60 characters: %v", err)
	}
}

func TestAppsAndKeys(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann := d.signedUp(t, "ann@example.com", "Acme")
	var ids []string
	for _, name := range []string{"one", "two", "three"} {
		app, _ := ann.app(t, name)
		ids = append([]string{app.GetId()}, ids...)
	}
	var got []string
	for token := ""; ; {
		page, err := ann.apps.ListApps(ctx, &adminv1.ListAppsRequest{PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetApps() {
			got = append(got, a.GetId())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("listed %v, want %v", got, ids)
	}
	id := ids[0]
	if resp, err := ann.apps.RenameApp(ctx, &adminv1.RenameAppRequest{AppId: id, Name: " drei "}); err != nil || resp.GetApp().GetName() != "drei" {
		t.Errorf("rename: %v, %v", resp, err)
	}
	created, err := ann.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{AppId: id})
	if err != nil {
		t.Fatal(err)
	}
	key := created.GetKey().GetKey()
	revealed, err := ann.keys.RevealKey(ctx, &adminv1.RevealKeyRequest{AppId: id, Key: key})
	if err != nil || len(revealed.GetSecret()) != 20 {
		t.Errorf("reveal: %v, %v", revealed, err)
	}
	if strings.Contains(d.log.String(), revealed.GetSecret()) || strings.Contains(d.log.String(), password) {
		t.Error("a secret was logged")
	}
	if _, err := ann.keys.RevokeKey(ctx, &adminv1.RevokeKeyRequest{AppId: id, Key: key}); err != nil {
		t.Fatal(err)
	}
	_, err = ann.keys.RevokeKey(ctx, &adminv1.RevokeKeyRequest{AppId: id, Key: key})
	wantCode(t, "revoke twice", err, connect.CodeFailedPrecondition)
	list, err := ann.keys.ListKeys(ctx, &adminv1.ListKeysRequest{AppId: id})
	if err != nil || len(list.GetKeys()) != 2 {
		t.Fatalf("keys %v, %v", list, err)
	}
	if k := list.GetKeys()[1]; k.GetState() != adminv1.KeyState_KEY_STATE_REVOKED || k.GetRevokeTime() == nil {
		t.Errorf("revoked key %v", k)
	}
	if k := list.GetKeys()[0]; k.GetState() != adminv1.KeyState_KEY_STATE_ACTIVE || k.GetRevokeTime() != nil {
		t.Errorf("active key %v", k)
	}
	if _, err := ann.apps.DeleteApp(ctx, &adminv1.DeleteAppRequest{AppId: id}); err != nil {
		t.Fatal(err)
	}
	_, err = ann.apps.GetApp(ctx, &adminv1.GetAppRequest{AppId: id})
	wantCode(t, "a deleted app", err, connect.CodeNotFound)
}

func TestPublishEvent(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	req := &adminv1.PublishEventRequest{AppId: app.GetId(), Channel: "my-channel", Name: "my-event", Data: `{"a":1}`}
	if _, err := ann.event.PublishEvent(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(d.published.last, "|"); got != app.GetId()+`|my-channel|my-event|{"a":1}` {
		t.Errorf("published %s", got)
	}
	d.published.err = tenants.Invalid("channel", "has a space")
	_, err := ann.event.PublishEvent(t.Context(), req)
	wantViolation(t, "a bad channel", err, connect.CodeInvalidArgument, "channel", "has a space")
	d.published.err = tenants.ErrUnavailable
	_, err = ann.event.PublishEvent(t.Context(), req)
	wantCode(t, "the bus is away", err, connect.CodeUnavailable)
	d.published.err = errors.New("pg: password of table secrets")
	_, err = ann.event.PublishEvent(t.Context(), req)
	if ce := wantCode(t, "something unforeseen", err, connect.CodeInternal); strings.Contains(ce.Message(), "secrets") {
		t.Errorf("the inside was told: %s", ce.Message())
	}
	if !strings.Contains(d.log.String(), "password of table secrets") {
		t.Error("what was not told was not logged either")
	}
	req.Data = strings.Repeat("x", 10241)
	_, err = ann.event.PublishEvent(t.Context(), req)
	wantViolation(t, "too much data", err, connect.CodeInvalidArgument, "data", "")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	logIn := func(p *person, email string) error {
		_, err := p.auth.LogIn(t.Context(), &adminv1.LogInRequest{Email: email, Password: "x"})
		return err
	}
	for name, try := range map[string]func(p *person, i int) error{
		"one account":   func(p *person, _ int) error { return logIn(p, "ann@example.com") },
		"many accounts": func(p *person, i int) error { return logIn(p, fmt.Sprintf("ann%d@example.com", i)) },
		"sign-ups": func(p *person, i int) error {
			// Refused for the password, which costs nobody anything, and counted all the same.
			_, err := p.auth.SignUp(t.Context(), &adminv1.SignUpRequest{Email: fmt.Sprintf("bo%d@example.com", i), Password: "password1", TenantName: "x"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "http://localhost:6002")
			p := d.stranger(t)
			var limited *connect.Error
			for i := range 60 {
				if err := try(p, i); connect.CodeOf(err) == connect.CodeResourceExhausted {
					errors.As(err, &limited)
					break
				}
			}
			if limited == nil {
				t.Fatal("sixty attempts were answered")
			}
			if limited.Meta().Get("Retry-After") == "" || !strings.Contains(limited.Message(), "seconds") {
				t.Errorf("%v, Retry-After %q", limited, limited.Meta().Get("Retry-After"))
			}
		})
	}
}

func TestCookie(t *testing.T) {
	for base, want := range map[string][]string{
		"http://localhost:6002":    {"peal_session_6002=", "HttpOnly", "SameSite=Lax", "Path=/"},
		"https://peal.example.com": {"__Host-peal_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Secure"},
	} {
		d := newDesk(t, base)
		resp := post(t, d, "AuthService/SignUp", `{"email":"ann@example.com","password":"`+password+`","tenantName":"Acme"}`, nil)
		cookie := resp.Header.Get("Set-Cookie")
		for _, part := range want {
			if !strings.Contains(cookie, part) {
				t.Errorf("%s: cookie %q lacks %q", base, cookie, part)
			}
		}
		if strings.HasPrefix(base, "http:") && strings.Contains(cookie, "Secure") {
			t.Errorf("%s: cookie %q would not be sent back", base, cookie)
		}
	}
}

func post(t *testing.T, d *desk, method, body string, header map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+adminapi.Prefix+"/peal.admin.v1."+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Connect-Protocol-Version", "1")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestOtherSitesMayNotCall(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"a tool":                   {nil, 200},
		"the dashboard":            {map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"another site":             {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a sibling":                {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"an old browser elsewhere": {map[string]string{"Origin": "https://evil.example"}, 403},
		"no origin at all":         {map[string]string{"Origin": "null"}, 403},
		"a form":                   {map[string]string{"Content-Type": "text/plain"}, 415},
		"no Connect header":        {map[string]string{"Connect-Protocol-Version": ""}, 400},
	} {
		if resp := post(t, d, "AuthService/LogOut", `{}`, c.header); resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, c.status)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	resp := post(t, d, "AuthService/LogIn", `{"email":"`+strings.Repeat("x", 300<<10)+`"}`, nil)
	var answer struct{ Code string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Code != "resource_exhausted" {
		t.Errorf("a huge request: %d %+v %v", resp.StatusCode, answer, err)
	}
	for _, body := range []string{"", "{", "null", `{"email":1}`, `{"nosuchfield":1}`, "\x00\xff"} {
		resp := post(t, d, "AuthService/LogIn", body, nil)
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 400 || bytes.Contains(text, []byte("goroutine")) {
			t.Errorf("%q: %d %s", body, resp.StatusCode, text)
		}
		if resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%q: no request id", body)
		}
	}
}
