package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// typeCheck has no tests: it counts only when it fails.
func typeCheck(ctx context.Context, out io.Writer) counts {
	if text, err := npm(ctx, "typecheck"); err != nil {
		_, _ = fmt.Fprintf(out, "%s\n%v\n", text, err)
		return counts{failed: 1}
	}
	return counts{}
}

func unitTests(ctx context.Context, out io.Writer) counts { return vitest(ctx, out, "test") }

func journeys(ctx context.Context, out io.Writer) counts { return vitest(ctx, out, "e2e") }

// vitest runs one of the dashboard's test scripts and reads its report.
func vitest(ctx context.Context, out io.Writer, script string) counts {
	dir, err := os.MkdirTemp("", "peal-tally-")
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return counts{failed: 1}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	report := filepath.Join(dir, "report.json")
	text, runErr := npm(ctx, script, "--", "--reporter=default", "--reporter=json", "--outputFile.json="+report)
	r, err := readVitest(report)
	c := r.counts()
	if (runErr != nil || err != nil) && c.failed == 0 {
		c.failed++ // it failed outside of any test
	}
	if c.failed > 0 {
		_, _ = fmt.Fprintf(out, "%s\n%v\n", text, errors.Join(runErr, err))
		// Once more, as Go names what failed: what the browser said is long.
		for _, failure := range r.failures() {
			_, _ = fmt.Fprintln(out, failure)
		}
	}
	return c
}

// vitestReport is what we read of vitest's JSON report.
type vitestReport struct {
	NumPassedTests  int
	NumFailedTests  int
	NumPendingTests int
	NumTodoTests    int
	Success         bool
	TestResults     []struct {
		AssertionResults []struct {
			FullName        string
			Status          string
			FailureMessages []string
		}
	}
}

func readVitest(path string) (r vitestReport, err error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the file was named by us.
	if err != nil {
		return r, fmt.Errorf("vitest left no report: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("vitest's report: %w", err)
	}
	return r, nil
}

func (r vitestReport) counts() counts {
	c := counts{passed: r.NumPassedTests, failed: r.NumFailedTests, skipped: r.NumPendingTests + r.NumTodoTests}
	if !r.Success && c.failed == 0 {
		c.failed++ // a file that did not load
	}
	return c
}

// failures names each test that failed, with the first line of why.
func (r vitestReport) failures() []string {
	var list []string
	for _, file := range r.TestResults {
		for _, test := range file.AssertionResults {
			if test.Status != "failed" {
				continue
			}
			why, _, _ := strings.Cut(strings.Join(test.FailureMessages, "\n"), "\n")
			list = append(list, fmt.Sprintf("--- FAIL: %s\n    %s", test.FullName, why))
		}
	}
	return list
}

// npm runs a script of the dashboard and returns all it said.
func npm(ctx context.Context, script string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", append([]string{"run", "--silent", script}, args...)...) //nolint:gosec // G204: our own scripts.
	cmd.Dir = "dashboard"
	// Without a terminal vitest would still draw one when colors are forced from outside.
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "CI=1")
	// npm passes a signal on to what it runs and waits for it; what hangs then is cut off.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	text, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("npm run %s: %w", script, err)
	}
	return string(text), err
}
