package pgplatform_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgplatform"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

// world is the store, with a connection beside it that hears what edges are told.
type world struct {
	*pgplatform.Store
	url  string
	conn *pgx.Conn
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{url: testenv.Postgres(t)}
	db, err := pgdb.Open(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	w.Store = pgplatform.New(db)
	if w.conn, err = pgx.Connect(t.Context(), w.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.conn.Close(context.Background()) })
	w.exec(t, "LISTEN "+pgdb.AppChanged)
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// tenant inserts a tenant with apps of these ids.
func (w *world) tenant(t *testing.T, name string, apps ...string) tenants.Actor {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec(t, `INSERT INTO tenants (id, name) VALUES ($1, $2)`, id, name)
	for _, app := range apps {
		w.exec(t, `INSERT INTO apps (id, tenant_id, name) VALUES ($1, $2, $1)`, app, id)
	}
	return tenants.Actor{TenantID: id, UserID: uuid.New(), Via: "operator"}
}

// told returns the apps that edges are told of within a moment, in order.
func (w *world) told(t *testing.T) []string {
	t.Helper()
	var apps []string
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		n, err := w.conn.WaitForNotification(ctx)
		cancel()
		if err != nil {
			slices.Sort(apps)
			return apps
		}
		apps = append(apps, n.Payload)
	}
}

func (w *world) plan(t *testing.T, p tenants.Plan) {
	t.Helper()
	if _, err := w.CreatePlan(t.Context(), tenants.Actor{Via: "operator"}, p); err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestPlans(t *testing.T) {
	w := newWorld(t)
	who := tenants.Actor{Via: "operator"}
	w.plan(t, tenants.Plan{ID: "free", Name: "Free", Default: true, Limits: tenants.LimitOverrides{"connections": 100}})
	w.plan(t, tenants.Plan{ID: "pro", Name: "Pro"})
	_, err := w.CreatePlan(t.Context(), who, tenants.Plan{ID: "pro", Name: "Pro again"})
	var field *tenants.FieldError
	if !errors.As(err, &field) || field.Field != "id" || !errors.Is(err, tenants.ErrConflict) {
		t.Errorf("a second plan with one id: %v", err)
	}
	ann := w.tenant(t, "Acme", "1", "2")
	w.tenant(t, "Bolt", "3")
	if _, err := w.SetPlan(t.Context(), ann, "pro"); err != nil {
		t.Fatal(err)
	}
	if told := w.told(t); !slices.Equal(told, []string{"1", "2"}) {
		t.Errorf("a new plan was told of %v", told)
	}
	p, err := w.UpdatePlan(t.Context(), who, "pro", pgplatform.PlanChange{
		Default: ptr(true), Limits: map[string]*int{"connections": ptr(5), "payload_bytes": ptr(10)},
	})
	if err != nil || !p.Default || p.Name != "Pro" || !maps.Equal(p.Limits, tenants.LimitOverrides{"connections": 5, "payload_bytes": 10}) {
		t.Errorf("changed to %+v, %v", p, err)
	}
	if told := w.told(t); !slices.Equal(told, []string{"1", "2"}) {
		t.Errorf("a change of the plan was told of %v", told)
	}
	if p, err = w.UpdatePlan(t.Context(), who, "pro", pgplatform.PlanChange{Limits: map[string]*int{"payload_bytes": nil}}); err != nil || len(p.Limits) != 1 {
		t.Errorf("changed to %+v, %v", p, err)
	}
	w.told(t)
	if _, err = w.UpdatePlan(t.Context(), who, "pro", pgplatform.PlanChange{Name: ptr("Pro")}); err != nil || len(w.told(t)) > 0 {
		t.Errorf("no change: %v, or it was told", err)
	}
	if _, err = w.UpdatePlan(t.Context(), who, "pro", pgplatform.PlanChange{Limits: map[string]*int{"payload_bytes": ptr(0)}}); !errors.Is(err, tenants.ErrInvalid) {
		t.Errorf("a limit out of range: %v", err)
	}
	list, err := w.Plans(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "free" || list[0].Default || !list[1].Default || list[1].Tenants != 1 {
		t.Errorf("plans %+v, %v", list, err)
	}
	if err := w.DeletePlan(t.Context(), who, "pro"); !errors.Is(err, tenants.ErrState) || !strings.Contains(err.Error(), "1 tenant has") {
		t.Errorf("delete a plan in use: %v", err)
	}
	if _, err := w.SetPlan(t.Context(), ann, ""); err != nil {
		t.Error(err)
	}
	if err := w.DeletePlan(t.Context(), who, "pro"); err != nil {
		t.Error(err)
	}
	if err := w.DeletePlan(t.Context(), who, "pro"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("delete what is gone: %v", err)
	}
	if _, err := w.SetPlan(t.Context(), ann, "pro"); !errors.As(err, &field) || field.Field != "plan_id" {
		t.Errorf("a plan that is gone: %v", err)
	}
}

// TestNobodyGetsAPlanThatGoes has plans given and deleted at once.
func TestNobodyGetsAPlanThatGoes(t *testing.T) {
	w := newWorld(t)
	ann := w.tenant(t, "Acme")
	for range 20 {
		w.plan(t, tenants.Plan{ID: "p", Name: "P"})
		var all sync.WaitGroup
		var given, deleted error
		all.Go(func() { _, given = w.SetPlan(t.Context(), ann, "p") })
		all.Go(func() { deleted = w.DeletePlan(t.Context(), tenants.Actor{Via: "operator"}, "p") })
		all.Wait()
		if (given == nil) == (deleted == nil) {
			t.Fatalf("given: %v, deleted: %v", given, deleted)
		}
		if given == nil {
			if _, err := w.SetPlan(t.Context(), ann, ""); err != nil {
				t.Fatal(err)
			}
			if err := w.DeletePlan(t.Context(), tenants.Actor{Via: "operator"}, "p"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSuspension(t *testing.T) {
	w := newWorld(t)
	ann := w.tenant(t, "Acme", "1")
	s, err := w.Suspend(t.Context(), ann, "unpaid bills")
	if err != nil || !s.Suspended() || s.SuspendedFor != "unpaid bills" {
		t.Errorf("suspended: %+v, %v", s, err)
	}
	if told := w.told(t); !slices.Equal(told, []string{"1"}) {
		t.Errorf("told of %v", told)
	}
	again, err := w.Suspend(t.Context(), ann, "abuse")
	if err != nil || !again.SuspendedAt.Equal(s.SuspendedAt) || again.SuspendedFor != "abuse" {
		t.Errorf("for another reason: %+v, %v", again, err)
	}
	if s, err = w.Resume(t.Context(), ann); err != nil || s.Suspended() || s.SuspendedFor != "" {
		t.Errorf("resumed: %+v, %v", s, err)
	}
	if _, err := w.Suspend(t.Context(), tenants.Actor{TenantID: uuid.New()}, "x"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

func TestTenantsAreListedInPages(t *testing.T) {
	w := newWorld(t)
	w.plan(t, tenants.Plan{ID: "pro", Name: "Pro"})
	all := make([]tenants.Actor, 5)
	for i := range all {
		all[i] = w.tenant(t, string(rune('A'+i))+" team")
	}
	user := uuid.New()
	w.exec(t, `INSERT INTO users (id, email, password_hash) VALUES ($1, 'Ann@example.com', '')`, user)
	w.exec(t, `INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, 'owner')`, all[2].TenantID, user)
	if _, err := w.SetPlan(t.Context(), all[1], "pro"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Suspend(t.Context(), all[3], "x"); err != nil {
		t.Fatal(err)
	}
	var names string
	var after uuid.UUID
	for {
		page, err := w.Tenants(t.Context(), pgplatform.TenantsQuery{After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			names += p.Name[:1]
			after = p.ID
		}
		if len(page) < 2 {
			break
		}
	}
	if names != "EDCBA" {
		t.Errorf("newest first: %s", names)
	}
	for _, c := range []struct {
		q    pgplatform.TenantsQuery
		want string
	}{
		{pgplatform.TenantsQuery{Text: "b TEAM"}, "B"},
		{pgplatform.TenantsQuery{Text: "%"}, ""},
		{pgplatform.TenantsQuery{Text: "ann@EXAMPLE"}, "C"},
		{pgplatform.TenantsQuery{Text: all[4].TenantID.String()}, "E"},
		{pgplatform.TenantsQuery{PlanID: "pro"}, "B"},
		{pgplatform.TenantsQuery{Suspended: true}, "D"},
	} {
		c.q.Limit = 10
		page, err := w.Tenants(t.Context(), c.q)
		got := ""
		for _, p := range page {
			got += p.Name[:1]
		}
		if err != nil || got != c.want {
			t.Errorf("%+v: %q, want %q, %v", c.q, got, c.want, err)
		}
	}
	one, err := w.Tenant(t.Context(), all[2].TenantID)
	if err != nil || one.Members != 1 || !slices.Equal(one.Owners, []string{"Ann@example.com"}) {
		t.Errorf("%+v, %v", one, err)
	}
}
