package pgaudit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgaudit"
	"github.com/pealhq/peal/tenants/pgdb"
)

func TestMain(m *testing.M) { testenv.Main(m) }

var (
	acme = uuid.MustParse("00000000-0000-0000-0000-00000000000a")
	bolt = uuid.MustParse("00000000-0000-0000-0000-00000000000b")
	ann  = uuid.MustParse("00000000-0000-0000-0000-0000000000aa")
)

// book is an audit log of its own.
type book struct {
	*pgaudit.Store
	t   *testing.T
	db  *pgdb.DB
	url string
}

func newBook(t *testing.T) *book {
	t.Helper()
	b := &book{t: t, url: testenv.Postgres(t)}
	db, err := pgdb.Open(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	b.db, b.Store = db, pgaudit.New(db)
	return b
}

// wrote writes one row by the road of all changes.
func (b *book) wrote(who tenants.Actor, action, target string, d pgdb.Detail) {
	b.t.Helper()
	err := b.db.Change(b.t.Context(), who, func(c pgdb.Change) error { return c.Audit(b.t.Context(), action, target, d) })
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) exec(sql string, args ...any) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.url)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

// actions returns those of the rows that a filter chooses, newest first.
func (b *book) actions(f tenants.AuditFilter) []string {
	b.t.Helper()
	events, err := b.Events(b.t.Context(), acme, f, 0, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	list := []string{}
	for _, e := range events {
		list = append(list, e.Action)
	}
	return list
}

func TestEventsAreToldAsTheyWereWritten(t *testing.T) {
	b := newBook(t)
	who := tenants.Actor{TenantID: acme, UserID: ann, Email: "ann@example.com", Via: "dashboard", IP: "2001:db8::1", RequestID: "r1"}
	b.wrote(who, "app.renamed", "7", pgdb.Changed(pgdb.Fields{"name": "Chat"}, pgdb.Fields{"name": "Talk"}))
	b.wrote(tenants.Actor{TenantID: acme, Via: "apply"}, "key.created", "abc", pgdb.Created(pgdb.Fields{"state": "active"}).Of("7"))
	got, err := b.Events(t.Context(), acme, tenants.AuditFilter{}, 0, 10)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range got {
		if since := time.Since(got[i].At); since < 0 || since > time.Minute {
			t.Errorf("written %v ago", since)
		}
		got[i].At, got[i].ID = time.Time{}, 0
	}
	want := []tenants.AuditEvent{
		{Via: "apply", Action: "key.created", Target: "abc", App: "7", After: map[string]any{"state": "active"}},
		{
			ActorID: ann, ActorEmail: "ann@example.com", Via: "dashboard", IP: "2001:db8::1", RequestID: "r1", Action: "app.renamed", Target: "7",
			Before: map[string]any{"name": "Chat"}, After: map[string]any{"name": "Talk"},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFilters(t *testing.T) {
	b := newBook(t)
	who := tenants.Actor{TenantID: acme, UserID: ann, Email: "Ann@example.com", Via: "dashboard", IP: "192.0.2.1", RequestID: "req-9"}
	b.wrote(who, "app.created", "7", pgdb.Created(pgdb.Fields{"name": "100% Chat_"}))
	b.wrote(tenants.Actor{TenantID: acme, Via: "apply"}, "apparatus.seen", "8", nil)
	b.wrote(who, "key.created", "abc", pgdb.Created(nil).Of("7"))
	b.wrote(tenants.Actor{TenantID: bolt, UserID: ann, Email: "ann@example.com", Via: "dashboard"}, "app.created", "9", nil)
	all := []string{"key.created", "apparatus.seen", "app.created"}
	for name, c := range map[string]struct {
		filter tenants.AuditFilter
		want   []string
	}{
		"nothing":                        {tenants.AuditFilter{}, all},
		"an address in other capitals":   {tenants.AuditFilter{Actor: "aNN@example.com"}, []string{"key.created", "app.created"}},
		"part of an address":             {tenants.AuditFilter{Actor: "ann"}, nil},
		"the id of a user":               {tenants.AuditFilter{Actor: ann.String()}, []string{"key.created", "app.created"}},
		"an action":                      {tenants.AuditFilter{Action: "key.created"}, []string{"key.created"}},
		"a noun, whole":                  {tenants.AuditFilter{Action: "app"}, []string{"app.created"}},
		"a target":                       {tenants.AuditFilter{Target: "abc"}, []string{"key.created"}},
		"an app with what belongs to it": {tenants.AuditFilter{Target: "7"}, []string{"key.created", "app.created"}},
		"text that a pattern would read otherwise": {tenants.AuditFilter{Text: "% chat_"}, []string{"app.created"}},
		"text of the address it came from":         {tenants.AuditFilter{Text: "192.0.2"}, []string{"key.created", "app.created"}},
		"text of a request":                        {tenants.AuditFilter{Text: "REQ-9"}, []string{"key.created", "app.created"}},
		"text that is nowhere":                     {tenants.AuditFilter{Text: "chat%"}, nil},
		"from tomorrow":                            {tenants.AuditFilter{Since: time.Now().Add(time.Hour)}, nil},
		"until yesterday":                          {tenants.AuditFilter{Until: time.Now().Add(-time.Hour)}, nil},
		"around now":                               {tenants.AuditFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, all},
		"two at once":                              {tenants.AuditFilter{Target: "7", Action: "app"}, []string{"app.created"}},
	} {
		if d := cmp.Diff(append([]string{}, c.want...), b.actions(c.filter)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestPagesLeaveNothingOut reads while rows are added: what was there at first is told once, newest first.
func TestPagesLeaveNothingOut(t *testing.T) {
	b := newBook(t)
	who := tenants.Actor{TenantID: acme, Via: "apply"}
	for n := range 25 {
		b.wrote(who, "app.created", fmt.Sprint(n), nil)
	}
	next, before := 24, int64(0)
	for {
		page, err := b.Events(t.Context(), acme, tenants.AuditFilter{}, before, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.Target != fmt.Sprint(next) {
				t.Fatalf("row %s, want %d", e.Target, next)
			}
			next--
			before = e.ID
		}
		b.wrote(who, "app.created", "new", nil)
	}
	if next != -1 {
		t.Errorf("%d rows left", next+1)
	}
}

// TestRowsOfOlderVersions: they had another shape, and no address.
func TestRowsOfOlderVersions(t *testing.T) {
	b := newBook(t)
	b.exec(`INSERT INTO tenants (id, name) VALUES ($1, 'Acme')`, acme)
	b.exec(`INSERT INTO users (id, email, password_hash) VALUES ($1, 'ann@example.com', 'x')`, ann)
	b.exec(`INSERT INTO memberships (tenant_id, user_id, role) VALUES ($1, $2, 'owner')`, acme, ann)
	for _, c := range [][2]string{
		{"app.created", `{"name": "Chat", "enabled": true}`},
		{"app.renamed", `{"before": "Chat", "after": "Talk"}`},
		{"key.created", `{"app": "7"}`},
		{"app.deleted", `{"name": "Talk"}`},
	} {
		b.exec(`INSERT INTO audit (tenant_id, user_id, via, action, target, detail) VALUES ($1, $2, 'dashboard', $3, 'x', $4)`, acme, ann, c[0], c[1])
	}
	events, err := b.Events(t.Context(), acme, tenants.AuditFilter{Actor: "ann@example.com"}, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	type told struct {
		Action, App   string
		Before, After map[string]any
	}
	var got []told
	for _, e := range events {
		got = append(got, told{e.Action, e.App, e.Before, e.After})
	}
	want := []told{
		{"app.deleted", "", map[string]any{"name": "Talk"}, nil},
		{"key.created", "7", nil, nil},
		{"app.renamed", "", map[string]any{"name": "Chat"}, map[string]any{"name": "Talk"}},
		{"app.created", "", nil, map[string]any{"name": "Chat", "enabled": true}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
