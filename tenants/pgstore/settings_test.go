package pgstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgstore"
)

func number(n int) *int { return &n }

// everything is a change of every setting to something that it is not by default.
func everything() tenants.SettingsChange {
	c := tenants.SettingsChange{
		Features: map[string]bool{}, Limits: map[string]*int{},
		Origins:      &tenants.Origins{"https://example.com", "https://*.example.com"},
		ChannelRules: &tenants.ChannelRules{rule("orders-*", 10_000, 24*time.Hour), rule("private-A_=@,.;9", 1, time.Second)},
	}
	standard := tenants.DefaultFeatures()
	for _, f := range tenants.FeatureFields() {
		c.Features[f.Name] = !*f.Of(&standard)
	}
	for i, f := range tenants.LimitFields() {
		c.Limits[f.Name] = number(f.Min + i + 1) // Each another number, so that none is taken for another.
	}
	return c
}

func rule(pattern string, size int, ttl time.Duration) tenants.ChannelRule {
	return tenants.ChannelRule{Pattern: pattern, Log: tenants.ChannelLog{Size: size, TTL: ttl}}
}

func TestSettingsAreStored(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	want := *app
	if app.Features != tenants.DefaultFeatures() || app.Limits != tenants.DefaultLimits() || len(app.LimitsSet) != 0 || len(app.Origins) != 0 || len(app.ChannelRules) != 0 {
		t.Errorf("a new app has %+v", app)
	}
	change := everything()
	if err := change.Check(""); err != nil {
		t.Fatal(err)
	}
	change.Apply(&want)
	got, err := w.UpdateAppSettings(ctx, w.ann, app.ID, change)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("returned (-want +got):\n%s", diff)
	}
	if got.Limits.PayloadBytes == tenants.DefaultLimits().PayloadBytes || len(got.LimitsSet) != len(tenants.LimitFields()) {
		t.Errorf("limits %+v", got.Limits)
	}
	// Every road by which an app is read.
	list, err := w.Apps(ctx, w.ann.TenantID, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	byName, err := w.App(ctx, w.ann.TenantID, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	renamed, err := w.RenameApp(ctx, w.ann, app.ID, "Chat")
	if err != nil {
		t.Fatal(err)
	}
	byID, err := w.AppByID(ctx, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	byKey, err := w.AppByKey(ctx, key.Public)
	if err != nil || len(byKey.Keys) != 1 {
		t.Fatalf("%+v, %v", byKey, err)
	}
	byID.Keys, byKey.Keys = nil, nil
	for road, got := range map[string]*tenants.App{"list": list[0], "get": byName, "rename": renamed, "by id": byID, "by key": byKey} {
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", road, diff)
		}
	}

	// Back to where it began.
	back := tenants.SettingsChange{Features: map[string]bool{}, Limits: map[string]*int{}, Origins: &tenants.Origins{}, ChannelRules: &tenants.ChannelRules{}}
	for name, on := range change.Features {
		back.Features[name] = !on
	}
	for name := range change.Limits {
		back.Limits[name] = nil
	}
	got, err = w.UpdateAppSettings(ctx, w.ann, app.ID, back)
	if err != nil || got.Features != tenants.DefaultFeatures() || got.Limits != tenants.DefaultLimits() || len(got.LimitsSet) != 0 || len(got.Origins) != 0 || len(got.ChannelRules) != 0 {
		t.Errorf("back: %+v, %v", got, err)
	}
}

func TestSettingsAreAudited(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, _ := w.app(t, w.ann, "Chat")
	change := tenants.SettingsChange{
		Features: map[string]bool{"client_events": true, "watchlist": true},
		Origins:  &tenants.Origins{"https://example.com"},
		Limits:   map[string]*int{"payload_bytes": number(20000), "connections": nil},

		ChannelRules: &tenants.ChannelRules{rule("orders-*", 1000, time.Hour)},
	}
	for range 2 {
		if _, err := w.UpdateAppSettings(ctx, w.ann, app.ID, change); err != nil {
			t.Fatal(err)
		}
	}
	rows := w.query(t, `SELECT detail::text FROM audit WHERE action = 'app.settings_changed' AND target = $1`, app.ID)
	if len(rows) != 1 {
		t.Fatalf("audit rows %v, want one: the second change made no difference", rows)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(rows[0]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"before": map[string]any{"features.watchlist": false, "origins": []any{}, "limits.payload_bytes": nil, "channel_rules": []any{}},
		"after": map[string]any{
			"features.watchlist": true, "origins": []any{"https://example.com"}, "limits.payload_bytes": 20000.,
			"channel_rules": []any{map[string]any{"pattern": "orders-*", "log": map[string]any{"size": 1000., "ttl_seconds": 3600.}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := w.UpdateAppSettings(ctx, w.bo, app.ID, change); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("by another tenant: %v", err)
	}
}

func TestEnableApp(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	for range 2 {
		got, err := w.EnableApp(ctx, w.ann, app.ID, false)
		if err != nil || got.Enabled {
			t.Errorf("disabled %+v, %v", got, err)
		}
	}
	if seen, err := w.AppByKey(ctx, key.Public); err != nil || seen.Enabled {
		t.Errorf("the edge sees %+v, %v", seen, err)
	}
	if got, err := w.EnableApp(ctx, w.ann, app.ID, true); err != nil || !got.Enabled {
		t.Errorf("enabled %+v, %v", got, err)
	}
	if _, err := w.EnableApp(ctx, w.bo, app.ID, false); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("by another tenant: %v", err)
	}
	got := w.query(t, `SELECT action FROM audit WHERE target = $1 AND action LIKE 'app.%abled' ORDER BY id`, app.ID)
	if !slices.Equal(got, []string{"app.disabled", "app.enabled"}) {
		t.Errorf("audit %v", got)
	}
}

// TestTheSchemaKeepsTheRangesOfLimits compares the columns and their CHECKs with tenants.LimitFields, by trying.
func TestTheSchemaKeepsTheRangesOfLimits(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, _ := w.app(t, w.ann, "Chat")
	var want []string
	for _, f := range tenants.LimitFields() {
		want = append(want, "limit_"+f.Name)
	}
	columns := w.query(t, `
		SELECT column_name::text
		FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = 'apps' AND column_name LIKE 'limit\_%'
		ORDER BY ordinal_position`)
	// They stand in the order in which they were added.
	slices.Sort(columns)
	slices.Sort(want)
	if !slices.Equal(columns, want) {
		t.Errorf("columns %v, want %v", columns, want)
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, f := range tenants.LimitFields() {
		for v, ok := range map[any]bool{f.Min: true, f.Max: true, nil: true, f.Min - 1: false, f.Max + 1: false} {
			if _, err := conn.Exec(ctx, fmt.Sprintf(`UPDATE apps SET limit_%s = $1 WHERE id = $2`, f.Name), v, app.ID); (err == nil) != ok {
				t.Errorf("%s = %v: %v", f.Name, v, err)
			}
		}
	}
	many := strings.Split(strings.Repeat("https://example.com ", tenants.MaxOrigins+1), " ")[:tenants.MaxOrigins+1]
	for what, list := range map[string]any{"too many origins": many, "no list": nil, "no origin": []*string{nil}} {
		if _, err := conn.Exec(ctx, `UPDATE apps SET origins = $1 WHERE id = $2`, list, app.ID); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if _, err := conn.Exec(ctx, `UPDATE apps SET origins = $1 WHERE id = $2`, many[1:], app.ID); err != nil {
		t.Errorf("as many origins as may be: %v", err)
	}
}

// TestTheSchemaKeepsChannelRules compares the CHECK with tenants.CheckChannelRules, by trying.
func TestTheSchemaKeepsChannelRules(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, _ := w.app(t, w.ann, "Chat")
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	one := func(pattern, size, ttl string) string {
		return `{"pattern":` + pattern + `,"log":{"size":` + size + `,"ttl_seconds":` + ttl + `}}`
	}
	good := one(`"a"`, "1", "1")
	full := strings.Repeat(good+",", tenants.MaxChannelRules-1) + good
	long := strings.Repeat("a", tenants.MaxPatternLength)
	for rules, ok := range map[string]bool{
		`[]`:             true,
		`[` + full + `]`: true,
		`[` + one(`"-_=@,.;Az09*"`, "10000", "86400") + `]`: true,
		`[` + one(`"`+long+`"`, "1", "1") + `]`:             true,

		`[` + full + `,` + good + `]`:                false,
		`[` + good + `,` + one(`""`, "1", "1") + `]`: false,
		`[` + one(`"`+long+`a"`, "1", "1") + `]`:     false,
		`[` + one(`"a b"`, "1", "1") + `]`:           false,
		`[` + one(`"a:b"`, "1", "1") + `]`:           false,
		`[` + one(`"é"`, "1", "1") + `]`:             false,
		`[` + one(`"a\n"`, "1", "1") + `]`:           false,
		`[` + one(`1`, "1", "1") + `]`:               false,
		`[` + one(`["a"]`, "1", "1") + `]`:           false,
		`[` + one(`"a"`, "0", "1") + `]`:             false,
		`[` + one(`"a"`, "10001", "1") + `]`:         false,
		`[` + one(`"a"`, `"1"`, "1") + `]`:           false,
		`[` + one(`"a"`, "1", "0") + `]`:             false,
		`[` + one(`"a"`, "1", "86401") + `]`:         false,
		`[` + one(`"a"`, "1", "null") + `]`:          false,
		`[{"pattern":"a"}]`:                          false,
		`[{"log":{"size":1,"ttl_seconds":1}}]`:       false,
		`[[` + good + `]]`:                           false,
		`[null]`:                                     false,
		`null`:                                       false,
		`{}`:                                         false,
		good:                                         false,
		`"a"`:                                        false,
	} {
		if _, err := conn.Exec(ctx, `UPDATE apps SET channel_rules = $1 WHERE id = $2`, rules, app.ID); (err == nil) != ok {
			t.Errorf("%.100s: %v", rules, err)
		}
	}
	if _, err := conn.Exec(ctx, `UPDATE apps SET channel_rules = NULL WHERE id = $1`, app.ID); err == nil {
		t.Error("no list: taken")
	}
}

// TestTheVersionBeforeRunsOnThisSchema: its statements name no setting.
func TestTheVersionBeforeRunsOnThisSchema(t *testing.T) {
	w := newWorld(t)
	got := w.query(t, `
		INSERT INTO apps (id, tenant_id, name, enabled)
		VALUES ('77', $1, 'old', true)
		ON CONFLICT (id) DO NOTHING
		RETURNING id`, w.ann.TenantID)
	if len(got) != 1 {
		t.Fatalf("inserted %v", got)
	}
	app, err := w.AppByID(t.Context(), "77")
	if err != nil || app.Features != tenants.DefaultFeatures() || app.Limits != tenants.DefaultLimits() || len(app.ChannelRules) != 0 {
		t.Errorf("app %+v, %v", app, err)
	}
}

func TestApplySettings(t *testing.T) {
	w := newWorld(t)
	ctx, host := t.Context(), tenants.Actor{Via: "apply"}
	m := tenants.Manifest{Tenants: []tenants.ManifestTenant{{Name: "Cargo", Apps: []tenants.ManifestApp{
		{ID: "7", Name: "chat", Keys: []tenants.Key{{Public: "abc", Secret: tenants.NewSecret("def")}}, Settings: tenants.SettingsChange{
			Features: map[string]bool{"watchlist": true},
			Origins:  &tenants.Origins{"https://Example.com"},
			Limits:   map[string]*int{"payload_bytes": number(20000)},

			ChannelRules: &tenants.ChannelRules{rule("**", 1, time.Second)},
		}},
	}}}}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	settings := &m.Tenants[0].Apps[0].Settings
	steps := []struct {
		name   string
		change func()
		want   []string
	}{
		{"a new app", func() {}, []string{
			"features.watchlist off to on", "origins any to https://example.com", "limits.payload_bytes default to 20000", "channel_rules none to * log of 1 for 1s",
		}},
		{"the same again", func() {}, nil},
		{"what the file does not say stays", func() { *settings = tenants.SettingsChange{Features: map[string]bool{"watchlist": true}} }, nil},
		{"what differs", func() {
			*settings = tenants.SettingsChange{Origins: &tenants.Origins{}, Limits: map[string]*int{"payload_bytes": nil, "connections": number(5)}, ChannelRules: &tenants.ChannelRules{}}
		}, []string{"origins https://example.com to any", "limits.connections default to 5", "limits.payload_bytes 20000 to default", "channel_rules * log of 1 for 1s to none"}},
		{"that again", func() {}, nil},
	}
	for _, s := range steps {
		s.change()
		plan, err := w.Apply(ctx, host, m, true)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		done, err := w.Apply(ctx, host, m, false)
		if err != nil || !slices.Equal(plan, done) {
			t.Errorf("%s: planned %v, did %v, %v", s.name, plan, done, err)
		}
		var got []string
		for _, c := range done {
			if c.Action == "app.settings_changed" {
				got = append(got, strings.TrimPrefix(c.What, "Cargo/chat (7) "))
			}
		}
		if !slices.Equal(got, s.want) {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
	app, err := w.AppByID(ctx, "7")
	if err != nil || !app.Features.Watchlist || app.Limits.Connections != 5 || app.Limits.PayloadBytes != 10240 || len(app.Origins) != 0 {
		t.Errorf("app %+v, %v", app, err)
	}
	if n := w.query(t, `SELECT action FROM audit WHERE action = 'app.settings_changed'`); len(n) != 2 {
		t.Errorf("%d audit rows, want one for each apply that changed something", len(n))
	}
}

// TestSettingsReachTheEdge joins store, listener and cache as the platform does.
func TestSettingsReachTheEdge(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	app, key := w.app(t, w.ann, "Chat")
	// An entry that is never too old: what is seen, the notice has brought.
	cache := tenants.NewCache(tenants.CacheConfig{Loader: w.Store, Fresh: time.Hour})
	ready := make(chan struct{}, 100)
	run(t, pgstore.NewListener(pgstore.ListenerConfig{
		URL: w.url, Logger: slog.New(slog.DiscardHandler),
		Changed: func(_ context.Context, id string) { cache.Drop(id) },
		Reset:   func(context.Context) { cache.DropAll(); ready <- struct{}{} },
	}))
	<-ready
	if seen, err := cache.ByKey(ctx, key.Public); err != nil || seen.Limits != tenants.DefaultLimits() {
		t.Fatalf("before: %+v, %v", seen, err)
	}
	if _, err := w.UpdateAppSettings(ctx, w.ann, app.ID, everything()); err != nil {
		t.Fatal(err)
	}
	committed := time.Now()
	for {
		seen, err := cache.ByKey(ctx, key.Public)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Features.Watchlist && !seen.Features.ClientEvents && seen.Limits.Connections == 1 && !seen.Origins.Allow("https://evil.example") && seen.ChannelRules.Log("orders-1").Size == 10_000 {
			t.Logf("seen after %v", time.Since(committed))
			return
		}
		if time.Since(committed) > patience {
			t.Fatalf("the edge still sees %+v", seen)
		}
		time.Sleep(time.Millisecond)
	}
}
