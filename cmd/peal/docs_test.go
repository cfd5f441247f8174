package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/pealhq/peal/tenants"
)

var updateDocs = flag.Bool("update", false, "write the lists in docs anew")

const docsFolder = "../../docs/"

// TestListOfSettings keeps docs/settings.md whole.
func TestListOfSettings(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`# Settings

Each is a flag, a variable and a key of the file that ` + "`--config`" + ` names, and they win in that order. Secrets have no flag, because
everybody on a machine can read the arguments of its processes. A name that does not exist is refused.

| flag | variable | key | default | what it does |
|---|---|---|---|---|
`)
	for _, s := range allSettings() {
		name, def := "`--"+s.flag()+"`", "`"+s.def+"`"
		if s.secret {
			name = "—"
		}
		if s.def == "" {
			def = "—"
		}
		fmt.Fprintf(&b, "| %s | `%s` | `%s` | %s | %s |\n", name, s.env(), s.name, def, s.help)
	}
	b.WriteString(`
` + "`--config` (`PEAL_CONFIG`)" + ` names the file. ` + "`peal dev`" + ` has ` + "`--data`, `--seed` and `--json`" + ` besides.

## Settings of an app

In the dashboard under *Settings*, in the admin API, and as ` + "`features`, `origins`, `limits` and `channel_rules`" + ` of an app in the file
that ` + "`peal apply`" + ` and ` + "`peal dev --seed`" + ` take. They reach every edge within a second. What a limit does when it is hit is in [limits.md](limits.md).

| feature | default | what it does |
|---|---|---|
`)
	defaults := tenants.DefaultFeatures()
	for _, f := range tenants.FeatureFields() {
		fmt.Fprintf(&b, "| `%s` | %v | %s |\n", f.Name, *f.Of(&defaults), helpFor(t, f.Name))
	}
	b.WriteString("\n| limit | default | from | to | what it bounds |\n|---|---|---|---|---|\n")
	for _, f := range tenants.LimitFields() {
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %s |\n", f.Name, f.Default, f.Min, f.Max, helpFor(t, f.Name))
	}
	b.WriteString(`
` + "`origins`" + ` is a list such as ` + "`https://example.com` or `https://*.example.com`" + `, where the star is one label; an empty one lets every
site's pages in.

` + fmt.Sprintf("`channel_rules`"+` is a list of at most %d rules. Each has a `+"`pattern`"+`, which is a channel's name or has stars for any run of
characters, also for none (%d characters and 8 stars at most), and a `+"`log`: `size`, from 1 to %d messages, and `ttl_seconds`"+`, from 1 to %d.
Of the rules that fit a channel the first one counts, and no other; a channel that none fits has no log. What a log is for is in
[protocol.md](protocol.md). It takes memory on the bus: size times the length of a message, for each channel of that name.
`, tenants.MaxChannelRules, tenants.MaxPatternLength, tenants.MaxLogSize, tenants.MaxLogTTL/time.Second) + `
` + "```yaml" + `
channel_rules:                                # the whole list; [] leaves none
  - pattern: orders-vip-*
    log: {size: 10000, ttl_seconds: 86400}
  - pattern: orders-*
    log: {size: 1000, ttl_seconds: 3600}
` + "```" + `
`)
	checkDoc(t, "settings.md", b.String())
}

// helpFor returns what an app's setting does, in a line.
func helpFor(t *testing.T, name string) string {
	t.Helper()
	help := map[string]string{
		"client_events":                 "clients may publish to the private and presence channels that they are on",
		"subscription_count":            "subscribers are told how many they are",
		"watchlist":                     "signed-in users are told when those they watch come and go",
		"authorized_connections":        "closes who has neither signed in nor joined a private or presence channel in time",
		"tls_only":                      "refuses what does not come over TLS",
		"compression":                   "offers permessage-deflate, which costs memory for each connection",
		"connections":                   "connections at once; 0 is no bound",
		"connections_per_second":        "connections that begin; 0 is no bound",
		"messages_per_second":           "messages published, one for each channel of each event; 0 is no bound",
		"messages_per_day":              "messages published from one midnight UTC to the next; 0 is no bound",
		"client_events_per_second":      "client events of one connection",
		"payload_bytes":                 "the data of one event",
		"channel_name_length":           "characters of a channel's name",
		"event_name_length":             "characters of an event's name",
		"channels_per_publish":          "channels of one event",
		"events_per_batch":              "events of one batch",
		"channels_per_socket":           "channels that one connection is on",
		"presence_members":              "distinct members of a presence channel",
		"member_info_bytes":             "what one member tells of itself; times the members at most 8 MiB",
		"watchlist_users":               "users that one user watches",
		"cache_ttl_seconds":             "how long a cache channel keeps its event",
		"activity_timeout_seconds":      "silence after which a connection is pinged",
		"authorization_timeout_seconds": "time for a connection to be authorized, where it must be",
	}[name]
	if help == "" {
		t.Errorf("nothing is said of %s", name)
	}
	return help
}

// TestListOfMetrics keeps docs/metrics.md whole.
func TestListOfMetrics(t *testing.T) {
	t.Parallel()
	s, err := loadSettings(pflag.NewFlagSet("", pflag.ContinueOnError), []string{"PEAL_REDIS_URL=redis://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{store: &stores{}, cfg: platformConfig{settings: s, log: slog.New(slog.DiscardHandler)}}
	if p.edgeDoor, err = openDoor(t.Context(), "edge", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer p.closeDoors()
	if err := p.openBus(t.Context(), "any"); err != nil {
		t.Fatal(err)
	}
	p.openMetering()
	if err := p.openMail(); err != nil {
		t.Fatal(err)
	}
	p.build()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		p.metrics.Describe(descriptions)
	}()
	shape := regexp.MustCompile(`fqName: "(peal_[a-z_]+)", help: "([^"]+)", unit: ".*", constLabels: \{.*\}, variableLabels: \{(.*)\}\}`)
	var rows []string
	for d := range descriptions {
		if m := shape.FindStringSubmatch(d.String()); m != nil {
			labels := "—"
			if m[3] != "" {
				labels = "`" + strings.ReplaceAll(m[3], ",", "`, `") + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", m[1], labels, m[2]))
		}
	}
	slices.Sort(rows)
	if len(rows) < 15 {
		t.Fatalf("only %d metrics were found: is this still how they describe themselves?", len(rows))
	}
	checkDoc(t, "metrics.md", `# Metrics

What `+"`/metrics`"+` on the ops door tells of this process, besides Go's own and the process's. No metric has a label for a channel, a
socket or an app: there can be millions of them.

| name | labels | what it is |
|---|---|---|
`+strings.Join(rows, ""))
}

func checkDoc(t *testing.T, name, want string) {
	t.Helper()
	if *updateDocs {
		if err := os.WriteFile(docsFolder+name, []byte(want), 0o644); err != nil { //nolint:gosec // The names are ours.
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFolder + name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/%s is not what the program has; write it anew with `go test ./cmd/peal -run TestListOf -update`:\n%s", name, diff)
	}
}

// TestListOfCloseCodes keeps the codes of docs/protocol.md whole.
func TestListOfCloseCodes(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("../../pusher/close.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(docsFolder + "protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`CloseCode = (\d{4})`).FindAllStringSubmatch(string(code), -1)
	if len(found) < 15 {
		t.Fatalf("only %d codes were found in the code", len(found))
	}
	for _, m := range found {
		if !strings.Contains(string(doc), m[1]) {
			t.Errorf("docs/protocol.md says nothing of the code %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d{4}) \|`).FindAllStringSubmatch(string(doc), -1) {
		if !slices.ContainsFunc(found, func(f []string) bool { return f[1] == m[1] }) {
			t.Errorf("docs/protocol.md lists the code %s, which does not exist", m[1])
		}
	}
}
