package tenants_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/tenants"
)

func TestEveryLimitIsAField(t *testing.T) {
	fields := tenants.LimitFields()
	if n := reflect.TypeFor[tenants.Limits]().NumField(); n != len(fields) {
		t.Errorf("Limits has %d fields, LimitFields tells of %d", n, len(fields))
	}
	seen := map[string]bool{}
	for i, f := range fields {
		if seen[f.Name] {
			t.Errorf("%s comes twice", f.Name)
		}
		seen[f.Name] = true
		if f.Default < f.Min || f.Default > f.Max {
			t.Errorf("the default of %s, %d, is not from %d to %d", f.Name, f.Default, f.Min, f.Max)
		}
		// Setting one sets that one and no other.
		var l tenants.Limits
		f.Set(&l, f.Max)
		for j, other := range fields {
			want := 0
			if i == j {
				want = f.Max
			}
			if got := other.Get(&l); got != want {
				t.Errorf("after %s was set to %d, %s is %d", f.Name, f.Max, other.Name, got)
			}
		}
		for v, ok := range map[int]bool{f.Min: true, f.Max: true, f.Min - 1: false, f.Max + 1: false} {
			if err := f.Check("at."+f.Name, v); (err == nil) != ok {
				t.Errorf("%s: %d: %v", f.Name, v, err)
			}
		}
	}
}

func TestDefaultLimitsAreThoseOfPushersDocumentation(t *testing.T) {
	want := tenants.Limits{
		ClientEventsPerSecond: 10, PayloadBytes: 10240, ChannelNameLength: 164, EventNameLength: 200,
		ChannelsPerPublish: 100, EventsPerBatch: 10, ChannelsPerSocket: 1000, PresenceMembers: 100,
		MemberInfoBytes: 1024, WatchlistUsers: 100, CacheTTL: 30 * time.Minute, ActivityTimeout: 2 * time.Minute,
		AuthorizationTimeout: 30 * time.Second,
	}
	if diff := cmp.Diff(want, tenants.DefaultLimits()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryFeatureIsAField(t *testing.T) {
	fields := tenants.FeatureFields()
	if n := reflect.TypeFor[tenants.Features]().NumField(); n != len(fields) {
		t.Errorf("Features has %d fields, FeatureFields tells of %d", n, len(fields))
	}
	seen := map[*bool]bool{}
	var f tenants.Features
	for _, field := range fields {
		seen[field.Of(&f)] = true
	}
	if len(seen) != len(fields) {
		t.Error("two names stand for one switch")
	}
	if got := tenants.DefaultFeatures(); got != (tenants.Features{ClientEvents: true}) {
		t.Errorf("by default %+v", got)
	}
}

func number(n int) *int { return &n }

func TestSettingsChangeRefuses(t *testing.T) {
	for _, c := range []struct {
		change      tenants.SettingsChange
		field, text string
	}{
		{tenants.SettingsChange{Features: map[string]bool{"colour": true}}, "features.colour", "client_events, subscription_count"},
		{tenants.SettingsChange{Limits: map[string]*int{"paylod_bytes": nil}}, "limits.paylod_bytes", "payload_bytes"},
		{tenants.SettingsChange{Limits: map[string]*int{"payload_bytes": number(0)}}, "limits.payload_bytes", "from 1 to 1048576"},
		{tenants.SettingsChange{Limits: map[string]*int{"connections": number(-1)}}, "limits.connections", "from 0 to 10000000"},
		{tenants.SettingsChange{Origins: &tenants.Origins{"https://a.example", "b"}}, "origins[1]", "not an origin"},
		{tenants.SettingsChange{ChannelRules: &tenants.ChannelRules{rule("a", 1), rule("b:c", 1)}}, "channel_rules[1].pattern", "letters, digits"},
	} {
		for _, at := range []string{"", "tenants[0].apps[1]"} {
			want := c.field
			if at != "" {
				want = at + "." + c.field
			}
			var f *tenants.FieldError
			if err := c.change.Check(at); !errors.As(err, &f) || !errors.Is(err, tenants.ErrInvalid) || f.Field != want || !strings.Contains(f.Reason, c.text) {
				t.Errorf("%v, want %s: …%s…", err, want, c.text)
			}
		}
	}
}

func TestChangeOfChannelRules(t *testing.T) {
	app := &tenants.App{}
	for _, c := range []struct {
		to   *tenants.ChannelRules
		want string
	}{
		{nil, ""},
		{&tenants.ChannelRules{}, ""},
		{&tenants.ChannelRules{rule("a*", 1), rule("b", 2)}, "channel_rules none to a* log of 1 for 1m0s, b log of 2 for 1m0s"},
		{&tenants.ChannelRules{rule("a*", 1), rule("b", 2)}, ""},
		{nil, ""},
		{&tenants.ChannelRules{rule("b", 2), rule("a*", 1)}, "channel_rules a* log of 1 for 1m0s, b log of 2 for 1m0s to b log of 2 for 1m0s, a* log of 1 for 1m0s"},
		{&tenants.ChannelRules{}, "channel_rules b log of 2 for 1m0s, a* log of 1 for 1m0s to none"},
	} {
		change := tenants.SettingsChange{ChannelRules: c.to}
		if err := change.Check(""); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range change.Apply(app) {
			got = append(got, s.String())
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("changed %q, want %q", text, c.want)
		}
	}
}

func TestSettingsChangeApply(t *testing.T) {
	app := &tenants.App{Features: tenants.DefaultFeatures(), Limits: tenants.DefaultLimits()}
	change := tenants.SettingsChange{
		Features: map[string]bool{"watchlist": true, "client_events": true},
		Origins:  &tenants.Origins{"https://Example.com"},
		Limits:   map[string]*int{"payload_bytes": number(20000), "connections": nil, "cache_ttl_seconds": number(60)},
	}
	if err := change.Check(""); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range change.Apply(app) {
		got = append(got, c.String())
	}
	want := []string{
		"features.watchlist off to on", "origins any to https://example.com",
		"limits.payload_bytes default to 20000", "limits.cache_ttl_seconds default to 60",
	}
	if !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
	if !app.Features.Watchlist || !app.Features.ClientEvents || app.Limits.PayloadBytes != 20000 || app.Limits.CacheTTL != time.Minute || app.Limits.ChannelNameLength != 164 {
		t.Errorf("app is %+v", app)
	}
	before := app.LimitsSet
	if again := change.Apply(app); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
	// A limit that is set to the default's number is set: it stays when the default changes.
	reset := tenants.SettingsChange{Origins: &tenants.Origins{}, Limits: map[string]*int{"payload_bytes": nil, "event_name_length": number(200)}}
	if changed := reset.Apply(app); len(changed) != 3 {
		t.Errorf("put back: %v", changed)
	}
	if diff := cmp.Diff(tenants.LimitOverrides{"cache_ttl_seconds": 60, "event_name_length": 200}, app.LimitsSet); diff != "" || app.Limits.PayloadBytes != 10240 {
		t.Errorf("put back to %d: %s", app.Limits.PayloadBytes, diff)
	}
	if before["payload_bytes"] != 20000 {
		t.Error("a change reached into the map of an app that others hold")
	}
}
