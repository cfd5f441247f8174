package tenants

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// LimitOverrides are the limits that were set for an app, by their names. Those that are missing are at the
// platform's default, also when a later version has another one.
type LimitOverrides map[string]int

// Limits returns what holds: what was set, and the defaults for the rest.
func (o LimitOverrides) Limits() Limits {
	var l Limits
	for _, f := range LimitFields() {
		v, set := o[f.Name]
		if !set {
			v = f.Default
		}
		f.Set(&l, v)
	}
	return l
}

// SettingsChange says what is to change of an app's settings. What it does not name stays as it is.
type SettingsChange struct {
	// Features are switched on and off, by name.
	Features map[string]bool
	// Origins is the whole new list; nil keeps the old one, an empty list lets the pages of every site in.
	Origins *Origins
	// Limits are set, by name; nil puts one back to the default.
	Limits map[string]*int
	// ChannelRules are the whole new list; nil keeps the old one.
	ChannelRules *ChannelRules
}

// Check brings the change into the form that is stored, or returns the first thing that is wrong with it, as a
// [FieldError] under the path at, which may be empty.
func (c *SettingsChange) Check(at string) error {
	if at != "" {
		at += "."
	}
	features := FeatureFields()
	for _, name := range slices.Sorted(maps.Keys(c.Features)) {
		if !slices.ContainsFunc(features, func(f FeatureField) bool { return f.Name == name }) {
			return unknown(at+"features."+name, "feature", features, func(f FeatureField) string { return f.Name })
		}
	}
	if c.Origins != nil {
		list, err := CheckOrigins(at+"origins", *c.Origins)
		if err != nil {
			return err
		}
		c.Origins = &list
	}
	limits := LimitFields()
	for _, name := range slices.Sorted(maps.Keys(c.Limits)) {
		path := at + "limits." + name
		i := slices.IndexFunc(limits, func(f LimitField) bool { return f.Name == name })
		if i < 0 {
			return unknown(path, "limit", limits, func(f LimitField) string { return f.Name })
		}
		if v := c.Limits[name]; v != nil {
			if err := limits[i].Check(path, *v); err != nil {
				return err
			}
		}
	}
	if c.ChannelRules != nil {
		rules, err := CheckChannelRules(at+"channel_rules", *c.ChannelRules)
		if err != nil {
			return err
		}
		c.ChannelRules = &rules
	}
	return nil
}

func unknown[F any](path, noun string, fields []F, name func(F) string) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = name(f)
	}
	return Invalid(path, fmt.Sprintf("is no %s; there are %s", noun, strings.Join(names, ", ")))
}

// SettingChanged is one setting that a change made different.
type SettingChanged struct {
	// Path names the setting, such as "origins" or "limits.payload_bytes".
	Path string
	// Before and After are a bool, a list of origins or of rules, or a number. For a limit that is at its default they are nil.
	Before, After any
}

func (s SettingChanged) String() string {
	return s.Path + " " + settingText(s.Before) + " to " + settingText(s.After)
}

func settingText(v any) string {
	switch v := v.(type) {
	case nil:
		return "default"
	case bool:
		if v {
			return "on"
		}
		return "off"
	case Origins:
		if len(v) == 0 {
			return "any"
		}
		return strings.Join(v, " ")
	case ChannelRules:
		if len(v) == 0 {
			return "none"
		}
		rules := make([]string, len(v))
		for i, r := range v {
			rules[i] = r.Pattern + " " + r.Log.String()
		}
		return strings.Join(rules, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// Apply changes an app, and returns what is different now. The change has been checked.
func (c SettingsChange) Apply(a *App) []SettingChanged {
	var changed []SettingChanged
	for _, f := range FeatureFields() {
		on, named := c.Features[f.Name]
		if was := *f.Of(&a.Features); named && on != was {
			changed = append(changed, SettingChanged{"features." + f.Name, was, on})
			*f.Of(&a.Features) = on
		}
	}
	if c.Origins != nil && !slices.Equal(*c.Origins, a.Origins) {
		changed = append(changed, SettingChanged{"origins", a.Origins, *c.Origins})
		a.Origins = *c.Origins
	}
	set := maps.Clone(a.LimitsSet)
	for _, f := range LimitFields() {
		want, named := c.Limits[f.Name]
		was, isSet := set[f.Name]
		var before, after any
		if isSet {
			before = was
		}
		if want != nil {
			after = *want
		}
		if !named || before == after {
			continue
		}
		changed = append(changed, SettingChanged{"limits." + f.Name, before, after})
		if want == nil {
			delete(set, f.Name)
			continue
		}
		if set == nil {
			set = LimitOverrides{}
		}
		set[f.Name] = *want
	}
	a.LimitsSet, a.Limits = set, set.Within(a.PlanLimits)
	if c.ChannelRules != nil && !slices.Equal(*c.ChannelRules, a.ChannelRules) {
		changed = append(changed, SettingChanged{"channel_rules", a.ChannelRules, *c.ChannelRules})
		a.ChannelRules = *c.ChannelRules
	}
	return changed
}
