package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// report feeds events to a report and returns its counts and what it wrote.
func report(t *testing.T, events ...event) (counts, string) {
	t.Helper()
	var in, out bytes.Buffer
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	g := newGoReport(&out)
	g.read(&in)
	return g.counts(), out.String()
}

func TestGoCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		events []event
		want   counts
		shows  string
	}{
		{
			"a table counts by its cases",
			[]event{
				{Action: "pass", Package: "p", Test: "T/a"},
				{Action: "pass", Package: "p", Test: "T/b"},
				{Action: "pass", Package: "p", Test: "T"},
				{Action: "pass", Package: "p"},
			},
			counts{passed: 2},
			"ok   p (2 passed",
		},
		{
			"a failed case counts once",
			[]event{
				{Action: "output", Package: "p", Test: "T/a", Output: "it broke\n"},
				{Action: "fail", Package: "p", Test: "T/a"},
				{Action: "fail", Package: "p", Test: "T"},
				{Action: "fail", Package: "p"},
			},
			counts{failed: 1},
			"it broke",
		},
		{
			"a test that fails beside its cases counts",
			[]event{
				{Action: "pass", Package: "p", Test: "T/a"},
				{Action: "fail", Package: "p", Test: "T"},
				{Action: "fail", Package: "p"},
			},
			counts{passed: 1, failed: 1},
			"FAIL p",
		},
		{
			"a skip is shown with its reason",
			[]event{
				{Action: "output", Package: "p", Test: "T", Output: "=== RUN   T\n"},
				{Action: "output", Package: "p", Test: "T", Output: "    x_test.go:1: not on this moon\n"},
				{Action: "output", Package: "p", Test: "T", Output: "--- SKIP: T (0.00s)\n"},
				{Action: "skip", Package: "p", Test: "T"},
				{Action: "pass", Package: "p"},
			},
			counts{skipped: 1},
			"skipped T: x_test.go:1: not on this moon",
		},
		{
			"a package that does not build",
			[]event{
				{Action: "build-output", ImportPath: "p [p.test]", Output: "undefined: x\n"},
				{Action: "build-fail", ImportPath: "p [p.test]"},
				{Action: "fail", Package: "p", FailedBuild: "p [p.test]"},
			},
			counts{failed: 1},
			"undefined: x",
		},
		{
			"a leak that TestMain found",
			[]event{
				{Action: "pass", Package: "p", Test: "T"},
				{Action: "output", Package: "p", Output: "a goroutine is left\n"},
				{Action: "fail", Package: "p"},
			},
			counts{passed: 1, failed: 1},
			"a goroutine is left",
		},
		{
			"a test that never ended",
			[]event{
				{Action: "run", Package: "p", Test: "T"},
				{Action: "output", Package: "p", Test: "T", Output: "hanging\n"},
				{Action: "fail", Package: "p"},
			},
			counts{failed: 1},
			"hanging",
		},
		{"a package without tests", []event{{Action: "skip", Package: "p"}}, counts{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, out := report(t, c.events...)
			if got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if !strings.Contains(out, c.shows) {
				t.Errorf("wrote %q, which does not show %q", out, c.shows)
			}
		})
	}
}

func TestVitestCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, report string
		want         counts
		named        string
	}{
		{"all kinds", `{"numPassedTests":5,"numFailedTests":1,"numPendingTests":2,"numTodoTests":1}`, counts{5, 1, 3}, ""},
		{"fine", `{"numPassedTests":5,"success":true}`, counts{passed: 5}, ""},
		{"a file that did not load", `{"numPassedTests":5,"success":false}`, counts{passed: 5, failed: 1}, ""},
		{
			"one is named", `{"numFailedTests":1,"testResults":[{"assertionResults":[{"fullName":"a","status":"passed"},
				{"fullName":"every page","status":"failed","failureMessages":["too late\nat line 3"]}]}]}`,
			counts{failed: 1},
			"--- FAIL: every page\n    too late",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(path, []byte(c.report), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := readVitest(path)
			if got := r.counts(); err != nil || got != c.want {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
			if got := strings.Join(r.failures(), "\n"); got != c.named {
				t.Errorf("named %q; want %q", got, c.named)
			}
		})
	}
	if _, err := readVitest(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error without a report")
	}
}

func TestAPartThatDoesNotExist(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"lunch"}, &out); code != 2 || !strings.Contains(out.String(), "lunch") {
		t.Errorf("code %d: %s", code, out.String())
	}
}
