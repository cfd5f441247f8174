package adminapi_test

import (
	"errors"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
	"github.com/pealhq/peal/usage/pgusage"
)

// meter writes what apps of a tenant used, by the road of all usage.
type meter struct {
	t      *testing.T
	store  *pgusage.Store
	tenant uuid.UUID
	seq    uint64
}

func (d *desk) meter(t *testing.T, p *person) *meter {
	t.Helper()
	db, err := pgdb.Open(t.Context(), d.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	me, err := p.auth.WhoAmI(t.Context(), &adminv1.WhoAmIRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return &meter{t: t, store: pgusage.New(db), tenant: uuid.MustParse(me.GetAccount().GetTenantId())}
}

// used notes what one app used in the interval that begins then.
func (m *meter) used(start time.Time, app string, c usage.Counts) {
	m.t.Helper()
	m.seq++
	i := usage.Interval{Edge: m.t.Name(), Seq: m.seq, Start: start, Apps: []usage.AppCounts{{Tenant: m.tenant, App: app, Counts: c}}}
	if err := m.store.Write(m.t.Context(), []usage.Interval{i}); err != nil {
		m.t.Fatal(err)
	}
}

func TestGetUsage(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	m := d.meter(t, ann)
	at := usage.Minute.Start(time.Now().Add(-10 * time.Minute))
	c := usage.Counts{PeakConnections: 4, ConnectionTime: 30 * time.Second, MessagesIn: 2, MessagesOut: 8, BytesIn: 20, BytesOut: 80, APICalls: 1}
	c.Rejections[usage.MessageRate] = 3
	m.used(at, app.GetId(), c)
	m.used(at.Add(2*time.Minute), app.GetId(), usage.Counts{PeakConnections: 1, ConnectionTime: 10 * time.Second, MessagesIn: 1})
	m.used(at.Add(2*time.Minute), "999", usage.Counts{MessagesIn: 100})

	req := &adminv1.GetUsageRequest{
		AppId: app.GetId(), Step: adminv1.UsageStep_USAGE_STEP_MINUTE,
		Since: timestamppb.New(at.Add(time.Second)), Until: timestamppb.New(at.Add(3*time.Minute + time.Second)),
	}
	got, err := ann.usage.GetUsage(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.GetPoints()) != 2 || !got.GetSince().AsTime().Equal(at) || !got.GetUntil().AsTime().Equal(at.Add(4*time.Minute)) {
		t.Fatalf("%v", got)
	}
	first, total := got.GetPoints()[0], got.GetTotal()
	if !first.GetStart().AsTime().Equal(at) || first.GetCoveredSeconds() != 10 || first.GetCounts().GetAverageConnections() != 3 {
		t.Errorf("first %v", first)
	}
	rejected := total.GetRejections()
	if total.GetPeakConnections() != 4 || total.GetMessagesIn() != 3 || total.GetBytesOut() != 80 || total.GetAverageConnections() != 2 ||
		len(rejected) != 1 || rejected[0].GetReason() != "message_rate" || rejected[0].GetCount() != 3 {
		t.Errorf("total %v", total)
	}
	gaps := got.GetGaps()
	if len(gaps) != 2 || !gaps[0].GetStart().AsTime().Equal(at.Add(time.Minute)) || !gaps[0].GetEnd().AsTime().Equal(at.Add(2*time.Minute)) ||
		!gaps[1].GetEnd().AsTime().Equal(at.Add(4*time.Minute)) {
		t.Errorf("gaps %v", gaps)
	}

	req.AppId, req.Until = "", nil
	all, err := ann.usage.GetUsage(ctx, req)
	if err != nil || all.GetTotal().GetMessagesIn() != 103 {
		t.Errorf("all apps: %v, %v", all.GetTotal(), err)
	}
	// The step that is under way is no gap, for its numbers are still to come.
	if last := all.GetGaps()[len(all.GetGaps())-1]; !last.GetEnd().AsTime().Before(time.Now()) {
		t.Errorf("a gap until %v", last.GetEnd().AsTime())
	}
}

func TestUsageRangesAreBounded(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	ago := func(at time.Duration) *timestamppb.Timestamp { return timestamppb.New(time.Now().Add(-at)) }
	const day = 24 * time.Hour
	minute, hour, days := adminv1.UsageStep_USAGE_STEP_MINUTE, adminv1.UsageStep_USAGE_STEP_HOUR, adminv1.UsageStep_USAGE_STEP_DAY
	for name, c := range map[string]struct {
		req   *adminv1.GetUsageRequest
		field string
	}{
		"all minutes":          {&adminv1.GetUsageRequest{Step: minute, Since: ago(2 * day)}, ""},
		"all hours":            {&adminv1.GetUsageRequest{Step: hour, Since: ago(90 * day)}, ""},
		"all days":             {&adminv1.GetUsageRequest{Step: days, Since: ago(730 * day)}, ""},
		"older minutes":        {&adminv1.GetUsageRequest{Step: minute, Since: ago(2*day + 2*time.Minute)}, "since"},
		"older hours":          {&adminv1.GetUsageRequest{Step: hour, Since: ago(91 * day)}, "since"},
		"older days":           {&adminv1.GetUsageRequest{Step: days, Since: ago(732 * day)}, "since"},
		"no time":              {&adminv1.GetUsageRequest{Step: minute}, "since"},
		"no step":              {&adminv1.GetUsageRequest{Since: ago(day)}, "step"},
		"no such step":         {&adminv1.GetUsageRequest{Step: 9, Since: ago(day)}, "step"},
		"backwards":            {&adminv1.GetUsageRequest{Step: minute, Since: ago(time.Hour), Until: ago(2 * time.Hour)}, "until"},
		"the future":           {&adminv1.GetUsageRequest{Step: minute, Since: ago(-time.Hour), Until: ago(-2 * time.Hour)}, "until"},
		"until in the future":  {&adminv1.GetUsageRequest{Step: minute, Since: ago(time.Hour), Until: ago(-1000 * day)}, ""},
		"an app that is no id": {&adminv1.GetUsageRequest{AppId: "x", Step: minute, Since: ago(time.Hour)}, "app_id"},
	} {
		_, err := ann.usage.GetUsage(t.Context(), c.req)
		if c.field != "" {
			wantViolation(t, name, err, connect.CodeInvalidArgument, c.field, "")
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListAppsUsage(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann, bo := d.signedUp(t, "ann@example.com", "Acme"), d.signedUp(t, "bo@example.com", "Bolt")
	chat, _ := ann.app(t, "Chat")
	m := d.meter(t, ann)
	at := usage.Minute.Start(time.Now().Add(-10 * time.Minute))
	m.used(at, chat.GetId(), usage.Counts{MessagesIn: 1, PeakConnections: 5})
	m.used(at, "999", usage.Counts{MessagesIn: 2, PeakConnections: 1})
	d.meter(t, bo).used(at, "7", usage.Counts{MessagesIn: 1000})
	req := &adminv1.ListAppsUsageRequest{Step: adminv1.UsageStep_USAGE_STEP_HOUR, Since: timestamppb.New(at.Add(-time.Hour))}
	got, err := ann.usage.ListAppsUsage(t.Context(), req)
	if err != nil || len(got.GetApps()) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if a := got.GetApps()[0]; a.GetAppId() != "999" || a.GetName() != "" || a.GetCounts().GetMessagesIn() != 2 {
		t.Errorf("first %v", a)
	}
	req.Order, req.PageSize = adminv1.UsageOrder_USAGE_ORDER_CONNECTIONS, 1
	got, err = ann.usage.ListAppsUsage(t.Context(), req)
	if err != nil || len(got.GetApps()) != 1 || got.GetApps()[0].GetName() != "Chat" {
		t.Errorf("by connections: %v, %v", got, err)
	}
}

func TestGetLimitUse(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	ten := int32(10)
	_, err := ann.settings.UpdateAppSettings(ctx, &adminv1.UpdateAppSettingsRequest{
		AppId: app.GetId(), Limits: &adminv1.LimitChanges{Connections: &adminv1.LimitChange{Value: &ten}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := d.meter(t, ann)
	d.live.connections[app.GetId()], d.live.connections[m.tenant.String()] = 3, 30
	m.used(usage.Day.Start(time.Now()), app.GetId(), usage.Counts{PeakConnections: 7, MessagesIn: 50})
	of := func(app, name string, together bool) *adminv1.LimitUse {
		t.Helper()
		got, err := ann.usage.GetLimitUse(ctx, &adminv1.GetLimitUseRequest{AppId: app})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range got.GetLimits() {
			if l.GetName() == name && l.GetTogether() == together {
				return l
			}
		}
		return nil
	}
	if l := of(app.GetId(), "connections", false); l.GetValue() != 10 || l.GetUsed() != 3 || l.GetPeakToday() != 7 {
		t.Errorf("connections: %v", l)
	}
	// What has no bound is told as it was metered.
	if l := of(app.GetId(), "messages_per_day", false); l.GetValue() != 0 || l.GetUsed() != 50 {
		t.Errorf("messages without a bound: %v", l)
	}
	if l := of("", "connections", true); l != nil {
		t.Errorf("without a plan: %v", l)
	}
	d.exec(t, `INSERT INTO plans (id, name, limits) VALUES ('small', 'Small', '{"connections": 40}')`)
	d.exec(t, `UPDATE tenants SET plan_id = 'small'`)
	for _, id := range []string{"", app.GetId()} {
		if l := of(id, "connections", true); l.GetValue() != 40 || l.GetUsed() != 30 || l.GetPeakToday() != 7 {
			t.Errorf("of all apps, asked for %q: %v", id, l)
		}
		if l := of(id, "messages_per_day", true); l != nil {
			t.Errorf("what the plan does not bound: %v", l)
		}
	}
	// Nobody can tell at the moment: then nothing is told, and not that there are none.
	d.live.err = errors.New("away")
	if l := of(app.GetId(), "connections", false); l.Used != nil || l.GetPeakToday() != 7 {
		t.Errorf("while it is away: %v", l)
	}
}
