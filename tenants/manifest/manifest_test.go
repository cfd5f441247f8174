package manifest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/manifest"
)

func TestParse(t *testing.T) {
	m, err := manifest.Parse(strings.NewReader(`
tenants:
  - name: Acme
    apps:
      - id: "7"
        name: chat
        keys: [{key: abc, secret: def}]
        enabled: false
      - id: 8
        name: board
      - name: unnumbered
`))
	if err != nil {
		t.Fatal(err)
	}
	apps := m.Tenants[0].Apps
	if len(apps) != 3 || apps[0].ID != "7" || apps[1].ID != "8" || apps[2].ID != "" {
		t.Fatalf("apps %+v", apps)
	}
	if *apps[0].Enabled || apps[1].Enabled != nil {
		t.Errorf("enabled: %v, %v", apps[0].Enabled, apps[1].Enabled)
	}
	if k := apps[0].Keys[0]; k.Public != "abc" || k.Secret.Reveal() != "def" {
		t.Errorf("key %+v", k)
	}
}

func TestParseSettings(t *testing.T) {
	m, err := manifest.Parse(strings.NewReader(`
tenants:
  - name: Acme
    apps:
      - name: chat
        features: {client_events: false, watchlist: true}
        origins: [https://Example.com, "https://*.example.com"]
        limits: {payload_bytes: 20000, connections: null}
        channel_rules:
          - pattern: orders-*
            log: {size: 1000, ttl_seconds: 3600}
          - {pattern: "*", log: {size: 1, ttl_seconds: 60}}
      - name: board
        origins: []
        channel_rules: []
      - name: silent
        origins:
        limits:
        channel_rules:
`))
	if err != nil {
		t.Fatal(err)
	}
	apps := m.Tenants[0].Apps
	chat := apps[0].Settings
	if len(chat.Features) != 2 || chat.Features["client_events"] || !chat.Features["watchlist"] {
		t.Errorf("features %v", chat.Features)
	}
	if !slices.Equal(*chat.Origins, tenants.Origins{"https://example.com", "https://*.example.com"}) {
		t.Errorf("origins %v", *chat.Origins)
	}
	unset, named := chat.Limits["connections"]
	if len(chat.Limits) != 2 || *chat.Limits["payload_bytes"] != 20000 || !named || unset != nil {
		t.Errorf("limits %v", chat.Limits)
	}
	rules := tenants.ChannelRules{
		{Pattern: "orders-*", Log: tenants.ChannelLog{Size: 1000, TTL: time.Hour}}, {Pattern: "*", Log: tenants.ChannelLog{Size: 1, TTL: time.Minute}},
	}
	if !slices.Equal(*chat.ChannelRules, rules) {
		t.Errorf("rules %v", *chat.ChannelRules)
	}
	if r := apps[1].Settings.ChannelRules; r == nil || len(*r) != 0 {
		t.Errorf("no rules became %v", r)
	}
	if o := apps[1].Settings.Origins; o == nil || len(*o) != 0 {
		t.Errorf("an empty list became %v", o)
	}
	if s := apps[2].Settings; s.Origins != nil || s.Features != nil || s.Limits != nil || s.ChannelRules != nil {
		t.Errorf("what is not said became %+v", s)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a field that does not exist": {"tenants:\n  - name: A\n    apps:\n      - name: a\n        colour: red\n", "colour"},
		"one at the top":              {"tenant:\n  - name: A\n", "tenant"},
		"a wrong type":                {"tenants:\n  - name: A\n    apps:\n      - {name: a, enabled: perhaps}\n", "line 4, column 28: must be true or false"},
		"broken YAML":                 {"tenants: [\n", "line 1"},
		"a tenant without a name":     {"tenants:\n  - apps: []\n", "tenants[0].name"},
		"an app without a name":       {"tenants:\n  - {name: A, apps: [{id: 7}]}\n", "tenants[0].apps[0].name"},
		"an id with letters":          {"tenants:\n  - {name: A, apps: [{name: a, id: x7}]}\n", "tenants[0].apps[0].id"},
		"an id twice":                 {"tenants:\n  - {name: A, apps: [{name: a, id: 7}, {name: b, id: 7}]}\n", "apps[1].id"},
		"a name twice":                {"tenants:\n  - {name: A, apps: [{name: a}, {name: a}]}\n", "apps[1].name"},
		"a tenant twice":              {"tenants:\n  - {name: A}\n  - {name: A}\n", "tenants[1].name"},
		"a name twice but for case":   {"tenants:\n  - {name: A, apps: [{name: Chat}, {name: ' chat '}]}\n", "apps[1].name"},
		"a tenant id that is none":    {"tenants:\n  - {id: x, name: A}\n", "tenants[0].id"},
		"a key twice":                 {"tenants:\n  - {name: A, apps: [{name: a, keys: [{key: k, secret: s}, {key: k, secret: z}]}]}\n", "keys[1].key"},
		"a key without a secret":      {"tenants:\n  - {name: A, apps: [{name: a, keys: [{key: k}]}]}\n", "keys[0].secret"},
		"a key with a colon":          {"tenants:\n  - {name: A, apps: [{name: a, keys: [{key: 'k:k', secret: hushhush}]}]}\n", "keys[0].key"},
		"an unknown feature":          {"tenants:\n  - {name: A, apps: [{name: a, features: {watchlst: true}}]}\n", "tenants[0].apps[0].features.watchlst"},
		"a feature that is no switch": {"tenants:\n  - {name: A, apps: [{name: a, features: {watchlist: often}}]}\n", "must be true or false"},
		"an unknown limit":            {"tenants:\n  - {name: A, apps: [{name: a, limits: {payload: 1}}]}\n", "tenants[0].apps[0].limits.payload"},
		"a limit out of range":        {"tenants:\n  - {name: A, apps: [{name: a, limits: {payload_bytes: 0}}]}\n", "limits.payload_bytes: must be from 1 to 1048576"},
		"a rule with a bad pattern":   {"tenants:\n  - {name: A, apps: [{name: a, channel_rules: [{pattern: '#a', log: {size: 1, ttl_seconds: 1}}]}]}\n", "tenants[0].apps[0].channel_rules[0].pattern: may hold only"},
		"a rule without a log":        {"tenants:\n  - {name: A, apps: [{name: a, channel_rules: [{pattern: a}]}]}\n", "channel_rules[0].log.size: must be from 1 to 10000"},
		"a rule with a long log":      {"tenants:\n  - {name: A, apps: [{name: a, channel_rules: [{pattern: a, log: {size: 1, ttl_seconds: 9223372037}}]}]}\n", "channel_rules[0].log.ttl_seconds: must be from 1 to 86400"},
		"a rule with a unit":          {"tenants:\n  - {name: A, apps: [{name: a, channel_rules: [{pattern: a, log: {size: 1, ttl_seconds: 1h}}]}]}\n", "must be a whole number"},
		"a limit with a unit":         {"tenants:\n  - {name: A, apps: [{name: a, limits: {payload_bytes: 10kB}}]}\n", "line 2, column 56: must be a whole number"},
		"a limit that overflows":      {"tenants:\n  - {name: A, apps: [{name: a, limits: {payload_bytes: 99999999999999999999}}]}\n", "line 2, column 56: is too large a number"},
		"a limit twice":               {"tenants:\n  - {name: A, apps: [{name: a, limits: {payload_bytes: 1, payload_bytes: 2}}]}\n", "payload_bytes"},
		"an origin with a path":       {"tenants:\n  - {name: A, apps: [{name: a, origins: ['https://a.example/x']}]}\n", "tenants[0].apps[0].origins[0]"},
		"a huge file":                 {"# " + strings.Repeat("x", manifest.MaxBytes), "larger than"},
	} {
		_, err := manifest.Parse(strings.NewReader(c.text))
		switch {
		case err == nil:
			t.Errorf("%s: taken", name)
		case !errors.Is(err, tenants.ErrInvalid) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case strings.Contains(err.Error(), "hushhush"):
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func TestParseTakesAnEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n", "tenants: []\n"} {
		if m, err := manifest.Parse(strings.NewReader(text)); err != nil || len(m.Tenants) != 0 {
			t.Errorf("%q: %+v, %v", text, m, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("tenants:\n  - {name: A, apps: [{name: a, id: 7, keys: [{key: k, secret: s}]}]}\n")
	f.Add("tenants:\n  - {name: A, apps: [{name: a, features: {watchlist: true}, origins: ['https://*.a.example'], limits: {connections: ~}}]}\n")
	f.Add("tenants: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := manifest.Parse(strings.NewReader(text)); err == nil {
			if err := m.Check(); err != nil {
				t.Errorf("parsed but does not check: %v", err)
			}
		}
	})
}

func TestParseTrimsNames(t *testing.T) {
	m, err := manifest.Parse(strings.NewReader("tenants:\n  - {name: ' Acme ', apps: [{name: ' " + strings.Repeat("x", 60) + " '}]}\n"))
	if err != nil || m.Tenants[0].Name != "Acme" || m.Tenants[0].Apps[0].Name != strings.Repeat("x", 60) {
		t.Errorf("%+v, %v", m, err)
	}
}
