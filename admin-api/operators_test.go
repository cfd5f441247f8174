package adminapi_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// operator returns somebody who operates the platform.
func (d *desk) operator(t *testing.T) *person {
	t.Helper()
	p := d.signedUp(t, "ops@example.com", "Operations")
	d.exec(t, `UPDATE users SET operator = true WHERE email = 'ops@example.com'`)
	return p
}

func TestOperatorsGiveLimits(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ops, ann := d.operator(t), d.signedUp(t, "ann@example.com", "Acme")
	if !ops.account(t).GetOperator() || ann.account(t).GetOperator() {
		t.Error("who operates is not told")
	}
	app, _ := ann.app(t, "Chat")
	_, err := ops.plans.CreatePlan(ctx, &adminv1.CreatePlanRequest{
		Id: "small", Name: "Small", Limits: &adminv1.LimitChanges{
			PayloadBytes: &adminv1.LimitChange{Value: proto.Int32(500)}, Connections: &adminv1.LimitChange{Value: proto.Int32(10)},
			MessagesPerDay: &adminv1.LimitChange{Value: proto.Int32(1000)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	tenant := ann.account(t).GetTenantId()
	for _, owner := range []string{tenant, app.GetId()} {
		d.live.connections[owner], d.live.messages[owner] = 12, 1500
	}
	given, err := ops.operate.SetTenantPlan(ctx, &adminv1.SetTenantPlanRequest{TenantId: tenant, PlanId: "small"})
	if err != nil || given.GetTenant().GetPlanId() != "small" {
		t.Fatalf("%v, %v", given, err)
	}
	if n := given.GetNotices(); len(n) != 2 || n[0].GetField() != "limits.connections" || !strings.Contains(n[0].GetText(), "12 clients are connected") ||
		n[1].GetField() != "limits.messages_per_day" || !strings.Contains(n[1].GetText(), "midnight UTC") {
		t.Errorf("notices %v", n)
	}
	s, err := ann.settings.GetAppSettings(ctx, &adminv1.GetAppSettingsRequest{AppId: app.GetId()})
	if err != nil {
		t.Fatal(err)
	}
	if l := limit(s.GetSettings(), "payload_bytes"); l.GetValue() != 500 || l.GetSet() || l.GetPlanValue() != 500 || l.GetTogether() {
		t.Errorf("payload_bytes %v", l)
	}
	if l := limit(s.GetSettings(), "connections"); l.GetValue() != 0 || l.GetPlanValue() != 10 || !l.GetTogether() {
		t.Errorf("connections %v", l)
	}
	set := func(c *adminv1.LimitChanges) (*adminv1.UpdateAppSettingsResponse, error) {
		return ann.settings.UpdateAppSettings(ctx, &adminv1.UpdateAppSettingsRequest{AppId: app.GetId(), Limits: c})
	}
	_, err = set(&adminv1.LimitChanges{PayloadBytes: &adminv1.LimitChange{Value: proto.Int32(501)}})
	wantCode(t, "more than the plan", err, connect.CodeInvalidArgument)
	if err == nil || !strings.Contains(err.Error(), "limits.payload_bytes") || !strings.Contains(err.Error(), "500") {
		t.Errorf("more than the plan: %v", err)
	}
	below, err := set(&adminv1.LimitChanges{Connections: &adminv1.LimitChange{Value: proto.Int32(9)}})
	if err != nil || len(below.GetNotices()) != 1 || !strings.Contains(below.GetNotices()[0].GetText(), "fewer than 9") {
		t.Errorf("below what is going on: %v, %v", below, err)
	}
	_, err = ops.plans.DeletePlan(ctx, &adminv1.DeletePlanRequest{PlanId: "small"})
	wantCode(t, "delete a plan in use", err, connect.CodeFailedPrecondition)
	if err == nil || !strings.Contains(err.Error(), "1 tenant has this plan") {
		t.Errorf("delete a plan in use: %v", err)
	}
	for name, bad := range map[string]*adminv1.CreatePlanRequest{
		"id":                       {Id: "No", Name: "x"},
		"name":                     {Id: "x", Name: " "},
		"limits.cache_ttl_seconds": {Id: "x", Name: "x", Limits: &adminv1.LimitChanges{CacheTtlSeconds: &adminv1.LimitChange{Value: proto.Int32(5)}}},
		"limits.payload_bytes":     {Id: "x", Name: "x", Limits: &adminv1.LimitChanges{PayloadBytes: &adminv1.LimitChange{Value: proto.Int32(0)}}},
	} {
		_, err := ops.plans.CreatePlan(ctx, bad)
		wantCode(t, name, err, connect.CodeInvalidArgument)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = ops.operate.SetTenantPlan(ctx, &adminv1.SetTenantPlanRequest{TenantId: tenant, PlanId: "none-such"})
	wantCode(t, "a plan that is not there", err, connect.CodeInvalidArgument)
	_, err = ops.operate.GetTenant(ctx, &adminv1.GetTenantRequest{TenantId: "00000000-0000-0000-0000-000000000000"})
	wantCode(t, "no tenant", err, connect.CodeNotFound)
	_, err = ops.operate.ListTenants(ctx, &adminv1.ListTenantsRequest{PageToken: "x"})
	wantCode(t, "a token of nobody", err, connect.CodeInvalidArgument)
}

func TestASuspendedTenantOnlyLooks(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ops, ann := d.operator(t), d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	tenant := ann.account(t).GetTenantId()
	_, err := ops.operate.SuspendTenant(ctx, &adminv1.SuspendTenantRequest{TenantId: tenant})
	wantCode(t, "without a reason", err, connect.CodeInvalidArgument)
	if _, err := ops.operate.SuspendTenant(ctx, &adminv1.SuspendTenantRequest{TenantId: tenant, Reason: "unpaid bills"}); err != nil {
		t.Fatal(err)
	}
	if who := ann.account(t); who.GetSuspendedFor() != "unpaid bills" || slices.Contains(who.GetPermissions(), adminv1.Permission_PERMISSION_APPS_WRITE) {
		t.Errorf("the member is told %v", who)
	}
	_, err = ann.apps.RenameApp(ctx, &adminv1.RenameAppRequest{AppId: app.GetId(), Name: "x"})
	wantCode(t, "a change", err, connect.CodePermissionDenied)
	if err == nil || !strings.Contains(err.Error(), "unpaid bills") {
		t.Errorf("a change: %v", err)
	}
	if _, err := ann.apps.GetApp(ctx, &adminv1.GetAppRequest{AppId: app.GetId()}); err != nil {
		t.Errorf("a look: %v", err)
	}
	list, err := ops.operate.ListTenants(ctx, &adminv1.ListTenantsRequest{SuspendedOnly: true})
	if err != nil || len(list.GetTenants()) != 1 || list.GetTenants()[0].GetSuspendReason() != "unpaid bills" || list.GetTenants()[0].GetApps() != 1 {
		t.Errorf("listed %v, %v", list, err)
	}
	if _, err := ops.operate.ResumeTenant(ctx, &adminv1.ResumeTenantRequest{TenantId: tenant}); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.apps.RenameApp(ctx, &adminv1.RenameAppRequest{AppId: app.GetId(), Name: "x"}); err != nil {
		t.Errorf("a change afterwards: %v", err)
	}
}

// TestNobodyOperatesButOperators calls each method of theirs as the owner of a tenant, with that tenant's own id.
func TestNobodyOperatesButOperators(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	before := d.snapshot(t)
	called := 0
	for _, m := range methods() {
		if permission(m) != adminv1.Permission_PERMISSION_PLATFORM_OPERATE {
			continue
		}
		called++
		err := ann.call(t.Context(), m, map[string]string{"tenant_id": ann.account(t).GetTenantId(), "plan_id": "x", "id": "x", "name": "x", "reason": "x"})
		wantCode(t, string(m.FullName()), err, connect.CodePermissionDenied)
		if err == nil || !strings.Contains(err.Error(), "only operators") {
			t.Errorf("%s: %v does not say who may", m.FullName(), err)
		}
	}
	if called < 9 {
		t.Errorf("only %d methods are for operators", called)
	}
	if after := d.snapshot(t); !slices.Equal(before, after) {
		t.Errorf("something changed:\n%v\n%v", before, after)
	}
}

func TestAnOperatorLooksAndChangesNothing(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ops, ann := d.operator(t), d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	tenant, own := ann.account(t).GetTenantId(), ops.account(t).GetTenantId()
	if _, err := ops.operate.Impersonate(ctx, &adminv1.ImpersonateRequest{TenantId: tenant}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("without a reason: %v", err)
	}
	got, err := ops.operate.Impersonate(ctx, &adminv1.ImpersonateRequest{TenantId: tenant, Reason: "ticket 7"})
	if err != nil || !got.GetAccount().GetImpersonating() || got.GetAccount().GetTenantId() != tenant || got.GetAccount().GetRole() != "viewer" {
		t.Fatalf("%v, %v", got, err)
	}
	if list, err := ops.apps.ListApps(ctx, &adminv1.ListAppsRequest{}); err != nil || len(list.GetApps()) != 1 {
		t.Errorf("looks at %v, %v", list, err)
	}
	log, err := ops.audit.ListAuditEvents(ctx, &adminv1.ListAuditEventsRequest{})
	if err != nil || log.GetEvents()[0].GetAction() != "tenant.impersonated" || log.GetEvents()[0].GetActorEmail() != "ops@example.com" ||
		log.GetEvents()[0].GetAfter().GetFields()["reason"].GetStringValue() != "ticket 7" {
		t.Errorf("the log has %v, %v", log.GetEvents(), err)
	}
	before := d.everything(t)
	may := ops.account(t).GetPermissions()
	for _, m := range methods() {
		switch p := permission(m); {
		case p == adminv1.Permission_PERMISSION_PUBLIC, p == adminv1.Permission_PERMISSION_SIGNED_IN, slices.Contains(may, p):
		default:
			err := ops.call(ctx, m, map[string]string{"app_id": app.GetId(), "tenant_id": tenant, "name": "x", "reason": "x"})
			wantCode(t, string(m.FullName()), err, connect.CodePermissionDenied)
		}
	}
	if after := d.everything(t); !slices.Equal(before, after) {
		t.Error("something has changed")
	}
	back, err := ops.operate.StopImpersonating(ctx, &adminv1.StopImpersonatingRequest{})
	if err != nil || back.GetAccount().GetImpersonating() || back.GetAccount().GetTenantId() != own || !slices.Contains(back.GetAccount().GetPermissions(), adminv1.Permission_PERMISSION_PLATFORM_OPERATE) {
		t.Errorf("back: %v, %v", back, err)
	}
	_, err = ops.operate.StopImpersonating(ctx, &adminv1.StopImpersonatingRequest{})
	wantCode(t, "twice", err, connect.CodeFailedPrecondition)
	if _, err := ops.operate.Impersonate(ctx, &adminv1.ImpersonateRequest{TenantId: tenant, Reason: "ticket 8"}); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `UPDATE sessions SET impersonates_until = now() WHERE impersonates IS NOT NULL`)
	if who := ops.account(t); who.GetImpersonating() || who.GetTenantId() != own {
		t.Errorf("after an hour: %v", who)
	}
	if _, err := ops.operate.Impersonate(ctx, &adminv1.ImpersonateRequest{TenantId: tenant, Reason: "ticket 9"}); err != nil {
		t.Fatal(err)
	}
	d.exec(t, `UPDATE users SET operator = false`)
	if who := ops.account(t); who.GetImpersonating() || who.GetTenantId() != own {
		t.Errorf("who operates no more: %v", who)
	}
}
