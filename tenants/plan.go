package tenants

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Plan is what a tenant is entitled to. It gives limits to the tenant, below which each of its apps may have tighter ones.
type Plan struct {
	// ID names the plan in commands and files: small letters, digits and hyphens.
	ID   string
	Name string
	// Default says that new tenants get this plan. One plan at most is.
	Default bool
	// Limits are those that the plan sets, of [PlanLimitFields]. Those of [LimitField.Together] bound all apps of a tenant
	// together, the others each app.
	Limits LimitOverrides
	// Tenants is how many tenants have the plan.
	Tenants int
}

var planID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// CheckPlanID tells whether a text may be a plan's id. The error is a [FieldError].
func CheckPlanID(field, id string) error {
	if !planID.MatchString(id) {
		return Invalid(field, "must be 1 to 40 small letters, digits and hyphens, and not begin with a hyphen")
	}
	return nil
}

// PlanLimitFields returns the limits that a plan may set: all but those which say how long something takes.
func PlanLimitFields() []LimitField {
	return slices.DeleteFunc(LimitFields(), func(f LimitField) bool { return f.Unit() == UnitSeconds })
}

// CheckPlanLimits tells whether a plan may have these limits. The error is a [FieldError] under the path at.
func CheckPlanLimits(at string, set LimitOverrides) error {
	fields := PlanLimitFields()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		i := slices.IndexFunc(fields, func(f LimitField) bool { return f.Name == name })
		if i < 0 {
			return unknown(at+"."+name, "limit of plans", fields, func(f LimitField) string { return f.Name })
		}
		if err := fields[i].Check(at+"."+name, set[name]); err != nil {
			return err
		}
	}
	l := set.Limits()
	return l.Check()
}

// TenantLimits are what all apps of a tenant may do together. 0 is no bound.
type TenantLimits struct{ Connections, ConnectionsPerSecond, MessagesPerSecond, MessagesPerDay int }

// Together returns what the plan's limits bound for all apps of a tenant together.
func (o LimitOverrides) Together() TenantLimits {
	l := o.Limits()
	return TenantLimits{l.Connections, l.ConnectionsPerSecond, l.MessagesPerSecond, l.MessagesPerDay}
}

// Within returns what holds for an app with these limits under a plan's: the tighter of the two, and where the app has none of its
// own the plan's. Of what the plan bounds for all apps together an app has only a bound of its own that is tighter.
func (o LimitOverrides) Within(plan LimitOverrides) Limits {
	l := o.Limits()
	for _, f := range PlanLimitFields() {
		most, planned := plan[f.Name]
		if !planned {
			continue
		}
		if own, set := o[f.Name]; set && f.Tighter(own, most) {
			continue
		}
		if f.Together {
			most = 0
		}
		f.Set(&l, most)
	}
	// A plan may leave more room for members than an app with large ones can use.
	if l.PresenceMembers*l.MemberInfoBytes > maxPresenceBytes {
		l.PresenceMembers = maxPresenceBytes / l.MemberInfoBytes
	}
	return l
}

// CheckWithin tells whether the limits that the change sets fit below a plan's. The error is a [FieldError] under "limits".
func (c *SettingsChange) CheckWithin(plan LimitOverrides) error {
	for _, f := range PlanLimitFields() {
		want := c.Limits[f.Name]
		if most, planned := plan[f.Name]; want != nil && planned && f.Tighter(most, *want) {
			return Invalid("limits."+f.Name, fmt.Sprintf("is more than the plan of this account allows, which is %d", most))
		}
	}
	return nil
}
