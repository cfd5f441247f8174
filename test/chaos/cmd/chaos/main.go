// Command chaos breaks a platform on purpose, row by row, and prints what its clients saw as a table. `make chaos` runs it,
// and has the table written into docs/reliability.md. It exits with 1 when anything did not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/pealhq/peal/test/chaos"
	"github.com/pealhq/peal/test/chaos/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx)
	stop()
	os.Exit(code)
}

func run(ctx context.Context) int {
	o, err := parse(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "chaos:", err)
		}
		return 2
	}
	passed, err := o.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !passed {
		return 1
	}
	return 0
}

// options are what is run, and where it is written.
type options struct {
	chaos.Config
	document string
	figures  bool
	command  string
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	short := f.Bool("short", false, "the sizes of the set that runs with the other tests")
	rows := f.String("rows", "", "only these rows, such as R1,R9; R3 is all rows of R3")
	rounds := f.Int("rounds", 1, "how often each row is run")
	edges := f.Int("edges", 0, "how many edges there are")
	sockets := f.Int("sockets", 0, "how many sockets listen")
	rate := f.Float64("rate", 0, "events published in a second")
	binary := f.String("binary", "", "the program under test; built from this repository when empty")
	previous := f.String("previous", "", "the commit that R24 runs beside the current one")
	seed := f.Uint64("seed", 0, "what rows draw with; 0 is another one each time")
	source := f.String("source", ".", "folder of the module")
	f.StringVar(&o.document, "document", "", "write what was found into this document")
	f.BoolVar(&o.figures, "figures", true, "measure what more than one edge costs")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag", f.Arg(0))
	}
	o.command = "make chaos"
	if len(args) > 0 {
		o.command += " ARGS='" + strings.Join(args, " ") + "'"
	}
	o.Config = chaos.Full()
	if *short {
		o.Config = chaos.Short()
		o.Slack = 1
	}
	o.Source, o.Binary, o.Previous, o.Rounds, o.Seed, o.Progress = *source, *binary, *previous, *rounds, *seed, os.Stderr
	if *rows != "" {
		o.Rows = strings.Split(*rows, ",")
	}
	if *edges != 0 {
		o.Edges = *edges
	}
	if *sockets != 0 {
		o.Sockets = *sockets
	}
	if *rate != 0 {
		o.Rate = *rate
	}
	return o, o.Check()
}

// run builds what is needed, runs the rows, writes what was found, and tells whether everything held.
func (o options) run(ctx context.Context) (bool, error) {
	if o.Binary == "" {
		dir, err := os.MkdirTemp("", "peal-chaos-")
		if err != nil {
			return false, err
		}
		defer func() { _ = os.RemoveAll(dir) }() // A temporary folder is no reason to fail.
		o.Binary = filepath.Join(dir, "peal")
		o.Progress.Write([]byte("chaos: building\n")) //nolint:errcheck // There is nowhere else to say it.
		if err := stack.Build(ctx, o.Source, o.Binary, false); err != nil {
			return false, err
		}
	}
	results, err := chaos.Run(ctx, o.Config)
	if err != nil {
		return false, err
	}
	var figures []chaos.Figure
	if o.figures {
		if figures, err = chaos.Figures(ctx, o.Config); err != nil {
			return false, fmt.Errorf("figures: %w", err)
		}
	}
	passed := true
	for _, r := range results {
		passed = passed && r.Passed()
	}
	if err := chaos.WriteTable(os.Stdout, results, figures); err != nil {
		return passed, err
	}
	if o.document == "" {
		return passed, nil
	}
	return passed, chaos.WriteDocument(o.document, o.about(ctx), results, figures)
}

// about says what must be known before the numbers are believed.
func (o options) about(ctx context.Context) []string {
	lines := []string{
		fmt.Sprintf("machine: %d cores, %s %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()),
		"version: " + stack.Describe(ctx, o.Source, "HEAD"),
		"redis: " + stack.RedisVersion(ctx),
		"command: `" + o.command + "`",
		fmt.Sprintf("load: %d edges, %d sockets besides the members of presence channels, %g events/s on %d channels of each of two apps; every "+
			"second channel has a log", o.Edges, o.Sockets, o.Rate, o.Channels),
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		average, _, _ := strings.Cut(string(text), " ")
		lines = append(lines, "load average at the end, of everything on the machine: "+average)
	}
	return lines
}
