package tenants_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/tenants"
)

func logOf(size int) tenants.ChannelLog { return tenants.ChannelLog{Size: size, TTL: time.Minute} }

func rule(pattern string, size int) tenants.ChannelRule {
	return tenants.ChannelRule{Pattern: pattern, Log: logOf(size)}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern string
		fits    []string
		others  []string
	}{
		{"orders", []string{"orders"}, []string{"order", "orders1", "Orders", ""}},
		{"*", []string{"orders", "private-a", "*"}, nil},
		{"orders-*", []string{"orders-", "orders-1", "orders-a-b"}, []string{"orders", "my-orders-1"}},
		{"*-orders", []string{"-orders", "my-orders", "a-orders-orders"}, []string{"orders", "my-orders-1"}},
		{"a*a", []string{"aa", "aba", "aaa"}, []string{"a", "ab", "ba"}},
		{"a*b*c", []string{"abc", "axbxc", "abcbc"}, []string{"ac", "acb", "abcx"}},
		{"a*b*b", []string{"abb", "axbb", "abxb"}, []string{"ab", "axb"}},
		{"*a*", []string{"a", "bab", "ab"}, []string{"b", ""}},
		{"*ab*ab", []string{"abab", "xabxab", "ababab"}, []string{"ab", "aab"}},
		{"presence-*-chat.*", []string{"presence-x-chat.1", "presence--chat."}, []string{"presence-chat.1"}},
	} {
		rules := tenants.ChannelRules{rule(c.pattern, 7)}
		for _, name := range c.fits {
			if got := rules.Log(name); got != logOf(7) {
				t.Errorf("%q does not fit %q: %v", name, c.pattern, got)
			}
		}
		for _, name := range c.others {
			if got := rules.Log(name); got != (tenants.ChannelLog{}) {
				t.Errorf("%q fits %q", name, c.pattern)
			}
		}
	}
}

func TestTheFirstRuleThatFitsHolds(t *testing.T) {
	t.Parallel()
	rules := tenants.ChannelRules{rule("orders-1", 1), rule("orders-*", 2), rule("*", 3)}
	for name, want := range map[string]int{
		"orders-1": 1, "orders-2": 2, "news": 3,
		// These are no channels of the app's.
		"#server-to-user-ann": 0, "#user-ann": 0, "#watch-ann": 0,
	} {
		if got := rules.Log(name); got.Size != want {
			t.Errorf("%s: %d, want %d", name, got.Size, want)
		}
	}
	var none tenants.ChannelRules
	if got := none.Log("news"); got != (tenants.ChannelLog{}) {
		t.Errorf("without rules: %v", got)
	}
}

func TestCheckChannelRules(t *testing.T) {
	t.Parallel()
	got, err := tenants.CheckChannelRules("channel_rules", tenants.ChannelRules{rule(" a**b*** ", 1), rule("A-z_0=9@,.;*", 10_000)})
	if diff := cmp.Diff(tenants.ChannelRules{rule("a*b*", 1), rule("A-z_0=9@,.;*", 10_000)}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := tenants.CheckChannelRules("channel_rules", nil); err != nil || got == nil || len(got) != 0 {
		t.Errorf("no rules: %v, %v", got, err)
	}
	full := make(tenants.ChannelRules, 51)
	for i := range full {
		full[i] = rule(fmt.Sprint("c", i), 1)
	}
	if _, err := tenants.CheckChannelRules("channel_rules", full[1:]); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	with := func(change func(*tenants.ChannelRule)) tenants.ChannelRules {
		r := rule("b", 1)
		change(&r)
		return tenants.ChannelRules{rule("a", 1), r}
	}
	for _, c := range []struct {
		rules       tenants.ChannelRules
		field, text string
	}{
		{full, "channel_rules", "at most 50 rules"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = " " }), "channel_rules[1].pattern", "must not be empty"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = strings.Repeat("a", 201) }), "channel_rules[1].pattern", "at most 200 characters"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = "a b" }), "channel_rules[1].pattern", "letters, digits and"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = "#user-*" }), "channel_rules[1].pattern", "letters, digits and"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = "é" }), "channel_rules[1].pattern", "letters, digits and"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = strings.Repeat("a*", 9) }), "channel_rules[1].pattern", "at most 8 stars"},
		{with(func(r *tenants.ChannelRule) { r.Pattern = "a" }), "channel_rules[1].pattern", "is also that of rule 1"},
		{with(func(r *tenants.ChannelRule) { r.Log.Size = 0 }), "channel_rules[1].log.size", "from 1 to 10000"},
		{with(func(r *tenants.ChannelRule) { r.Log.Size = 10_001 }), "channel_rules[1].log.size", "from 1 to 10000"},
		{with(func(r *tenants.ChannelRule) { r.Log.TTL = 0 }), "channel_rules[1].log.ttl_seconds", "from 1 to 86400"},
		{with(func(r *tenants.ChannelRule) { r.Log.TTL = 24*time.Hour + time.Second }), "channel_rules[1].log.ttl_seconds", "from 1 to 86400"},
		{with(func(r *tenants.ChannelRule) { r.Log.TTL = 1500 * time.Millisecond }), "channel_rules[1].log.ttl_seconds", "from 1 to 86400"},
	} {
		var f *tenants.FieldError
		_, err := tenants.CheckChannelRules("channel_rules", c.rules)
		if !errors.As(err, &f) || !errors.Is(err, tenants.ErrInvalid) || f.Field != c.field || !strings.Contains(f.Reason, c.text) {
			t.Errorf("%v, want %s: …%s…", err, c.field, c.text)
		}
	}
}

func TestChannelRulesAsJSON(t *testing.T) {
	t.Parallel()
	rules := tenants.ChannelRules{{Pattern: "a*", Log: tenants.ChannelLog{Size: 5, TTL: time.Hour}}}
	text, err := json.Marshal(rules)
	if want := `[{"pattern":"a*","log":{"size":5,"ttl_seconds":3600}}]`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	var back tenants.ChannelRules
	if err := json.Unmarshal(text, &back); err != nil || !slices.Equal(rules, back) {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`[{"log":{"size":"x"}}]`), &back); err == nil {
		t.Error("a size that is no number")
	}
}

// FuzzPatterns holds the matcher against a regular expression, and the check against what it lets through.
func FuzzPatterns(f *testing.F) {
	for _, seed := range [][2]string{{"*", "a"}, {"a*b*c", "aXbYc"}, {"*ab*ab", "abab"}, {"**", ""}, {"orders-*", "orders-1"}, {"a.c", "abc"}, {"#*", "#a"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		kept, err := tenants.CheckChannelRules("r", tenants.ChannelRules{rule(pattern, 1)})
		if err != nil {
			return
		}
		again, err := tenants.CheckChannelRules("r", kept)
		if err != nil || !slices.Equal(again, kept) {
			t.Fatalf("%q was kept as %q, and that as %v, %v", pattern, kept[0].Pattern, again, err)
		}
		want := regexp.MustCompile(`(?s)\A` + strings.ReplaceAll(regexp.QuoteMeta(kept[0].Pattern), `\*`, `.*`) + `\z`).MatchString(name)
		want = want && !strings.HasPrefix(name, "#")
		if got := kept.Log(name).Size > 0; got != want {
			t.Fatalf("%q fits %q: %v, want %v", name, kept[0].Pattern, got, want)
		}
	})
}

func TestLogAllocatesNothing(t *testing.T) {
	rules := fiftyRules()
	if n := testing.AllocsPerRun(100, func() { rules.Log("orders-1-2") }); n != 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func fiftyRules() tenants.ChannelRules {
	rules := make(tenants.ChannelRules, tenants.MaxChannelRules)
	for i := range rules {
		rules[i] = rule(fmt.Sprintf("private-tenant-%d-*", i), 1)
	}
	return rules
}

func BenchmarkLog(b *testing.B) {
	worst := make(tenants.ChannelRules, tenants.MaxChannelRules)
	for i := range worst {
		worst[i] = rule(strings.Repeat("*a", 8)+"b", 1)
	}
	for _, c := range []struct {
		name, channel string
		rules         tenants.ChannelRules
	}{
		{"none", "private-tenant-7-orders", nil},
		{"one", "private-tenant-0-orders", fiftyRules()[:1]},
		{"fifty", "private-tenant-77-orders", fiftyRules()},
		{"fifty-of-the-worst", strings.Repeat("a", 200), worst},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.rules.Log(c.channel)
			}
		})
	}
}
