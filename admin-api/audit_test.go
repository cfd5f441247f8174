package adminapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// write prepares what one method needs to change something, and returns the call of it.
type write func(t *testing.T, p *person) func(context.Context) error

// onApp is a write of an app that is made for it.
func onApp(f func(ctx context.Context, p *person, app *adminv1.App, key *adminv1.Key) error) write {
	return func(t *testing.T, p *person) func(context.Context) error {
		t.Helper()
		app, key := p.app(t, "App "+strconv.FormatInt(time.Now().UnixNano(), 36))
		return func(ctx context.Context) error { return f(ctx, p, app, key) }
	}
}

// writes has a case for every method that changes the control plane, by its name.
func writes() map[string]write {
	cases := map[string]write{
		"AppService.CreateApp": func(_ *testing.T, p *person) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := p.apps.CreateApp(ctx, &adminv1.CreateAppRequest{Name: "New " + strconv.FormatInt(time.Now().UnixNano(), 36)})
				return err
			}
		},
		"AppService.RenameApp": onApp(func(ctx context.Context, p *person, app *adminv1.App, _ *adminv1.Key) error {
			_, err := p.apps.RenameApp(ctx, &adminv1.RenameAppRequest{AppId: app.GetId(), Name: app.GetName() + "!"})
			return err
		}),
		"AppService.DisableApp": onApp(func(ctx context.Context, p *person, app *adminv1.App, _ *adminv1.Key) error {
			_, err := p.apps.DisableApp(ctx, &adminv1.DisableAppRequest{AppId: app.GetId()})
			return err
		}),
		"AppService.EnableApp": func(t *testing.T, p *person) func(context.Context) error {
			t.Helper()
			app, _ := p.app(t, "Disabled "+strconv.FormatInt(time.Now().UnixNano(), 36))
			if _, err := p.apps.DisableApp(t.Context(), &adminv1.DisableAppRequest{AppId: app.GetId()}); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error {
				_, err := p.apps.EnableApp(ctx, &adminv1.EnableAppRequest{AppId: app.GetId()})
				return err
			}
		},
		"AppService.DeleteApp": onApp(func(ctx context.Context, p *person, app *adminv1.App, _ *adminv1.Key) error {
			_, err := p.apps.DeleteApp(ctx, &adminv1.DeleteAppRequest{AppId: app.GetId()})
			return err
		}),
		"KeyService.CreateKey": onApp(func(ctx context.Context, p *person, app *adminv1.App, _ *adminv1.Key) error {
			_, err := p.keys.CreateKey(ctx, &adminv1.CreateKeyRequest{AppId: app.GetId()})
			return err
		}),
		"KeyService.RevealKey": onApp(func(ctx context.Context, p *person, app *adminv1.App, key *adminv1.Key) error {
			_, err := p.keys.RevealKey(ctx, &adminv1.RevealKeyRequest{AppId: app.GetId(), Key: key.GetKey()})
			return err
		}),
		"KeyService.RevokeKey": onApp(func(ctx context.Context, p *person, app *adminv1.App, key *adminv1.Key) error {
			_, err := p.keys.RevokeKey(ctx, &adminv1.RevokeKeyRequest{AppId: app.GetId(), Key: key.GetKey()})
			return err
		}),
		"UsageService.UpdateAlertSettings": func(t *testing.T, p *person) func(context.Context) error {
			t.Helper()
			return func(ctx context.Context) error {
				now, err := p.usage.GetAlertSettings(ctx, &adminv1.GetAlertSettingsRequest{})
				if err != nil {
					return err
				}
				want := &adminv1.AlertSettings{ByMail: !now.GetSettings().GetByMail()}
				_, err = p.usage.UpdateAlertSettings(ctx, &adminv1.UpdateAlertSettingsRequest{Settings: want})
				return err
			}
		},
		"KeyService.RenameKey": onApp(func(ctx context.Context, p *person, app *adminv1.App, key *adminv1.Key) error {
			_, err := p.keys.RenameKey(ctx, &adminv1.RenameKeyRequest{AppId: app.GetId(), Key: key.GetKey(), Label: "Billing"})
			return err
		}),
		"KeyService.RotateKey": onApp(func(ctx context.Context, p *person, app *adminv1.App, key *adminv1.Key) error {
			_, err := p.keys.RotateKey(ctx, &adminv1.RotateKeyRequest{AppId: app.GetId(), Key: key.GetKey()})
			return err
		}),
		"KeyService.KeepKey": func(t *testing.T, p *person) func(context.Context) error {
			t.Helper()
			app, key := p.app(t, "Kept "+strconv.FormatInt(time.Now().UnixNano(), 36))
			if _, err := p.keys.RotateKey(t.Context(), &adminv1.RotateKeyRequest{AppId: app.GetId(), Key: key.GetKey()}); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context) error {
				_, err := p.keys.KeepKey(ctx, &adminv1.KeepKeyRequest{AppId: app.GetId(), Key: key.GetKey()})
				return err
			}
		},
		"SettingsService.UpdateAppSettings": onApp(func(ctx context.Context, p *person, app *adminv1.App, _ *adminv1.Key) error {
			on := true
			_, err := p.settings.UpdateAppSettings(ctx, &adminv1.UpdateAppSettingsRequest{
				AppId: app.GetId(), Features: &adminv1.FeatureChanges{Watchlist: &on}, Origins: &adminv1.OriginList{List: []string{"https://example.com"}},
			})
			return err
		}),
	}
	maps.Copy(cases, operatorWrites())
	return cases
}

// unaudited are the methods that change nothing of the control plane, though their names do not say so, with the reason.
var unaudited = map[string]string{
	"AuthService.SignUp": "it makes the tenant whose log it is in; TestSignUpIsAudited has it",
	"AuthService.LogIn":  "a session is no setting of the tenant",
	"AuthService.LogOut": "a session is no setting of the tenant",
	"AuthService.WhoAmI": "it reads",

	"AuthService.LogInSecondFactor":      "a session is no setting of the tenant",
	"ProfileService.SwitchTenant":        "a session is no setting of the tenant",
	"AuthService.ResetPassword":          "another calls it; TestWhatOthersDoIsAudited has it",
	"AuthService.VerifyEmail":            "another calls it; TestWhatOthersDoIsAudited has it",
	"InvitationService.AcceptInvitation": "another calls it; TestWhatOthersDoIsAudited has it",
	"MemberService.LeaveTenant":          "who calls it is gone; TestWhatOthersDoIsAudited has it",

	"EventService.PublishEvent":   "it goes the road of messages, of which there is no log",
	"SettingsService.CheckOrigin": "it stores nothing",
}

func shortName(m protoreflect.MethodDescriptor) string {
	return string(m.Parent().Name()) + "." + string(m.Name())
}

// everyWrite calls f for each method that changes something. A method that neither reads by its name nor is listed fails.
func everyWrite(t *testing.T, d *desk, f func(t *testing.T, prepare write)) {
	t.Helper()
	cases := writes()
	maps.Copy(cases, peopleWrites(d))
	for _, m := range methods() {
		name := shortName(m)
		prepare, known := cases[name]
		delete(cases, name)
		reads := strings.HasPrefix(string(m.Name()), "Get") || strings.HasPrefix(string(m.Name()), "List")
		_, excused := unaudited[name]
		switch {
		case known:
			t.Run(name, func(t *testing.T) { f(t, prepare) })
		case !reads && !excused:
			t.Errorf("%s has no case here: one that shows its audit row, or a reason why there is none", name)
		}
	}
	for name := range cases {
		t.Errorf("%s is no method", name)
	}
}

// auditRow is one as it is stored.
type auditRow struct {
	TenantID, Who, Via, IP, Request, Action, Target, Detail string
}

func (d *desk) auditRows(t *testing.T) []auditRow {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), `
		SELECT tenant_id::text, coalesce(actor_email, ''), via, coalesce(host(ip), ''), coalesce(request_id, ''), action, target, detail::text
		FROM audit
		ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auditRow])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestEveryWriteIsAudited calls every method that changes something, and wants exactly one row that tells who did it, from where,
// and what was and is.
func TestEveryWriteIsAudited(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	d.exec(t, `UPDATE users SET operator = true`) // so that nothing is refused
	everyWrite(t, d, func(t *testing.T, prepare write) {
		act := prepare(t, ann)
		before := len(d.auditRows(t))
		if err := act(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows := d.auditRows(t)[before:]
		if len(rows) != 1 {
			t.Fatalf("%d audit rows: %+v", len(rows), rows)
		}
		r := rows[0]
		if r.Who != "ann@example.com" || r.Via != "dashboard" || r.IP != "127.0.0.1" || r.Request == "" || r.Target == "" {
			t.Errorf("row %+v", r)
		}
		checkDetail(t, r)
	})
}

// checkDetail holds a detail against the shape that all have.
func checkDetail(t *testing.T, r auditRow) {
	t.Helper()
	var detail map[string]any
	if err := json.Unmarshal([]byte(r.Detail), &detail); err != nil {
		t.Fatal(err)
	}
	for name, v := range detail {
		fields, isFields := v.(map[string]any)
		switch name {
		case "app":
			if app, ok := v.(string); !ok || app == "" || app == r.Target {
				t.Errorf("%s: belongs to app %v", r.Action, v)
			}
		case "before", "after":
			if !isFields || len(fields) == 0 {
				t.Errorf("%s: %s is %v, not fields", r.Action, name, v)
			}
		default:
			t.Errorf("%s: has %q, which is no part of a detail", r.Action, name)
		}
	}
	before, _ := detail["before"].(map[string]any)
	after, _ := detail["after"].(map[string]any)
	for name, v := range after {
		if was, there := before[name]; there && cmp.Equal(was, v) {
			t.Errorf("%s: tells of %s, which is as it was", r.Action, name)
		}
	}
}

// TestNoWriteWithoutItsRow: where the audit row cannot be written nothing is, so that both are one transaction.
func TestNoWriteWithoutItsRow(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	d.exec(t, `UPDATE users SET operator = true`) // so that nothing is refused
	d.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END; $$`)
	everyWrite(t, d, func(t *testing.T, prepare write) {
		act := prepare(t, ann)
		d.exec(t, `CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()`)
		defer d.exec(t, `DROP TRIGGER refuse ON audit`)
		before := d.everything(t)
		wantCode(t, "without room for the row", act(t.Context()), connect.CodeInternal)
		if after := d.everything(t); !slices.Equal(before, after) {
			t.Errorf("something changed (-before +after):\n%s", cmp.Diff(before, after))
		}
	})
}

// everything returns all rows of all tables, but for when sessions were used.
func (d *desk) everything(t *testing.T) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	query := func(sql string) []string {
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	var all []string
	for _, table := range query(`SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'sessions' ORDER BY 1`) {
		for _, row := range query(`SELECT t::text FROM "` + table + `" t ORDER BY 1`) {
			all = append(all, table+" "+row)
		}
	}
	return all
}

func TestSignUpIsAudited(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	d.signedUp(t, "ann@example.com", "Acme")
	rows := d.auditRows(t)
	if len(rows) != 1 {
		t.Fatalf("%+v", rows)
	}
	if r := rows[0]; r.Action != "tenant.created" || r.Target != r.TenantID || r.Who != "ann@example.com" || r.Detail != `{"after": {"name": "Acme", "owner": "ann@example.com"}}` {
		t.Errorf("%+v", r)
	}
}

// TestNoSecretIsInTheLog makes every change and looks for the secrets of all keys in the log.
func TestNoSecretIsInTheLog(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	d.exec(t, `UPDATE users SET operator = true`) // so that nothing is refused
	app, key := ann.app(t, "Chat")
	secret, err := ann.keys.RevealKey(t.Context(), &adminv1.RevealKeyRequest{AppId: app.GetId(), Key: key.GetKey()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.keys.RevokeKey(t.Context(), &adminv1.RevokeKeyRequest{AppId: app.GetId(), Key: key.GetKey()}); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.auditRows(t) {
		if text := fmt.Sprint(r); strings.Contains(text, secret.GetSecret()) || strings.Contains(text, password) {
			t.Errorf("a secret is in %s", r.Action)
		}
	}
}

func TestListAuditEvents(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann, bo := d.signedUp(t, "ann@example.com", "Acme"), d.signedUp(t, "bo@example.com", "Bolt")
	bo.app(t, "Theirs")
	app, key := ann.app(t, "Chat")
	if _, err := ann.apps.RenameApp(ctx, &adminv1.RenameAppRequest{AppId: app.GetId(), Name: "Talk"}); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.keys.RevokeKey(ctx, &adminv1.RevokeKeyRequest{AppId: app.GetId(), Key: key.GetKey()}); err != nil {
		t.Fatal(err)
	}
	list := func(req *adminv1.ListAuditEventsRequest) *adminv1.ListAuditEventsResponse {
		t.Helper()
		resp, err := ann.audit.ListAuditEvents(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	var actions []string
	req := &adminv1.ListAuditEventsRequest{PageSize: 3}
	for {
		page := list(req)
		for _, e := range page.GetEvents() {
			actions = append(actions, e.GetAction())
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	if want := []string{"key.revoked", "app.renamed", "app.created", "tenant.created"}; !slices.Equal(actions, want) {
		t.Errorf("%v, want %v", actions, want)
	}
	revoked := list(&adminv1.ListAuditEventsRequest{Filter: &adminv1.AuditFilter{Action: "key"}}).GetEvents()
	if len(revoked) != 1 {
		t.Fatalf("%v", revoked)
	}
	e := revoked[0]
	if e.GetActorEmail() != "ann@example.com" || e.GetAppId() != app.GetId() || e.GetTarget() != key.GetKey() || e.GetIp() != "127.0.0.1" ||
		e.GetBefore().GetFields()["state"].GetStringValue() != "active" || e.GetAfter().GetFields()["state"].GetStringValue() != "revoked" {
		t.Errorf("%v", e)
	}
	if theirs := list(&adminv1.ListAuditEventsRequest{Filter: &adminv1.AuditFilter{Actor: "bo@example.com"}}).GetEvents(); len(theirs) != 0 {
		t.Errorf("of another tenant: %v", theirs)
	}
	past, future := timestamppb.New(time.Now().Add(-time.Hour)), timestamppb.New(time.Now().Add(time.Hour))
	if n := len(list(&adminv1.ListAuditEventsRequest{Filter: &adminv1.AuditFilter{Since: past, Until: future}}).GetEvents()); n != 4 {
		t.Errorf("%d events around now", n)
	}
	for field, bad := range map[string]*adminv1.ListAuditEventsRequest{
		"page_token":    {PageToken: "x"},
		"page_size":     {PageSize: 201},
		"filter.action": {Filter: &adminv1.AuditFilter{Action: "App created"}},
		"filter.text":   {Filter: &adminv1.AuditFilter{Text: strings.Repeat("x", 201)}},
		"filter.until":  {Filter: &adminv1.AuditFilter{Since: future, Until: past}},
		"filter.since":  {Filter: &adminv1.AuditFilter{Since: &timestamppb.Timestamp{Seconds: -1e12}}},
	} {
		_, err := ann.audit.ListAuditEvents(ctx, bad)
		wantViolation(t, field, err, connect.CodeInvalidArgument, field, "")
	}
}
