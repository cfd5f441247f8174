package pgstore_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/mail/pgoutbox"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/tenants/pgpeople"
	"github.com/pealhq/peal/tenants/pgstore"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

// people and database have names of their own, because a struct embeds only one Store.
type (
	people   = pgpeople.Store
	database = pgdb.DB
)

// stores is all that is kept of the control plane.
type stores struct {
	*pgstore.Store
	*people
	*database
}

// world is the stores with two tenants in them.
type world struct {
	stores
	url        string
	ann, bo    tenants.Actor
	annAccount tenants.Membership
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{url: testenv.Postgres(t)}
	w.stores = open(t, w.url, tenants.NewKeyEncryptionKey())
	w.annAccount = w.signUp(t, "ann@example.com", "Acme")
	w.ann = actorOf(w.annAccount)
	w.bo = actorOf(w.signUp(t, "bo@example.com", "Bolt"))
	return w
}

func open(t *testing.T, url string, kek tenants.KeyEncryptionKey) stores {
	t.Helper()
	sealer, err := tenants.NewSealer(kek)
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	outbox := pgoutbox.New(pgoutbox.Config{DB: db, Sealer: sealer})
	return stores{pgstore.New(pgstore.Config{DB: db, Sealer: sealer}), pgpeople.New(pgpeople.Config{DB: db, Outbox: outbox, Sealer: sealer}), db}
}

func (w *world) signUp(t *testing.T, email, tenant string) tenants.Membership {
	t.Helper()
	m, err := w.SignUp(t.Context(), tenants.Actor{Via: "dashboard", IP: "192.0.2.1", RequestID: "r1"},
		pgpeople.SignUp{Email: email, PasswordHash: "hash of " + email, TenantName: tenant})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func actorOf(m tenants.Membership) tenants.Actor {
	return tenants.Actor{TenantID: m.Tenant.ID, UserID: m.User.ID, Via: "dashboard"}
}

// anyKey is a key for everything, without a label.
var anyKey = pgstore.KeyWish{Scopes: tenants.ScopeAll}

func (w *world) app(t *testing.T, actor tenants.Actor, name string) (*tenants.App, tenants.Key) {
	t.Helper()
	app, key, err := w.CreateApp(t.Context(), actor, name)
	if err != nil {
		t.Fatal(err)
	}
	return app, key
}

// query reads rows of one text column beside the store.
func (w *world) query(t *testing.T, sql string, args ...any) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantField(t *testing.T, err error, kind error, field string) {
	t.Helper()
	var f *tenants.FieldError
	if !errors.As(err, &f) || !errors.Is(err, kind) || f.Field != field {
		t.Errorf("error %v, want %v on %s", err, kind, field)
	}
}

func TestSignUp(t *testing.T) {
	w := newWorld(t)
	if w.annAccount.Role != tenants.RoleOwner || w.annAccount.Tenant.Name != "Acme" {
		t.Errorf("account %+v", w.annAccount)
	}
	_, err := w.SignUp(t.Context(), tenants.Actor{Via: "dashboard"}, pgpeople.SignUp{Email: "ANN@example.com", PasswordHash: "x", TenantName: "Other"})
	wantField(t, err, tenants.ErrConflict, "email")
	if n := w.query(t, `SELECT name FROM tenants WHERE name = 'Other'`); len(n) != 0 {
		t.Error("a refused sign-up left a tenant behind")
	}
	c, err := w.Credentials(t.Context(), "Ann@Example.com")
	if err != nil || c.UserID != w.annAccount.User.ID || c.PasswordHash != "hash of ann@example.com" {
		t.Errorf("credentials %+v, %v", c, err)
	}
	if _, err := w.Credentials(t.Context(), "nobody@example.com"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("credentials of nobody: %v", err)
	}
	if err := w.SetPasswordHash(t.Context(), c.UserID, c.PasswordHash, "another"); err != nil {
		t.Fatal(err)
	}
	if c, _ := w.Credentials(t.Context(), "ann@example.com"); c.PasswordHash != "another" {
		t.Errorf("hash is %q", c.PasswordHash)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	ctx, hash := t.Context(), tenants.HashToken("token")
	made, err := w.CreateSession(ctx, pgpeople.NewSession{User: w.ann.UserID, Login: pgpeople.Proof{PasswordHash: "hash of ann@example.com"}, Hash: hash})
	if err != nil || made != w.annAccount {
		t.Fatalf("made %+v, %v", made, err)
	}
	if got, err := w.Session(ctx, hash); err != nil || got != w.annAccount {
		t.Errorf("session %+v, %v", got, err)
	}
	for name, age := range map[string]string{
		"idle for too long": `UPDATE sessions SET last_seen_at = now() - interval '12 hours 1 minute'`,
		"too old":           `UPDATE sessions SET last_seen_at = now(), expires_at = now()`,
	} {
		w.query(t, age)
		if _, err := w.Session(ctx, hash); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := w.DeleteEndedSessions(ctx); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}

	if _, err := w.CreateSession(ctx, pgpeople.NewSession{User: w.ann.UserID, Login: pgpeople.Proof{PasswordHash: "hash of ann@example.com"}, Hash: hash}); err != nil {
		t.Fatal(err)
	}
	w.query(t, `UPDATE sessions SET last_seen_at = now() - interval '11 hours'`)
	if _, err := w.Session(ctx, hash); err != nil {
		t.Fatal(err)
	}
	if n := w.query(t, `SELECT 'x' FROM sessions WHERE last_seen_at > now() - interval '1 minute'`); len(n) != 1 {
		t.Error("the use of a session was not noted")
	}
	for range 2 {
		if err := w.DeleteSession(ctx, hash); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Session(ctx, hash); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("after it ended: %v", err)
	}
	if _, err := w.CreateSession(ctx, pgpeople.NewSession{User: uuid.New(), Hash: hash}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("session of nobody: %v", err)
	}
}

func TestApps(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	if app.TenantID != w.ann.TenantID || !app.Enabled || key.AppID != app.ID || !key.Secret.IsZero() {
		t.Errorf("app %+v, key %+v", app, key)
	}
	_, _, err := w.CreateApp(ctx, w.ann, "chat")
	wantField(t, err, tenants.ErrConflict, "name")
	other, _ := w.app(t, w.bo, "Chat")

	renamed, err := w.RenameApp(ctx, w.ann, app.ID, "Talk")
	if err != nil || renamed.Name != "Talk" {
		t.Errorf("renamed %+v, %v", renamed, err)
	}
	if _, err := w.RenameApp(ctx, w.ann, app.ID, "Talk"); err != nil {
		t.Errorf("rename to the same name: %v", err)
	}
	w.app(t, w.ann, "Board")
	_, err = w.RenameApp(ctx, w.ann, app.ID, "board")
	wantField(t, err, tenants.ErrConflict, "name")

	for what, err := range map[string]error{
		"read":   second(w.App(ctx, w.ann.TenantID, other.ID)),
		"rename": second(w.RenameApp(ctx, w.ann, other.ID, "Mine")),
		"delete": w.DeleteApp(ctx, w.ann, other.ID),
	} {
		if !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s an app of another tenant: %v", what, err)
		}
	}
	if got, err := w.App(ctx, w.bo.TenantID, other.ID); err != nil || got.Name != "Chat" {
		t.Errorf("the other tenant's app is %+v, %v", got, err)
	}
	if err := w.DeleteApp(ctx, w.ann, app.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteApp(ctx, w.ann, app.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("delete twice: %v", err)
	}
	if _, err := w.AppByKey(ctx, key.Public); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("key of a deleted app: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestAppsComeInPages(t *testing.T) {
	w := newWorld(t)
	var want []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		app, _ := w.app(t, w.ann, name)
		want = append([]string{app.ID}, want...)
	}
	w.app(t, w.bo, "not mine")
	// The same moment must not hide an app between two pages.
	w.query(t, `UPDATE apps SET created_at = '2026-01-01' WHERE name IN ('b', 'c')`)
	w.query(t, `UPDATE apps SET created_at = '2025-01-01' WHERE name = 'a'`)
	var got []string
	var after *pgstore.AppPage
	for {
		page, err := w.Apps(t.Context(), w.ann.TenantID, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			got = append(got, a.ID)
		}
		last := page[len(page)-1]
		after = &pgstore.AppPage{CreatedAt: last.CreatedAt, ID: last.ID}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages gave %v, want %v", got, want)
	}
}

func TestAnIdThatACustomerBroughtIsPassedOver(t *testing.T) {
	w := newWorld(t)
	next := w.query(t, `SELECT (nextval('app_id_seq') + 1)::text`)[0]
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Acme", Apps: []tenants.ManifestApp{{ID: next, Name: "brought"}}}}}
	if _, err := w.Apply(t.Context(), tenants.Actor{Via: "apply"}, m, false); err != nil {
		t.Fatal(err)
	}
	if app, _ := w.app(t, w.bo, "given"); app.ID == next {
		t.Errorf("id %s was given twice", next)
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, first := w.app(t, w.ann, "Chat")
	extra, err := w.CreateKey(ctx, w.ann, app.ID, anyKey)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := w.Keys(ctx, w.ann.TenantID, app.ID)
	if err != nil || len(keys) != 2 || keys[0].Public != first.Public || keys[1].Public != extra.Public {
		t.Fatalf("keys %+v, %v", keys, err)
	}
	shown, err := w.RevealKey(ctx, w.ann, app.ID, first.Public)
	if err != nil || len(shown.Secret.Reveal()) != 20 {
		t.Errorf("revealed %q, %v", shown.Secret.Reveal(), err)
	}
	if dump := w.query(t, `SELECT encode(sealed, 'escape') FROM keys`); strings.Contains(strings.Join(dump, ""), shown.Secret.Reveal()) {
		t.Error("the secret lies open in the table")
	}
	loaded, err := w.AppByKey(ctx, first.Public)
	if err != nil || len(loaded.Keys) != 2 || loaded.ID != app.ID {
		t.Fatalf("loaded %+v, %v", loaded, err)
	}
	if k, ok := loaded.Key(first.Public); !ok || k.Secret != shown.Secret {
		t.Errorf("the edge sees another secret than was revealed")
	}

	revoked, err := w.RevokeKey(ctx, w.ann, app.ID, first.Public)
	if err != nil || revoked.State != tenants.KeyRevoked || revoked.RevokedAt.IsZero() {
		t.Errorf("revoked %+v, %v", revoked, err)
	}
	for what, err := range map[string]error{
		"revoke twice":        second(w.RevokeKey(ctx, w.ann, app.ID, first.Public)),
		"reveal when revoked": second(w.RevealKey(ctx, w.ann, app.ID, first.Public)),
	} {
		if !errors.Is(err, tenants.ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.AppByKey(ctx, first.Public); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("app by a revoked key: %v", err)
	}
	if byID, err := w.AppByID(ctx, app.ID); err != nil || len(byID.Keys) != 1 || byID.Keys[0].Public != extra.Public {
		t.Errorf("keys that open the app: %+v, %v", byID, err)
	}
	for what, err := range map[string]error{
		"list":          second(w.Keys(ctx, w.bo.TenantID, app.ID)),
		"create":        second(w.CreateKey(ctx, w.bo, app.ID, anyKey)),
		"reveal":        second(w.RevealKey(ctx, w.bo, app.ID, extra.Public)),
		"revoke":        second(w.RevokeKey(ctx, w.bo, app.ID, extra.Public)),
		"key of no app": second(w.RevealKey(ctx, w.ann, "9", extra.Public)),
		"no such key":   second(w.RevealKey(ctx, w.ann, app.ID, "nosuchkey")),
	} {
		if !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s by another tenant: %v", what, err)
		}
	}
}

func TestActiveKeysAreBounded(t *testing.T) {
	w := newWorld(t)
	app, first := w.app(t, w.ann, "Chat")
	for range pgstore.MaxActiveKeys - 1 {
		if _, err := w.CreateKey(t.Context(), w.ann, app.ID, anyKey); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.CreateKey(t.Context(), w.ann, app.ID, anyKey); !errors.Is(err, tenants.ErrLimit) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := w.RevokeKey(t.Context(), w.ann, app.ID, first.Public); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateKey(t.Context(), w.ann, app.ID, anyKey); err != nil {
		t.Errorf("after one was revoked: %v", err)
	}
}

func TestEveryChangeIsAudited(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	if _, err := w.RenameApp(ctx, w.ann, app.ID, "Talk"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RevealKey(ctx, w.ann, app.ID, key.Public); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RevokeKey(ctx, w.ann, app.ID, key.Public); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteApp(ctx, w.ann, app.ID); err != nil {
		t.Fatal(err)
	}
	got := w.query(t, `SELECT action FROM audit WHERE tenant_id = $1 ORDER BY id`, w.ann.TenantID)
	want := []string{
		"tenant.created", "app.created", "app.renamed", "key.revealed", "key.revoked", "app.deleted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("audit %v, want %v", got, want)
	}
	details := w.query(t, `SELECT detail::text FROM audit WHERE tenant_id = $1 ORDER BY id`, w.ann.TenantID)
	wantDetails := []string{
		`{"after": {"name": "Acme", "owner": "ann@example.com"}}`,
		`{"after": {"key": "` + key.Public + `", "name": "Chat", "enabled": true}}`,
		`{"after": {"name": "Talk"}, "before": {"name": "Chat"}}`,
		`{"app": "` + app.ID + `"}`,
		`{"app": "` + app.ID + `", "after": {"state": "revoked"}, "before": {"state": "active"}}`,
		`{"before": {"name": "Talk", "enabled": true}}`,
	}
	if d := cmp.Diff(wantDetails, details); d != "" {
		t.Errorf("details (-want +got):\n%s", d)
	}
	// Who acted is told by the address of that time, whatever becomes of the user.
	w.query(t, `UPDATE users SET email = 'else@example.com' WHERE id = $1 RETURNING email`, w.ann.UserID)
	if who := w.query(t, `SELECT DISTINCT actor_email FROM audit WHERE tenant_id = $1`, w.ann.TenantID); !slices.Equal(who, []string{"ann@example.com"}) {
		t.Errorf("who acted: %v", who)
	}
	if who := w.query(t, `SELECT host(ip) || ' ' || request_id || ' ' || via FROM audit WHERE tenant_id = $1 AND action = 'tenant.created'`, w.ann.TenantID); who[0] != "192.0.2.1 r1 dashboard" {
		t.Errorf("who acted: %v", who)
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{`DELETE FROM audit`, `UPDATE audit SET action = 'x'`, `TRUNCATE audit`} {
		if _, err := conn.Exec(ctx, sql); err == nil || !strings.Contains(err.Error(), "never changed") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestApply(t *testing.T) {
	w := newWorld(t)
	ctx, host := t.Context(), tenants.Actor{Via: "apply"}
	off := false
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Cargo", Apps: []tenants.ManifestApp{
		{ID: "7", Name: "chat", Keys: []tenants.Key{{Public: "abc", Secret: tenants.NewSecret("def")}}},
		{Name: "board", Enabled: &off},
	}}}}
	plan, err := w.Apply(ctx, host, m, true)
	if err != nil || len(plan) != 5 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	if n := w.query(t, `SELECT name FROM tenants WHERE name = 'Cargo'`); len(n) != 0 {
		t.Fatal("a dry run wrote")
	}
	done, err := w.Apply(ctx, host, m, false)
	if err != nil || len(done) != 5 {
		t.Fatalf("done %+v, %v", done, err)
	}
	if again, err := w.Apply(ctx, host, m, false); err != nil || len(again) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	app, err := w.AppByKey(ctx, "abc")
	if err != nil || app.ID != "7" || app.Keys[0].Secret.Reveal() != "def" {
		t.Fatalf("app %+v, %v", app, err)
	}

	m.Tenants[0].Apps[0].Name, m.Tenants[0].Apps[0].Enabled = "talk", &off
	changed, err := w.Apply(ctx, host, m, false)
	if err != nil || len(changed) != 2 || changed[0].Action != "app.renamed" || changed[1].Action != "app.disabled" {
		t.Errorf("changed %+v, %v", changed, err)
	}
	if app, _ := w.AppByID(ctx, "7"); app.Enabled || app.Name != "talk" {
		t.Errorf("app is %+v", app)
	}
}

func TestApplyRefuses(t *testing.T) {
	w := newWorld(t)
	ctx, host := t.Context(), tenants.Actor{Via: "apply"}
	secret := tenants.NewSecret("def")
	one := func(tenant string, apps ...tenants.ManifestApp) tenants.Manifest {
		return tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: tenant, Apps: apps}}}
	}
	if _, err := w.Apply(ctx, host, one("Cargo",
		tenants.ManifestApp{ID: "7", Name: "chat", Keys: []tenants.Key{{Public: "abc", Secret: secret}, {Public: "old", Secret: secret}}},
	), false); err != nil {
		t.Fatal(err)
	}
	cargo := tenants.Actor{TenantID: uuid.MustParse(w.query(t, `SELECT id::text FROM tenants WHERE name = 'Cargo'`)[0])}
	if _, err := w.RevokeKey(ctx, cargo, "7", "old"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		m     tenants.Manifest
		field string
	}{
		"an id of another tenant": {one("Acme", tenants.ManifestApp{ID: "7", Name: "x"}), "tenants[0].apps[0].id"},
		"a key of another app":    {one("Acme", tenants.ManifestApp{Name: "x", Keys: []tenants.Key{{Public: "abc", Secret: secret}}}), "tenants[0].apps[0].keys[0].key"},
		"another secret":          {one("Cargo", tenants.ManifestApp{ID: "7", Name: "chat", Keys: []tenants.Key{{Public: "abc", Secret: tenants.NewSecret("x")}}}), "tenants[0].apps[0].keys[0].secret"},
		"a revoked key":           {one("Cargo", tenants.ManifestApp{ID: "7", Name: "chat", Keys: []tenants.Key{{Public: "old", Secret: secret}}}), "tenants[0].apps[0].keys[0].key"},
	} {
		_, err := w.Apply(ctx, host, c.m, false)
		var f *tenants.FieldError
		if !errors.As(err, &f) || f.Field != c.field || !errors.Is(err, tenants.ErrConflict) {
			t.Errorf("%s: %v, want a conflict on %s", name, err, c.field)
		}
	}
	if n := w.query(t, `SELECT id FROM apps WHERE name = 'x'`); len(n) != 0 {
		t.Error("a refused manifest left an app behind")
	}
}

// TestApplyLeavesStrangersAlone: who signs up under the name of a tenant that a file keeps gets nothing of it and
// breaks nothing.
func TestApplyLeavesStrangersAlone(t *testing.T) {
	w := newWorld(t) // Somebody has signed up as Acme before the file was ever applied.
	ctx, host := t.Context(), tenants.Actor{Via: "apply"}
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Acme", Apps: []tenants.ManifestApp{{ID: "7", Name: "chat"}}}}}
	if _, err := w.Apply(ctx, host, m, false); err != nil {
		t.Fatal(err)
	}
	late := actorOf(w.signUp(t, "late@example.com", "Acme"))
	for _, stranger := range []tenants.Actor{w.ann, late} {
		if _, err := w.App(ctx, stranger.TenantID, "7"); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("a stranger sees the app: %v", err)
		}
	}
	if again, err := w.Apply(ctx, host, m, false); err != nil || len(again) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	// A tenant that signed up is meant by its id.
	m.Tenants[0].ID, m.Tenants[0].Apps[0].ID = w.bo.TenantID, "8"
	if _, err := w.Apply(ctx, host, m, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.App(ctx, w.bo.TenantID, "8"); err != nil {
		t.Errorf("by id: %v", err)
	}
	m.Tenants[0].ID = uuid.New()
	_, err := w.Apply(ctx, host, m, false)
	wantField(t, err, tenants.ErrNotFound, "tenants[0].id")
}

func TestAppliesAtOnce(t *testing.T) {
	w := newWorld(t)
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Cargo", Apps: []tenants.ManifestApp{{Name: "chat"}, {Name: "board"}}}}}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := w.Apply(t.Context(), tenants.Actor{Via: "apply"}, m, false); err != nil {
				t.Errorf("apply: %v", err)
			}
		})
	}
	all.Wait()
	if n := w.query(t, `SELECT name FROM apps`); len(n) != 2 {
		t.Errorf("apps %v", n)
	}
}

func TestADryRunNamesNothingThatItMade(t *testing.T) {
	w := newWorld(t)
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Cargo", Apps: []tenants.ManifestApp{{Name: "chat"}}}}}
	plan, err := w.Apply(t.Context(), tenants.Actor{Via: "apply"}, m, true)
	want := []tenants.Change{{Action: "tenant.created", What: "Cargo"}, {Action: "app.created", What: "Cargo/chat"}, {Action: "key.created", What: "Cargo/chat"}}
	if err != nil || !slices.Equal(plan, want) {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

func TestAddOwner(t *testing.T) {
	w := newWorld(t)
	ctx, seed := t.Context(), tenants.Actor{Via: "seed"}
	in := pgpeople.SignUp{Email: "dev@example.com", PasswordHash: "h", TenantName: "Demo"}
	if err := w.AddOwner(ctx, seed, in); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("without a tenant: %v", err)
	}
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Demo"}}}
	if _, err := w.Apply(ctx, seed, m, false); err != nil {
		t.Fatal(err)
	}
	if err := w.AddOwner(ctx, seed, in); err != nil {
		t.Fatal(err)
	}
	wantField(t, w.AddOwner(ctx, seed, in), tenants.ErrConflict, "email")
	if n := w.query(t, `SELECT role FROM memberships m JOIN tenants t ON t.id = m.tenant_id WHERE t.name = 'Demo'`); len(n) != 1 || n[0] != "owner" {
		t.Errorf("memberships %v", n)
	}
}

func TestListenerHearsOfChanges(t *testing.T) {
	w := newWorld(t)
	heard := newEar(t, w.url)
	heard.reset(t)
	app, key := w.app(t, w.ann, "Chat")
	heard.change(t, app.ID)
	if _, err := w.RevokeKey(t.Context(), w.ann, app.ID, key.Public); err != nil {
		t.Fatal(err)
	}
	heard.change(t, app.ID)

	// The server ends the connection; it must be made again and told that notices were lost.
	w.query(t, `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE application_name = 'peal listener' AND datname = current_database()`)
	heard.reset(t)
	if err := w.DeleteApp(t.Context(), w.ann, app.ID); err != nil {
		t.Fatal(err)
	}
	heard.change(t, app.ID)
}

// ear runs a listener for the time of a test.
type ear struct {
	changes chan string
	resets  chan struct{}
}

func newEar(t *testing.T, url string) *ear {
	t.Helper()
	e := &ear{changes: make(chan string, 100), resets: make(chan struct{}, 100)}
	run(t, pgstore.NewListener(pgstore.ListenerConfig{
		URL: url, Logger: slog.New(slog.DiscardHandler),
		Changed: func(_ context.Context, id string) { e.changes <- id },
		Reset:   func(context.Context) { e.resets <- struct{}{} },
	}))
	return e
}

// run runs a listener until the test ends.
func run(t *testing.T, l *pgstore.Listener) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Errorf("listener: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
}

// patience is how long a test waits for what must happen; a machine under load may need a while.
const patience = 20 * time.Second

func (e *ear) reset(t *testing.T) {
	t.Helper()
	select {
	case <-e.resets:
	case <-time.After(patience):
		t.Fatal("no reset was heard")
	}
}

func (e *ear) change(t *testing.T, want string) {
	t.Helper()
	for {
		select {
		case got := <-e.changes:
			if got == want {
				return
			}
		case <-time.After(patience):
			t.Fatalf("no change of app %s was heard", want)
		}
	}
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	s := open(t, "postgres://127.0.0.1:1/peal?connect_timeout=1", tenants.NewKeyEncryptionKey())
	for what, err := range map[string]error{
		"ping":   s.CheckSchema(t.Context()),
		"load":   second(s.AppByKey(t.Context(), "k")),
		"change": second(s.RenameApp(t.Context(), tenants.Actor{}, "7", "x")),
	} {
		if !errors.Is(err, tenants.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := pgdb.MigrateUp(t.Context(), "postgres://127.0.0.1:1/peal?connect_timeout=1"); !errors.Is(err, tenants.ErrUnavailable) {
		t.Errorf("migrate: %v", err)
	}
}

func TestABadURLTellsNoPassword(t *testing.T) {
	for _, url := range []string{"postgres://u:hushhush@[broken", "host=x password = hushhush sslmode=bogus", "mysql://u:hushhush@x/y"} {
		_, openErr := pgdb.Open(t.Context(), url)
		_, migrateErr := pgdb.MigrateUp(t.Context(), url)
		for _, err := range []error{openErr, migrateErr} {
			if !errors.Is(err, pgdb.ErrURL) || strings.Contains(err.Error(), "hushhush") {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestMigrations(t *testing.T) {
	w := newWorld(t)
	if err := w.CheckSchema(t.Context()); err != nil {
		t.Error(err)
	}
	list, err := pgdb.Migrations(t.Context(), w.url)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d migrations, %v", len(list), err)
	}
	for _, m := range list {
		if m.AppliedAt.IsZero() {
			t.Errorf("%s is pending", m.Name)
		}
	}
	if again, err := pgdb.MigrateUp(t.Context(), w.url); err != nil || len(again) != 0 {
		t.Errorf("again: %v, %v", again, err)
	}
	last := list[len(list)-1].Version
	w.query(t, `DELETE FROM goose_db_version WHERE version_id = $1`, last)
	if err := w.CheckSchema(t.Context()); !errors.Is(err, pgdb.ErrSchema) {
		t.Errorf("with a migration pending: %v", err)
	}
	w.query(t, `DROP TABLE goose_db_version`)
	if err := w.CheckSchema(t.Context()); !errors.Is(err, pgdb.ErrSchema) {
		t.Errorf("with an empty database: %v", err)
	}
}

func TestEveryTableOfATenantNamesIt(t *testing.T) {
	w := newWorld(t)
	// users are people, who may belong to several tenants, and so are their links, second factors and logins; a mail may be about
	// a user and no tenant; plans and platform are of all, and so is which intervals were counted; goose keeps its own table.
	got := w.query(t, `
		SELECT c.relname::text
		FROM pg_class c
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
			AND c.relname NOT IN ('tenants', 'users', 'plans', 'platform', 'usage_coverage', 'usage_reports', 'goose_db_version',
				'outbox', 'user_links', 'second_factors', 'recovery_codes', 'login_challenges')
			AND NOT EXISTS (
				SELECT FROM pg_attribute a
				WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull
			)`)
	if len(got) > 0 {
		t.Errorf("tables without tenant_id NOT NULL: %v", got)
	}
}
