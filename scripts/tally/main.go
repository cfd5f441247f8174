// Command tally runs every test there is (Go with the race detector, the dashboard's unit tests and type check, the browser's
// journeys through the built binary, the conformance suite against it and against two edges) and ends with one line that
// counts them all: "N passed, M failed, K skipped".
//
// What counts is a test without subtests of its own, in Go as in TypeScript: each case of a table is one, the table is
// not. What fails outside of any test (a package that does not build, a type error) counts as one that failed. It shows
// a line for each part, and the output of what failed. It installs and builds nothing: `make test` has done that.
//
// Names of parts as arguments run only those: go, types, unit, e2e, conformance, cluster.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// limit ends a part that hangs, well after the slowest machine is done with it.
const limit = 20 * time.Minute

// part is one of the things to run. It writes what a reader should see and returns what it counted.
type part struct {
	name string
	run  func(ctx context.Context, out io.Writer) counts
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, only []string, out io.Writer) int {
	parts := []part{
		{"go", goTests},
		{"types", typeCheck},
		{"unit", unitTests},
		{"e2e", journeys},
		{"conformance", conformance},
		{"cluster", cluster},
	}
	for _, name := range only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			_, _ = fmt.Fprintf(out, "there is no part %q: choose among go, types, unit, e2e, conformance, cluster\n", name)
			return 2
		}
	}
	var total counts
	for _, p := range parts {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		began := time.Now()
		partCtx, cancel := context.WithTimeout(ctx, limit)
		c := p.run(partCtx, out)
		cancel()
		_, _ = fmt.Fprintf(out, "%-11s %s, %s\n\n", p.name, c, time.Since(began).Round(100*time.Millisecond))
		total.add(c)
		if ctx.Err() != nil {
			_, _ = fmt.Fprintln(out, "interrupted")
			total.failed++
			break
		}
	}
	_, _ = fmt.Fprintln(out, total)
	if total.failed > 0 || total.passed == 0 {
		return 1
	}
	return 0
}

// counts says how many tests ended how.
type counts struct{ passed, failed, skipped int }

func (c *counts) add(o counts) {
	c.passed += o.passed
	c.failed += o.failed
	c.skipped += o.skipped
}

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}
