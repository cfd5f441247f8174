package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func load(t *testing.T, environ []string, args ...string) (settings, error) {
	t.Helper()
	var got settings
	var err error
	cmd := &cobra.Command{Use: "x", RunE: func(cmd *cobra.Command, _ []string) error {
		got, err = loadSettings(cmd.Flags(), environ)
		return nil
	}}
	addSettingFlags(cmd, doorSettings()...)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return got, err
}

func TestAFlagWinsOverAVariableOverTheFile(t *testing.T) {
	file := write(t, "peal.yaml", "edge_addr: ':1'\ncontrol_addr: ':1'\nops_addr: ':1'\n")
	s, err := load(t, []string{"PEAL_BENCH_SECRET=x", "PEAL_CONFIG=" + file, "PEAL_CONTROL_ADDR=:2", "PEAL_OPS_ADDR=:2", "HOME=/"}, "--ops-addr", ":3")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{setEdgeAddr: ":1", setControlAddr: ":2", setOpsAddr: ":3", setLogLevel: "info"} {
		if got := s.text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s.duration(setShutdownTimeout) != 20*time.Second {
		t.Errorf("shutdown_timeout is %v", s.duration(setShutdownTimeout))
	}
}

func TestSettingsRefuse(t *testing.T) {
	config := func(text string) []string { return []string{"PEAL_CONFIG=" + write(t, "peal.yaml", text)} }
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"an unknown key in the file":   {environ: config("edge_address: ':1'\n"), want: `"edge_address"; did you mean edge_addr`},
		"a nested key in the file":     {environ: config("edge:\n  addr: ':1'\n"), want: `"edge.addr"; did you mean edge_addr`},
		"an unknown variable":          {environ: []string{"PEAL_COLOUR=red"}, want: "PEAL_COLOUR"},
		"a file that does not exist":   {args: []string{"--config", "/does/not/exist"}, want: "does not exist"},
		"a file that is no YAML":       {environ: config("a: [\n"), want: "configuration file"},
		"an address without a port":    {args: []string{"--edge-addr", "localhost"}, want: "edge_addr"},
		"a port that is none":          {environ: []string{"PEAL_OPS_ADDR=:99999"}, want: "ops_addr"},
		"a URL with a path":            {environ: []string{"PEAL_EDGE_URL=https://x.test/y"}, want: "edge_url"},
		"a URL without a scheme":       {environ: []string{"PEAL_DASHBOARD_URL=x.test"}, want: "dashboard_url"},
		"a duration without a unit":    {environ: []string{"PEAL_SHUTDOWN_TIMEOUT=20"}, want: "shutdown_timeout"},
		"a negative duration":          {environ: []string{"PEAL_SHUTDOWN_TIMEOUT=-1s"}, want: "shutdown_timeout"},
		"an emptied address":           {environ: []string{"PEAL_OPS_ADDR="}, want: "ops_addr"},
		"an emptied flag":              {args: []string{"--ops-addr", ""}, want: "ops_addr"},
		"an empty key of the file":     {environ: config("ops_addr:\n"), want: "ops_addr"},
		"an emptied duration":          {environ: []string{"PEAL_SHUTDOWN_TIMEOUT="}, want: "shutdown_timeout"},
		"an unknown level":             {args: []string{"--log-level", "loud"}, want: "log_level"},
		"an unknown format":            {args: []string{"--log-format", "xml"}, want: "log_format"},
		"a host name with a port":      {environ: []string{"PEAL_FALLBACK_HOSTNAME=edge.example:443"}, want: "fallback_hostname"},
		"a cookie of some kind":        {environ: []string{"PEAL_FALLBACK_COOKIE=peal"}, want: "fallback_cookie"},
		"a prefix with a slash behind": {args: []string{"--edge-path-prefix", "/x/"}, want: "edge_path_prefix"},
	} {
		_, err := load(t, c.environ, c.args...)
		if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSecretsAreNoFlags(t *testing.T) {
	cmd := serveCommand()
	for _, s := range allSettings() {
		if has := cmd.Flags().Lookup(s.flag()) != nil; has == s.secret {
			t.Errorf("%s: secret %v, flag %v", s.name, s.secret, has)
		}
		if s.help == "" {
			t.Errorf("%s says nothing of itself", s.name)
		}
	}
}

func TestRequired(t *testing.T) {
	s, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.required(setDatabaseURL); err == nil || !strings.Contains(err.Error(), "PEAL_DATABASE_URL") {
		t.Errorf("required: %v", err)
	}
}
