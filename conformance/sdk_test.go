//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestSDK runs the JavaScript libraries in Node and in Chromium: each test of theirs is one of ours.
func TestSDK(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("sdk/node_modules"); err != nil {
		t.Fatal("the libraries are not installed: run the suite by `make conformance`")
	}
	files, err := filepath.Glob("sdk/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of the libraries: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			runNode(t, file)
		})
	}
}

// outcome is a line of sdk/report.mjs.
type outcome struct {
	Name  string
	OK    bool
	Skip  string
	Error string
	MS    int
}

func runNode(t *testing.T, file string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "--test-force-exit", "--test-reporter=./report.mjs", filepath.Base(file))
	cmd.Dir = "sdk"
	cmd.Env = append(withoutSettings(), "CONFORMANCE_TARGET="+describeTarget(t))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tests, failed := 0, false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var o outcome
		if json.Unmarshal(lines.Bytes(), &o) != nil || o.Name == "" {
			t.Log(lines.Text()) // what a test or a library writes
			continue
		}
		tests++
		failed = !t.Run(o.Name, func(t *testing.T) {
			t.Logf("%d ms in node", o.MS)
			switch {
			case o.Skip != "":
				notOnOurs(t)
				t.Skip(o.Skip)
			case !o.OK:
				t.Error(o.Error)
			}
		}) || failed
	}
	if err := cmd.Wait(); (err != nil && !failed) || tests == 0 {
		t.Errorf("node %s: %v after %d tests\n%s", file, err, tests, &complaints)
	}
}

// describeTarget is the server under test in the form that sdk/target.mjs reads.
func describeTarget(t *testing.T) string {
	t.Helper()
	host, port, err := net.SplitHostPort(server.addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	apps := map[string]map[string]string{}
	for name, a := range server.apps {
		apps[name] = map[string]string{"id": a.id, "key": a.key, "secret": a.secret}
	}
	text, err := json.Marshal(map[string]any{"host": host, "port": n, "apps": apps, "needs": needs, "own": server.own != nil})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
