package tenants_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pealhq/peal/tenants"
)

type set = tenants.LimitOverrides

func TestAnAppKeepsWithinItsPlan(t *testing.T) {
	t.Parallel()
	def := tenants.DefaultLimits()
	for _, c := range []struct {
		name      string
		app, plan set
		limit     func(tenants.Limits) int
		want      int
	}{
		{"no plan, nothing set", nil, nil, func(l tenants.Limits) int { return l.PayloadBytes }, def.PayloadBytes},
		{"the plan's, where the app has none", nil, set{"payload_bytes": 500}, func(l tenants.Limits) int { return l.PayloadBytes }, 500},
		{"more than the default by the plan", nil, set{"payload_bytes": 1 << 20}, func(l tenants.Limits) int { return l.PayloadBytes }, 1 << 20},
		{"the app's, when it is tighter", set{"payload_bytes": 100}, set{"payload_bytes": 500}, func(l tenants.Limits) int { return l.PayloadBytes }, 100},
		{"the plan's, when the app's is from a larger plan", set{"payload_bytes": 900}, set{"payload_bytes": 500}, func(l tenants.Limits) int { return l.PayloadBytes }, 500},
		{"together: none of its own", nil, set{"connections": 100}, func(l tenants.Limits) int { return l.Connections }, 0},
		{"together: its own, when it is tighter", set{"connections": 10}, set{"connections": 100}, func(l tenants.Limits) int { return l.Connections }, 10},
		{"together: one that is looser is none", set{"connections": 200}, set{"connections": 100}, func(l tenants.Limits) int { return l.Connections }, 0},
		{"together: no bound is looser than one", set{"connections": 0}, set{"connections": 100}, func(l tenants.Limits) int { return l.Connections }, 0},
		{"together: a plan without a bound", set{"connections": 10}, set{"connections": 0}, func(l tenants.Limits) int { return l.Connections }, 10},
		{"members, as many as can be told of", set{"member_info_bytes": 16 << 10}, set{"presence_members": 8000}, func(l tenants.Limits) int { return l.PresenceMembers }, 512},
	} {
		if got := c.limit(c.app.Within(c.plan)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	together := set{"connections": 5, "messages_per_day": 7, "payload_bytes": 9}.Together()
	if want := (tenants.TenantLimits{Connections: 5, MessagesPerDay: 7}); together != want {
		t.Errorf("together %+v, want %+v", together, want)
	}
}

func TestWhatIsMoreThanThePlanIsRefused(t *testing.T) {
	t.Parallel()
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		name  string
		limit string
		value *int
		plan  set
		ok    bool
	}{
		{"less", "connections", number(9), set{"connections": 10}, true},
		{"the same", "connections", number(10), set{"connections": 10}, true},
		{"more", "connections", number(11), set{"connections": 10}, false},
		{"no bound", "connections", number(0), set{"connections": 10}, false},
		{"the default again", "connections", nil, set{"connections": 10}, true},
		{"no bound under a plan without one", "connections", number(0), set{"connections": 0}, true},
		{"a plan that says nothing", "connections", number(11), set{"payload_bytes": 10}, true},
		{"what plans say nothing of", "cache_ttl_seconds", number(60), set{"connections": 10}, true},
	} {
		change := tenants.SettingsChange{Limits: map[string]*int{c.limit: c.value}}
		err := change.CheckWithin(c.plan)
		var field *tenants.FieldError
		if c.ok != (err == nil) || !c.ok && (!errors.As(err, &field) || field.Field != "limits."+c.limit || !strings.Contains(field.Reason, "10")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPlansAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limits set
		field  string
	}{
		{set{"connections": 0, "payload_bytes": 1}, ""},
		{set{"payload_bytes": 0}, "limits.payload_bytes"},
		{set{"messages_per_day": -1}, "limits.messages_per_day"},
		{set{"cache_ttl_seconds": 60}, "limits.cache_ttl_seconds"},
		{set{"conections": 60}, "limits.conections"},
		{set{"presence_members": 10_000, "member_info_bytes": 16 << 10}, "limits.presence_members"},
	} {
		err := tenants.CheckPlanLimits("limits", c.limits)
		var field *tenants.FieldError
		if (c.field == "") != (err == nil) || err != nil && (!errors.As(err, &field) || field.Field != c.field) {
			t.Errorf("%v: %v", c.limits, err)
		}
	}
	for id, ok := range map[string]bool{"pro": true, "pro-2": true, "0": true, "": false, "-pro": false, "Pro": false, "p r": false, strings.Repeat("p", 41): false} {
		if err := tenants.CheckPlanID("id", id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestWhileATenantIsSuspendedItsMembersOnlyLook(t *testing.T) {
	t.Parallel()
	m := tenants.Membership{Role: tenants.RoleOwner}
	if !m.May(tenants.AppsWrite) || m.May(tenants.PlatformOperate) {
		t.Error("an owner", m.Permissions())
	}
	m.Tenant.SuspendedAt, m.Tenant.SuspendedFor = m.Tenant.CreatedAt.AddDate(2026, 0, 0), "bills"
	if m.May(tenants.AppsWrite) || m.May(tenants.KeysReveal) || !m.May(tenants.AppsRead) {
		t.Error("an owner of a suspended tenant", m.Permissions())
	}
	m.User.Operator = true
	if !m.May(tenants.PlatformOperate) {
		t.Error("an operator of a suspended tenant", m.Permissions())
	}
	for _, role := range tenants.Roles() {
		if role.May(tenants.PlatformOperate) {
			t.Error(role, "operates the platform")
		}
	}
}
