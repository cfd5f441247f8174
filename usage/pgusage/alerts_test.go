package pgusage

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

// outbox keeps in the database what was sent, as the real one does, so that it goes with the transaction.
type outbox struct {
	*ledger
	mu    sync.Mutex
	fails int
}

func newOutbox(t *testing.T) (*outbox, *Alerts) {
	t.Helper()
	o := &outbox{ledger: newLedger(t)}
	o.exec(`CREATE TABLE sent (line text)`)
	o.exec(`GRANT SELECT, INSERT ON sent TO peal_platform`)
	o.exec(`INSERT INTO tenants (id, name) VALUES ('` + acme.String() + `', 'Acme'), ('` + bolt.String() + `', 'Bolt')`)
	o.exec(`INSERT INTO apps (id, tenant_id, name) VALUES ('1', '` + acme.String() + `', 'Chat'), ('9', '` + bolt.String() + `', 'Theirs')`)
	for name, role := range map[string]string{"ann": "owner", "bea": "admin", "cem": "developer", "dot": "viewer"} {
		o.exec(`WITH one AS (INSERT INTO users (id, email, password_hash, email_verified_at)
			VALUES (gen_random_uuid(), '` + name + `@example.com', 'x', now()) RETURNING id)
			INSERT INTO memberships (tenant_id, user_id, role) SELECT '` + acme.String() + `', id, '` + role + `' FROM one`)
	}
	return o, NewAlerts(o.db, o.put)
}

func (o *outbox) put(ctx context.Context, c pgdb.Change, n Notice) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, to := range n.To {
		if _, err := c.Exec(ctx, `INSERT INTO sent VALUES (format('%s %s/%s %s %s', $1::text, $2::text, $3::text, $4::text, $5::int))`,
			to, n.TenantName, n.AppName, n.Limit, n.Threshold); err != nil {
			return err
		}
	}
	if o.fails > 0 {
		o.fails--
		return errors.New("no room")
	}
	return nil
}

func (o *outbox) sent() []string {
	o.t.Helper()
	rows, err := pgdb.ReadAll[struct{ Line string }](o.t.Context(), o.db, pgdb.Platform(), `SELECT line FROM sent ORDER BY line`, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	list := []string{}
	for _, r := range rows {
		list = append(list, r.Line)
	}
	return list
}

func near(percent int) usage.Alert {
	return usage.Alert{
		Tenant: acme, App: "1", Limit: "connections", Threshold: percent, Day: midnight(), Used: int64(percent), Bound: 100,
	}
}

// TestAnAlertIsToldOnce has many workers raise the same at the same moment.
func TestAnAlertIsToldOnce(t *testing.T) {
	o, alerts := newOutbox(t)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			if err := alerts.Raise(t.Context(), near(80)); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	want := []string{"ann@example.com Acme/Chat connections 80", "bea@example.com Acme/Chat connections 80"}
	if d := cmp.Diff(want, o.sent()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	raise := func(a usage.Alert) {
		t.Helper()
		if err := alerts.Raise(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	raise(near(80))
	if n := len(o.sent()); n != 2 {
		t.Errorf("%d were sent after it was told", n)
	}
	raise(near(100))
	if n := len(o.sent()); n != 4 {
		t.Errorf("%d were sent after the higher threshold", n)
	}
	// On another day, of another limit, and of all apps together it is another alert.
	tomorrow, other, together := near(80), near(80), near(80)
	together.App = ""
	raise(together)
	if got := o.sent(); len(got) != 6 || got[0] != "ann@example.com Acme/ connections 80" {
		t.Errorf("of all apps: %v", got)
	}
	tomorrow.Day = tomorrow.Day.Add(24 * time.Hour)
	other.Limit = "messages_per_day"
	raise(tomorrow)
	raise(other)
	if n := len(o.sent()); n != 10 {
		t.Errorf("%d were sent after another day and another limit", n)
	}
}

func TestALowerThresholdIsNotToldAfterAHigherOne(t *testing.T) {
	o, alerts := newOutbox(t)
	if err := errors.Join(alerts.Raise(t.Context(), near(100)), alerts.Raise(t.Context(), near(80))); err != nil {
		t.Fatal(err)
	}
	if got := o.sent(); len(got) != 2 || got[0] != "ann@example.com Acme/Chat connections 100" {
		t.Errorf("%v", got)
	}
}

// TestAnAlertThatCouldNotBeSentIsRaisedAgain: the note and what is sent are one transaction.
func TestAnAlertThatCouldNotBeSentIsRaisedAgain(t *testing.T) {
	o, alerts := newOutbox(t)
	o.fails = 1
	if err := alerts.Raise(t.Context(), near(80)); err == nil {
		t.Error("it could be sent")
	}
	if got := o.sent(); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
	if err := alerts.Raise(t.Context(), near(80)); err != nil || len(o.sent()) != 2 {
		t.Errorf("then %v, %v", o.sent(), err)
	}
}

func TestWhoWantsNoAlertsGetsNone(t *testing.T) {
	o, alerts := newOutbox(t)
	ctx, who := t.Context(), tenants.Actor{TenantID: acme, Via: "dashboard"}
	if s, err := o.AlertSettings(ctx, acme); err != nil || !s.ByMail {
		t.Errorf("at first %+v, %v", s, err)
	}
	for range 2 {
		if err := o.SetAlertSettings(ctx, who, AlertSettings{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := alerts.Raise(ctx, near(80)); err != nil || len(o.sent()) != 0 {
		t.Errorf("%v, %v", o.sent(), err)
	}
	if s, err := o.AlertSettings(ctx, bolt); err != nil || !s.ByMail {
		t.Errorf("of another tenant: %+v, %v", s, err)
	}
	audited, err := pgdb.ReadAll[struct{ Detail string }](ctx, o.db, pgdb.Tenant(acme), `SELECT detail::text FROM audit WHERE action = 'tenant.alerts_changed'`, nil)
	if err != nil || len(audited) != 1 || audited[0].Detail != `{"after": {"by_mail": false}, "before": {"by_mail": true}}` {
		t.Errorf("audit %v, %v", audited, err)
	}
	if err := o.SetAlertSettings(ctx, who, AlertSettings{ByMail: true}); err != nil {
		t.Fatal(err)
	}
	if err := alerts.Raise(ctx, near(80)); err != nil || len(o.sent()) != 2 {
		t.Errorf("when it wants them again: %v, %v", o.sent(), err)
	}
}

// TestOnlyProvedAddressesAreTold: whoever signs up with an address of somebody else would have mail sent there.
func TestOnlyProvedAddressesAreTold(t *testing.T) {
	o, alerts := newOutbox(t)
	o.exec(`UPDATE users SET email_verified_at = NULL`)
	if err := alerts.Raise(t.Context(), near(80)); err != nil || len(o.sent()) != 0 {
		t.Errorf("%v, %v", o.sent(), err)
	}
	o.exec(`UPDATE users SET email_verified_at = now() WHERE email LIKE 'bea%'`)
	if err := alerts.Raise(t.Context(), near(80)); err != nil {
		t.Fatal(err)
	}
	if got := o.sent(); len(got) != 1 || got[0] != "bea@example.com Acme/Chat connections 80" {
		t.Errorf("when one was proved: %v", got)
	}
}

func TestNobodyIsToldOfAnAppThatIsGone(t *testing.T) {
	o, alerts := newOutbox(t)
	gone, others := near(80), near(80)
	gone.App, others.App = "7", "9"
	if err := errors.Join(alerts.Raise(t.Context(), gone), alerts.Raise(t.Context(), others)); err != nil || len(o.sent()) != 0 {
		t.Errorf("%v, %v", o.sent(), err)
	}
}

func TestAppsOn(t *testing.T) {
	o, alerts := newOutbox(t)
	day := midnight()
	o.write("a", 1, day, of(acme, "1", usage.Counts{PeakConnections: 4, MessagesIn: 7}), of(bolt, "9", connected(1)))
	o.write("a", 2, day.Add(-time.Minute), of(acme, "2", connected(2)))
	got, err := alerts.AppsOn(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]usage.AppDay{}
	for _, a := range got {
		by[a.App+"/"+a.Any] = a
	}
	want := map[string]usage.AppDay{
		"1/": {Tenant: acme, App: "1", PeakConnections: 4, MessagesIn: 7}, "9/": {Tenant: bolt, App: "9", PeakConnections: 1},
		"/1": {Tenant: acme, Any: "1", PeakConnections: 4, MessagesIn: 7}, "/9": {Tenant: bolt, Any: "9", PeakConnections: 1},
	}
	if d := cmp.Diff(want, by); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
