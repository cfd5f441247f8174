package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// goTests runs every Go package.
func goTests(ctx context.Context, out io.Writer) counts {
	return runGo(ctx, out, nil, "-race", "-timeout=10m", "./...")
}

// conformance runs the suite that drives the built binary. It measures nothing that the race detector could see, and what
// it talks to is another program, so its result is good for one run only.
func conformance(ctx context.Context, out io.Writer) counts {
	return runGo(ctx, out, nil, conformanceArgs()...)
}

// cluster runs the same suite against two edges behind HAProxy.
func cluster(ctx context.Context, out io.Writer) counts {
	return runGo(ctx, out, []string{"CONFORMANCE_EDGES=2"}, conformanceArgs()...)
}

func conformanceArgs() []string {
	return []string{"-tags=conformance", "-count=1", "-parallel=16", "-timeout=10m", "./conformance"}
}

func runGo(ctx context.Context, out io.Writer, env []string, args ...string) counts {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...) //nolint:gosec // G204: our own arguments.
	cmd.Env = append(os.Environ(), env...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return counts{failed: 1}
	}
	g := newGoReport(out)
	g.read(stdout)
	err = cmd.Wait()
	c := g.counts()
	if err != nil && c.failed == 0 {
		_, _ = fmt.Fprintf(out, "go test: %v\n%s\n", err, complaints.String())
		c.failed++
	}
	return c
}

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// goReport collects events, and writes a line when a package is done.
type goReport struct {
	out      io.Writer
	packages map[string]*goPackage
	builds   map[string]*strings.Builder // what the compiler said, by import path
}

type goPackage struct {
	verdict string
	tests   map[string]*goTest
	output  strings.Builder // outside of any test
}

type goTest struct {
	verdict string // "" while it runs
	output  strings.Builder
}

func newGoReport(out io.Writer) *goReport {
	return &goReport{out: out, packages: map[string]*goPackage{}, builds: map[string]*strings.Builder{}}
}

func (g *goReport) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				g.note(e)
			} else {
				_, _ = g.out.Write(line) // no event: the go command complains about something else
			}
		}
		if err != nil {
			return
		}
	}
}

func (g *goReport) note(e event) {
	if strings.HasPrefix(e.Action, "build-") {
		b, ok := g.builds[e.ImportPath]
		if !ok {
			b = &strings.Builder{}
			g.builds[e.ImportPath] = b
		}
		b.WriteString(e.Output)
		return
	}
	p, ok := g.packages[e.Package]
	if !ok {
		p = &goPackage{tests: map[string]*goTest{}}
		g.packages[e.Package] = p
	}
	output, verdict := &p.output, &p.verdict
	if e.Test != "" {
		t, ok := p.tests[e.Test]
		if !ok {
			t = &goTest{}
			p.tests[e.Test] = t
		}
		output, verdict = &t.output, &t.verdict
	}
	switch e.Action {
	case "output":
		output.WriteString(e.Output)
	case "pass", "fail", "skip":
		*verdict = e.Action
		if e.Test == "" {
			g.finish(e, p)
		}
	}
}

// finish writes what a reader should know of a package that is done.
func (g *goReport) finish(e event, p *goPackage) {
	c := p.counts()
	if e.Action == "skip" && len(p.tests) == 0 {
		return // no test files
	}
	_, _ = fmt.Fprintf(g.out, "%-4s %s (%s) %.1fs\n", map[bool]string{true: "FAIL", false: "ok"}[c.failed > 0], e.Package, c, e.Elapsed)
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		t := p.tests[name]
		switch t.verdict {
		case "fail", "":
			_, _ = fmt.Fprint(g.out, t.output.String())
		case "skip":
			_, _ = fmt.Fprintf(g.out, "     skipped %s: %s\n", name, reason(t.output.String()))
		}
	}
	if c.failed > 0 {
		_, _ = fmt.Fprint(g.out, p.output.String())
		if b, ok := g.builds[e.FailedBuild]; ok {
			_, _ = fmt.Fprint(g.out, b.String())
		}
	}
}

// reason is what a skipped test said last.
func reason(output string) string {
	last := "(no reason given)"
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			last = line
		}
	}
	return last
}

func (g *goReport) counts() (total counts) {
	for _, p := range g.packages {
		total.add(p.counts())
	}
	return total
}

func (p *goPackage) counts() (c counts) {
	for name, t := range p.tests {
		switch {
		case p.hasSubtests(name):
			// Its subtests count; itself only if it failed on its own account.
			if t.verdict == "fail" && !p.failedBelow(name) {
				c.failed++
			}
		case t.verdict == "pass":
			c.passed++
		case t.verdict == "skip":
			c.skipped++
		default: // it failed, or never ended
			c.failed++
		}
	}
	if p.verdict != "pass" && p.verdict != "skip" && c.failed == 0 {
		c.failed++ // it does not build, or its TestMain said no
	}
	return c
}

func (p *goPackage) hasSubtests(name string) bool {
	for other := range p.tests {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

func (p *goPackage) failedBelow(name string) bool {
	for other, t := range p.tests {
		if strings.HasPrefix(other, name+"/") && t.verdict != "pass" && t.verdict != "skip" {
			return true
		}
	}
	return false
}
