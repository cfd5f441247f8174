package adminapi_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

func TestSettings(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ctx := t.Context()
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	id := app.GetId()
	got, err := ann.settings.GetAppSettings(ctx, &adminv1.GetAppSettingsRequest{AppId: id})
	if err != nil {
		t.Fatal(err)
	}
	s := got.GetSettings()
	if !s.GetFeatures().GetClientEvents() || s.GetFeatures().GetWatchlist() || len(s.GetOrigins()) != 0 || len(s.GetChannelRules()) != 0 || s.GetAppId() != id {
		t.Errorf("a new app has %v", s)
	}
	for i, f := range tenants.LimitFields() {
		want := &adminv1.Limit{
			Name: f.Name, Value: int32(f.Default), DefaultValue: int32(f.Default),
			Min: int32(f.Min), Max: int32(f.Max), Unit: s.GetLimits()[i].GetUnit(), Together: f.Together,
		}
		if !proto.Equal(s.GetLimits()[i], want) {
			t.Errorf("limit %v, want %v", s.GetLimits()[i], want)
		}
	}

	update := func(req *adminv1.UpdateAppSettingsRequest) *adminv1.AppSettings {
		t.Helper()
		req.AppId = id
		resp, err := ann.settings.UpdateAppSettings(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetSettings()
	}
	s = update(&adminv1.UpdateAppSettingsRequest{
		Features: &adminv1.FeatureChanges{ClientEvents: proto.Bool(false), Watchlist: proto.Bool(true)},
		Origins:  &adminv1.OriginList{List: []string{"HTTPS://Example.com/", "https://*.example.com"}},
		Limits:   &adminv1.LimitChanges{PayloadBytes: &adminv1.LimitChange{Value: proto.Int32(20000)}, Connections: &adminv1.LimitChange{Value: proto.Int32(0)}},
	})
	if s.GetFeatures().GetClientEvents() || !s.GetFeatures().GetWatchlist() || s.GetFeatures().GetTlsOnly() {
		t.Errorf("features %v", s.GetFeatures())
	}
	if !slices.Equal(s.GetOrigins(), []string{"https://example.com", "https://*.example.com"}) {
		t.Errorf("origins %v", s.GetOrigins())
	}
	if l := limit(s, "payload_bytes"); l.GetValue() != 20000 || !l.GetSet() || l.GetDefaultValue() != 10240 || l.GetUnit() != adminv1.LimitUnit_LIMIT_UNIT_BYTES {
		t.Errorf("payload_bytes %v", l)
	}
	if l := limit(s, "connections"); l.GetValue() != 0 || !l.GetSet() {
		t.Errorf("connections, set to what is its default: %v", l)
	}

	// What a request does not name stays.
	if again := update(&adminv1.UpdateAppSettingsRequest{}); !proto.Equal(again, s) {
		t.Errorf("an empty change gave %v", again)
	}
	s = update(&adminv1.UpdateAppSettingsRequest{
		Origins: &adminv1.OriginList{},
		Limits:  &adminv1.LimitChanges{PayloadBytes: &adminv1.LimitChange{}},
	})
	if len(s.GetOrigins()) != 0 || limit(s, "payload_bytes").GetSet() || limit(s, "payload_bytes").GetValue() != 10240 || !limit(s, "connections").GetSet() || !s.GetFeatures().GetWatchlist() {
		t.Errorf("put back: %v", s)
	}

	// Another tenant's app does not change, whatever is asked for.
	bo := d.signedUp(t, "bo@example.com", "Bolt")
	_, err = bo.settings.UpdateAppSettings(ctx, &adminv1.UpdateAppSettingsRequest{AppId: id, Features: &adminv1.FeatureChanges{TlsOnly: proto.Bool(true)}})
	wantCode(t, "another tenant", err, connect.CodeNotFound)
	if again := update(&adminv1.UpdateAppSettingsRequest{}); again.GetFeatures().GetTlsOnly() {
		t.Error("another tenant changed a feature")
	}
}

func channelRule(pattern string, size, ttl int32) *adminv1.ChannelRule {
	return &adminv1.ChannelRule{Pattern: pattern, Log: &adminv1.ChannelLog{Size: size, TtlSeconds: ttl}}
}

func TestChannelRules(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	rules := func(list ...*adminv1.ChannelRule) *adminv1.ChannelRuleList {
		return &adminv1.ChannelRuleList{List: list}
	}
	for name, c := range map[string]struct{ change, want *adminv1.ChannelRuleList }{
		"two":                 {rules(channelRule(" orders-** ", 1000, 3600), channelRule("*", 1, 1)), rules(channelRule("orders-*", 1000, 3600), channelRule("*", 1, 1))},
		"in another order":    {rules(channelRule("*", 1, 1), channelRule("orders-*", 10_000, 86_400)), rules(channelRule("*", 1, 1), channelRule("orders-*", 10_000, 86_400))},
		"none":                {rules(), rules()},
		"what is not changed": {nil, rules()},
	} {
		if c.change == nil {
			c.want = rules(channelRule("kept", 5, 5))
			if _, err := ann.settings.UpdateAppSettings(t.Context(), &adminv1.UpdateAppSettingsRequest{AppId: app.GetId(), ChannelRules: c.want}); err != nil {
				t.Fatal(err)
			}
		}
		put, err := ann.settings.UpdateAppSettings(t.Context(), &adminv1.UpdateAppSettingsRequest{AppId: app.GetId(), ChannelRules: c.change})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ann.settings.GetAppSettings(t.Context(), &adminv1.GetAppSettingsRequest{AppId: app.GetId()})
		if err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]*adminv1.AppSettings{"answered": put.GetSettings(), "read": got.GetSettings()} {
			if list := rules(s.GetChannelRules()...); !proto.Equal(list, c.want) {
				t.Errorf("%s: %s %v, want %v", name, what, list, c.want)
			}
		}
	}
}

func limit(s *adminv1.AppSettings, name string) *adminv1.Limit {
	for _, l := range s.GetLimits() {
		if l.GetName() == name {
			return l
		}
	}
	return nil
}

func withRules(list ...*adminv1.ChannelRule) *adminv1.UpdateAppSettingsRequest {
	return &adminv1.UpdateAppSettingsRequest{ChannelRules: &adminv1.ChannelRuleList{List: list}}
}

func TestBadSettingsNameTheField(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	before := d.snapshot(t)
	for _, c := range []struct {
		req         *adminv1.UpdateAppSettingsRequest
		field, text string
	}{
		{&adminv1.UpdateAppSettingsRequest{Limits: &adminv1.LimitChanges{PayloadBytes: &adminv1.LimitChange{Value: proto.Int32(0)}}}, "limits.payload_bytes", "from 1 to 1048576"},
		{&adminv1.UpdateAppSettingsRequest{Limits: &adminv1.LimitChanges{CacheTtlSeconds: &adminv1.LimitChange{Value: proto.Int32(1801)}}}, "limits.cache_ttl_seconds", "from 1 to 1800"},
		{&adminv1.UpdateAppSettingsRequest{Origins: &adminv1.OriginList{List: []string{"https://example.com", "example.com"}}}, "origins.list[1]", "https://example.com"},
		{&adminv1.UpdateAppSettingsRequest{Origins: &adminv1.OriginList{List: make([]string, 101)}}, "origins.list", "100"},
		{withRules(channelRule("a", 1, 1), channelRule("a:b", 1, 1)), "channel_rules.list[1].pattern", "letters, digits"},
		{withRules(channelRule("a", 1, 1), channelRule("a", 2, 2)), "channel_rules.list[1].pattern", "also that of rule 1"},
		{withRules(channelRule("a", 10_001, 1)), "channel_rules.list[0].log.size", "from 1 to 10000"},
		{withRules(channelRule("a", 1, -1)), "channel_rules.list[0].log.ttl_seconds", "from 1 to 86400"},
		{withRules(channelRule("a", 1, math.MaxInt32)), "channel_rules.list[0].log.ttl_seconds", "from 1 to 86400"},
		{withRules(&adminv1.ChannelRule{Pattern: "a"}), "channel_rules.list[0].log.size", "from 1 to 10000"},
		{withRules(nil), "channel_rules.list[0].pattern", "must not be empty"},
		{withRules(make([]*adminv1.ChannelRule, 51)...), "channel_rules.list", "50"},
	} {
		c.req.AppId = app.GetId()
		// One bad part keeps the rest from being changed.
		c.req.Features = &adminv1.FeatureChanges{Watchlist: proto.Bool(true)}
		_, err := ann.settings.UpdateAppSettings(t.Context(), c.req)
		wantViolation(t, c.field, err, connect.CodeInvalidArgument, c.field, c.text)
	}
	if after := d.snapshot(t); !slices.Equal(before, after) {
		t.Errorf("a refused change changed something:\n%v\n%v", before, after)
	}
}

func TestCheckOrigin(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	list := []string{"https://example.com", "https://*.example.com"}
	for _, c := range []struct {
		origin  string
		list    []string
		allowed bool
		entry   string
	}{
		{"https://example.com", list, true, list[0]},
		{" HTTPS://APP.example.com/ ", list, true, list[1]},
		{"https://a.b.example.com", list, false, ""},
		{"https://evil-example.com", list, false, ""},
		{"null", list, false, ""},
		{"null", nil, true, ""},
		{"https://anything.example", nil, true, ""},
	} {
		resp, err := ann.settings.CheckOrigin(t.Context(), &adminv1.CheckOriginRequest{Origin: c.origin, Origins: c.list})
		if err != nil || resp.GetAllowed() != c.allowed || resp.GetEntry() != c.entry {
			t.Errorf("%q in %q: %v, %v", c.origin, c.list, resp, err)
		}
		if want := strings.ToLower(strings.Trim(c.origin, " /")); resp.GetOrigin() != want {
			t.Errorf("%q is read as %q", c.origin, resp.GetOrigin())
		}
	}
	_, err := ann.settings.CheckOrigin(t.Context(), &adminv1.CheckOriginRequest{Origin: "example.com"})
	wantViolation(t, "no scheme", err, connect.CodeInvalidArgument, "origin", "https://example.com")
	_, err = ann.settings.CheckOrigin(t.Context(), &adminv1.CheckOriginRequest{Origin: "https://example.com", Origins: []string{"https://*"}})
	wantViolation(t, "a bad entry", err, connect.CodeInvalidArgument, "origins[0]", "star")
}

func TestEnableAndDisable(t *testing.T) {
	d := newDesk(t, "http://localhost:6002")
	ann := d.signedUp(t, "ann@example.com", "Acme")
	app, _ := ann.app(t, "Chat")
	off, err := ann.apps.DisableApp(t.Context(), &adminv1.DisableAppRequest{AppId: app.GetId()})
	if err != nil || off.GetApp().GetEnabled() {
		t.Errorf("disabled: %v, %v", off, err)
	}
	_, err = ann.event.PublishEvent(t.Context(), &adminv1.PublishEventRequest{AppId: app.GetId(), Channel: "c", Name: "e", Data: "{}"})
	wantCode(t, "publish to a disabled app", err, connect.CodeFailedPrecondition)
	on, err := ann.apps.EnableApp(t.Context(), &adminv1.EnableAppRequest{AppId: app.GetId()})
	if err != nil || !on.GetApp().GetEnabled() {
		t.Errorf("enabled: %v, %v", on, err)
	}
}

// TestTheContractNamesEverySetting: handlers go by the names of fields, in the schema and in the package tenants.
func TestTheContractNamesEverySetting(t *testing.T) {
	var features, limits []string
	for _, f := range tenants.FeatureFields() {
		features = append(features, f.Name)
	}
	for _, f := range tenants.LimitFields() {
		limits = append(limits, f.Name)
	}
	for _, c := range []struct {
		m    proto.Message
		want []string
	}{
		{&adminv1.Features{}, features},
		{&adminv1.FeatureChanges{}, features},
		{&adminv1.LimitChanges{}, limits},
	} {
		var got []string
		fields := c.m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			got = append(got, string(fields.Get(i).Name()))
			if kind := fields.Get(i).Kind(); kind != protoreflect.BoolKind && kind != protoreflect.MessageKind {
				t.Errorf("%s is a %v", fields.Get(i).FullName(), kind)
			}
		}
		// A message's fields stand in the order in which they were added.
		want := slices.Sorted(slices.Values(c.want))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%T has %v, want %v", c.m, got, want)
		}
	}
}
