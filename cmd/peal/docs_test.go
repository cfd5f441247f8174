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

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
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
	checkDoc(t, "settings.md", b.String())
}

// TestListOfMetrics keeps docs/metrics.md whole.
func TestListOfMetrics(t *testing.T) {
	t.Parallel()
	s, err := loadSettings(pflag.NewFlagSet("", pflag.ContinueOnError), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{cfg: platformConfig{settings: s, log: slog.New(slog.DiscardHandler)}}
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
		if err := os.WriteFile(docsFolder+name, []byte(want), 0o644); err != nil {
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
