package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/tenants"
)

// doctorCommand tells what is wrong before an edge is started, or beside one that runs. It changes nothing.
func doctorCommand() *cobra.Command {
	var output string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what would keep an edge from running well, and change nothing",
		Long: "Look for what would keep an edge from running well, and change nothing: the settings, PostgreSQL and its schema,\n" +
			"Redis, the limits of this machine, the ports, and the edges that already run. Give it what `peal serve` gets.\n\n" +
			"It exits with 0 when there is no error, 7 when all errors are that something does not answer, and 1 otherwise.",
		Example: "  peal doctor\n  peal doctor -o json | jq '.checks[] | select(.status != \"ok\")'",
		Args:    noArgs,
	}
	addSettingFlags(cmd, doorSettings()...)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long PostgreSQL, Redis and a running edge may each take to answer")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if output != "table" && output != "json" {
			return usagef("--output %q is neither table nor json", output)
		}
		if timeout <= 0 {
			return usagef("--timeout %s is no time", timeout)
		}
		s, mistakes := readSettings(cmd.Flags(), environment())
		d := &doctor{settings: s, timeout: timeout}
		d.examine(cmd.Context(), mistakes)
		if err := d.print(cmd.OutOrStdout(), output); err != nil {
			return err
		}
		return d.verdict()
	}
	return cmd
}

// What a check may come to.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusError   = "error"
)

// finding is what one check came to.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	// Message is a sentence; of what is not ok it says what to do.
	Message string `json:"message"`
	// Unreachable says of an error that something did not answer, so that waiting may help.
	Unreachable bool `json:"unreachable,omitempty"`
}

// doctor goes from check to check and notes what it finds.
type doctor struct {
	settings settings
	timeout  time.Duration // of each thing that is asked
	found    []finding
}

func (d *doctor) ok(check, format string, args ...any) { d.note(check, statusOK, format, args...) }

func (d *doctor) warn(check, format string, args ...any) {
	d.note(check, statusWarning, format, args...)
}

func (d *doctor) fail(check, format string, args ...any) { d.note(check, statusError, format, args...) }

func (d *doctor) note(check, status, format string, args ...any) {
	d.found = append(d.found, finding{Check: check, Status: status, Message: fmt.Sprintf(format, args...)})
}

// away notes that something did not answer.
func (d *doctor) away(check, format string, args ...any) {
	d.fail(check, format, args...)
	d.found[len(d.found)-1].Unreachable = true
}

// examine makes all checks. One that fails keeps the others from nothing.
func (d *doctor) examine(ctx context.Context, mistakes []error) {
	d.examineSettings(mistakes)
	within := func(f func(context.Context)) {
		ctx, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		f(ctx)
	}
	var platform string
	within(func(ctx context.Context) { platform = d.examineDatabase(ctx) })
	within(func(ctx context.Context) { d.examineRedis(ctx, platform) })
	within(d.examineMail)
	d.examineDescriptors()
	d.examineMemory()
	within(d.examineDoors)
	within(d.examineEdge)
}

func (d *doctor) examineSettings(mistakes []error) {
	const check = "settings"
	for _, err := range mistakes {
		d.fail(check, "%v", err)
	}
	if len(mistakes) == 0 {
		d.ok(check, "all can be read and go together")
	}
	for _, name := range []string{setEdgeURL, setDashboardURL} {
		if u := d.settings.url(name); u != nil && u.Scheme == "https" && d.settings.text(setTrustedProxies) == "" {
			d.warn(check, "%s is https, so a proxy stands in front, and %s names none: TLS-only apps refuse everybody, and "+
				"limits by address take the proxy for one client; write its address there", name, setTrustedProxies)
			return
		}
	}
}

// verdict is nil where there is no error.
func (d *doctor) verdict() error {
	failed, unreachable := 0, 0
	for _, f := range d.found {
		if f.Status != statusError {
			continue
		}
		failed++
		if f.Unreachable {
			unreachable++
		}
	}
	if failed == 0 {
		return nil
	}
	err := errors.New("one check found an error")
	if failed > 1 {
		err = fmt.Errorf("%d checks found an error", failed)
	}
	if unreachable == failed {
		err = fmt.Errorf("%w: %w", tenants.ErrUnavailable, err)
	}
	return err
}

func (d *doctor) print(to io.Writer, output string) error {
	if output == "json" {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"checks": d.found})
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHECK\tSTATUS\tWHAT")
	for _, f := range d.found {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Check, f.Status, f.Message)
	}
	return w.Flush()
}
