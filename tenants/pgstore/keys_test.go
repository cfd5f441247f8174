package pgstore_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgstore"
)

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// audited returns what the audit log tells of an action on a key, as JSON.
func (w *world) audited(t *testing.T, action, key string) []string {
	t.Helper()
	return w.query(t, `SELECT detail::text FROM audit WHERE action = $1 AND target = $2 ORDER BY id`, action, key)
}

func (w *world) key(t *testing.T, appID, public string) tenants.Key {
	t.Helper()
	keys, err := w.Keys(t.Context(), w.ann.TenantID, appID)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Public == public {
			return k
		}
	}
	t.Fatalf("app %s has no key %s", appID, public)
	return tenants.Key{}
}

func TestKeysHaveScopesAndLabels(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, first := w.app(t, w.ann, "Chat")
	if first.Scopes != tenants.ScopeAll || first.Label != "" {
		t.Errorf("the first key is %+v", first)
	}
	want := pgstore.KeyWish{Label: "Billing", Scopes: tenants.ScopePublish | tenants.ScopeQuery}
	made, err := w.CreateKey(ctx, w.ann, app.ID, want)
	if err != nil || made.Label != want.Label || made.Scopes != want.Scopes {
		t.Fatalf("made %+v, %v", made, err)
	}
	if got := w.audited(t, "key.created", made.Public); len(got) != 1 || !strings.Contains(got[0], `"scopes": ["publish", "query"]`) || !strings.Contains(got[0], "Billing") {
		t.Errorf("audited %v", got)
	}
	loaded, err := w.AppByKey(ctx, made.Public)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := loaded.Key(made.Public); !ok || k.Scopes != want.Scopes || k.Label != want.Label {
		t.Errorf("the edge sees %+v", k)
	}
	renamed, err := w.RenameKey(ctx, w.ann, app.ID, made.Public, "Accounts")
	if err != nil || renamed.Label != "Accounts" || renamed.Scopes != want.Scopes {
		t.Errorf("renamed %+v, %v", renamed, err)
	}
	if _, err := w.RenameKey(ctx, w.ann, app.ID, made.Public, "Accounts"); err != nil {
		t.Error(err)
	}
	if got := w.audited(t, "key.renamed", made.Public); len(got) != 1 || !strings.Contains(got[0], `"before": {"label": "Billing"}`) || !strings.Contains(got[0], `"after": {"label": "Accounts"}`) {
		t.Errorf("audited %v", got)
	}
	for _, scopes := range []string{`{}`, `{admin}`, `{publish,all}`, `{publish,NULL}`} {
		conn, err := pgx.Connect(ctx, w.url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(ctx, `UPDATE keys SET scopes = $1::text[]`, scopes); err == nil {
			t.Errorf("the schema takes the scopes %s", scopes)
		}
		conn.Close(ctx)
	}
}

// TestTheVersionBeforeMakesKeysForEverything: it knows of no scopes, and takes a key that retires until that is written down.
func TestTheVersionBeforeMakesKeysForEverything(t *testing.T) {
	w := newWorld(t)
	app, first := w.app(t, w.ann, "Chat")
	w.exec(t, `
		INSERT INTO keys (public, app_id, tenant_id, sealed, sealed_with)
		SELECT 'old', app_id, tenant_id, sealed, sealed_with
		FROM keys
		WHERE public = $1`, first.Public)
	if k := w.key(t, app.ID, "old"); k.Scopes != tenants.ScopeAll || k.State != tenants.KeyActive || k.Label != "" {
		t.Errorf("its key is %+v", k)
	}
	if _, err := w.RotateKey(t.Context(), w.ann, app.ID, first.Public, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := w.query(t, `SELECT public FROM keys WHERE public = $1 AND state = 'active'`, first.Public); len(got) != 1 {
		t.Error("the version before refuses a key that retires")
	}
}

func TestRotateKey(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, _ := w.app(t, w.ann, "Chat")
	old, err := w.CreateKey(ctx, w.ann, app.ID, pgstore.KeyWish{Label: "Billing", Scopes: tenants.ScopePublish})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r, err := w.RotateKey(ctx, w.ann, app.ID, old.Public, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if r.Fresh.Scopes != tenants.ScopePublish || r.Fresh.Label != "Billing" || r.Fresh.State != tenants.KeyActive || r.Fresh.Public == old.Public {
		t.Errorf("the new key is %+v", r.Fresh)
	}
	if r.Old.State != tenants.KeyRetiring || r.Old.RetiresAt.Sub(began).Round(time.Minute) != time.Hour {
		t.Errorf("the old key is %+v", r.Old)
	}
	if got := w.audited(t, "key.rotated", old.Public); len(got) != 1 || !strings.Contains(got[0], `"successor": "`+r.Fresh.Public) || !strings.Contains(got[0], "works_until") {
		t.Errorf("audited %v", got)
	}
	loaded, err := w.AppByKey(ctx, old.Public)
	if err != nil {
		t.Fatal(err)
	}
	for _, public := range []string{old.Public, r.Fresh.Public} {
		if k, ok := loaded.Key(public); !ok || k.Secret.IsZero() {
			t.Errorf("%s does not open the app", public)
		}
	}
	if _, err := w.RotateKey(ctx, w.ann, app.ID, old.Public, time.Hour); !errors.Is(err, tenants.ErrState) {
		t.Errorf("rotated while it retires: %v", err)
	}
	if _, err := w.RotateKey(ctx, w.bo, app.ID, r.Fresh.Public, time.Hour); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("rotated by another tenant: %v", err)
	}

	kept, err := w.KeepKey(ctx, w.ann, app.ID, old.Public)
	if err != nil || kept.State != tenants.KeyActive || !kept.RetiresAt.IsZero() {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if got := w.audited(t, "key.kept", old.Public); len(got) != 1 {
		t.Errorf("audited %v", got)
	}
	for what, err := range map[string]error{
		"keep what does not retire": second(w.KeepKey(ctx, w.ann, app.ID, old.Public)),
	} {
		if !errors.Is(err, tenants.ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.KeepKey(ctx, w.bo, app.ID, old.Public); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("kept by another tenant: %v", err)
	}

	// Without an overlap the old one ends with the call.
	at, err := w.RotateKey(ctx, w.ann, app.ID, old.Public, 0)
	if err != nil || at.Old.State != tenants.KeyRevoked || at.Old.RevokedAt.IsZero() {
		t.Errorf("rotated without an overlap: %+v, %v", at.Old, err)
	}
	if _, err := w.AppByKey(ctx, old.Public); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("it still opens the app: %v", err)
	}
}

// TestRotationsAtOnce has many rotate one key: one does.
func TestRotationsAtOnce(t *testing.T) {
	w := newWorld(t)
	app, key := w.app(t, w.ann, "Chat")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.RotateKey(t.Context(), w.ann, app.ID, key.Public, time.Hour) })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, tenants.ErrState) {
			t.Error(err)
		}
	}
	keys, err := w.Keys(t.Context(), w.ann.TenantID, app.ID)
	if done != 1 || err != nil || len(keys) != 2 {
		t.Errorf("%d rotated, there are %d keys, %v", done, len(keys), err)
	}
}

func TestKeysThatRetireAreWrittenDownAsRevoked(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	later, err := w.CreateKey(ctx, w.ann, app.ID, anyKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []tenants.Key{key, later} {
		if _, err := w.RotateKey(ctx, w.ann, app.ID, k.Public, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := w.RevokeRetired(ctx); n != 0 || err != nil {
		t.Errorf("before the date: %d, %v", n, err)
	}
	w.exec(t, `UPDATE keys SET retires_at = now() - interval '1 second' WHERE public = $1`, key.Public)

	// Before the worker comes it counts as revoked all the same.
	if k := w.key(t, app.ID, key.Public); k.State != tenants.KeyRevoked || k.RevokedAt.IsZero() || !k.RetiresAt.IsZero() {
		t.Errorf("listed as %+v", k)
	}
	for what, err := range map[string]error{
		"reveal": second(w.RevealKey(ctx, w.ann, app.ID, key.Public)),
		"revoke": second(w.RevokeKey(ctx, w.ann, app.ID, key.Public)),
		"keep":   second(w.KeepKey(ctx, w.ann, app.ID, key.Public)),
		"rename": second(w.RenameKey(ctx, w.ann, app.ID, key.Public, "x")),
		"rotate": second(w.RotateKey(ctx, w.ann, app.ID, key.Public, 0)),
	} {
		if !errors.Is(err, tenants.ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if loaded, err := w.AppByID(ctx, app.ID); err != nil {
		t.Error(err)
	} else if _, ok := loaded.Key(key.Public); ok {
		t.Error("it opens the app")
	}
	var wg sync.WaitGroup
	found := make([]int, 4)
	for i := range found {
		wg.Go(func() {
			var err error
			if found[i], err = w.RevokeRetired(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if slices.Sort(found); !slices.Equal(found, []int{0, 0, 0, 1}) {
		t.Errorf("workers found %v", found)
	}
	if got := w.query(t, `SELECT state || ' ' || (revoked_at < now()) FROM keys WHERE public = $1`, key.Public); got[0] != "revoked true" {
		t.Errorf("written down as %v", got)
	}
	got := w.query(t, `SELECT tenant_id::text || ' ' || via || ' ' || detail::text FROM audit WHERE action = 'key.revoked'`)
	if len(got) != 1 || !strings.HasPrefix(got[0], w.ann.TenantID.String()+" worker") || !strings.Contains(got[0], `"before": {"state": "retiring"}`) {
		t.Errorf("audited %v", got)
	}
	if k := w.key(t, app.ID, later.Public); k.State != tenants.KeyRetiring {
		t.Errorf("the other is %+v", k)
	}
}

func TestRetiringKeysTakePlaces(t *testing.T) {
	w := newWorld(t)
	app, first := w.app(t, w.ann, "Chat")
	for range pgstore.MaxActiveKeys - 1 {
		if _, err := w.CreateKey(t.Context(), w.ann, app.ID, anyKey); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.RotateKey(t.Context(), w.ann, app.ID, first.Public, time.Hour); !errors.Is(err, tenants.ErrLimit) {
		t.Errorf("rotated with an overlap when the app is full: %v", err)
	}
	if k := w.key(t, app.ID, first.Public); k.State != tenants.KeyActive {
		t.Errorf("a refused rotation left it %+v", k)
	}
	if _, err := w.RotateKey(t.Context(), w.ann, app.ID, first.Public, 0); err != nil {
		t.Errorf("without one: %v", err)
	}
}

func TestWriteKeyUses(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, one := w.app(t, w.ann, "Chat")
	two, err := w.CreateKey(ctx, w.ann, app.ID, anyKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Minute)
	write := func(uses map[string]time.Time) {
		t.Helper()
		if err := w.WriteKeyUses(ctx, uses); err != nil {
			t.Fatal(err)
		}
	}
	if k := w.key(t, app.ID, one.Public); !k.LastUsedAt.IsZero() {
		t.Errorf("used at %v before it was", k.LastUsedAt)
	}
	write(map[string]time.Time{one.Public: now, "nosuchkey": now})
	write(map[string]time.Time{one.Public: now.Add(-time.Hour), two.Public: now.Add(-time.Hour)})
	write(nil)
	if k := w.key(t, app.ID, one.Public); !k.LastUsedAt.Equal(now) {
		t.Errorf("one was used at %v", k.LastUsedAt)
	}
	if k := w.key(t, app.ID, two.Public); !k.LastUsedAt.Equal(now.Add(-time.Hour)) {
		t.Errorf("two was used at %v", k.LastUsedAt)
	}
	// Edges that write the same keys at once, while the app goes.
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := w.WriteKeyUses(ctx, map[string]time.Time{one.Public: now.Add(time.Duration(i) * time.Minute), two.Public: now.Add(time.Duration(8-i) * time.Minute)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if err := w.DeleteApp(ctx, w.ann, app.ID); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
}

func TestApplyKeysWithScopes(t *testing.T) {
	w := newWorld(t)
	ctx, host := t.Context(), tenants.Actor{Via: "apply"}
	with := func(k tenants.Key) tenants.Manifest {
		k.Public, k.Secret = "abc", tenants.NewSecret("def")
		return tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Cargo", Apps: []tenants.ManifestApp{{ID: "7", Name: "chat", Keys: []tenants.Key{k}}}}}}
	}
	if _, err := w.Apply(ctx, host, with(tenants.Key{Scopes: tenants.ScopePublish, Label: "Billing"}), false); err != nil {
		t.Fatal(err)
	}
	app, err := w.AppByID(ctx, "7")
	if err != nil || app.Keys[0].Scopes != tenants.ScopePublish || app.Keys[0].Label != "Billing" {
		t.Fatalf("applied %+v, %v", app, err)
	}
	for name, c := range map[string]struct {
		key  tenants.Key
		want []string
	}{
		"the same":           {tenants.Key{Scopes: tenants.ScopePublish, Label: "Billing"}, nil},
		"nothing said of it": {tenants.Key{}, nil},
		"another label":      {tenants.Key{Label: "Accounts"}, []string{"key.renamed Cargo/chat abc to Accounts"}},
	} {
		done, err := w.Apply(ctx, host, with(c.key), true)
		var got []string
		for _, d := range done {
			got = append(got, d.Action+" "+d.What)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err = w.Apply(ctx, host, with(tenants.Key{Scopes: tenants.ScopeAll}), false)
	wantField(t, err, tenants.ErrConflict, "tenants[0].apps[0].keys[0].scopes")

	// A key that retires is there until its date.
	if _, err := w.RotateKey(ctx, tenants.Actor{TenantID: app.TenantID, Via: "test"}, "7", "abc", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Apply(ctx, host, with(tenants.Key{}), false); err != nil {
		t.Errorf("while it retires: %v", err)
	}
	w.exec(t, `UPDATE keys SET retires_at = now() WHERE public = 'abc'`)
	_, err = w.Apply(ctx, host, with(tenants.Key{}), false)
	wantField(t, err, tenants.ErrConflict, "tenants[0].apps[0].keys[0].key")
}
