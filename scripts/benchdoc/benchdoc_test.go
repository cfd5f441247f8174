package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func targets(plain, peal string) string {
	return `{"targets":[{"name":"plain","rounds":[` + plain + `]},{"name":"peal","rounds":[` + peal + `]}]}`
}

func TestDocument(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	document := filepath.Join(t.TempDir(), "performance.md")
	write(t, folder, map[string]string{
		"machine.txt": "processor: P\ncommand: scripts/bench.sh\n",
		"start.txt":   "ready: 5 ms\n",
		"go.txt":      "pkg: github.com/pealhq/peal/channels\nBenchmarkHub/n=1-2   \t 100\t 12.5 ns/op\t 0 B/op\t 1 allocs/op\nPASS\n",
		"fanout-16.json": targets(
			`{"rates":{"deliveries":100},"server":{"cpu_seconds_per_million":10,"cpu_share":0.5}},{"rates":{"deliveries":200},"counts":{"expected":9,"lost":4}}`,
			`{"rates":{"deliveries":1500}},{"rates":{"deliveries":3400},"generator":{"bottleneck":true}}`),
		"idle-1.json":     targets(``, `{"server":{"bytes_per_connection":5000}}`),
		"idle-2.json":     targets(``, `{"server":{"bytes_per_connection":15001}}`),
		"presence.json":   "",
		"presence.failed": "peal: refused\n",
		"size-100.json":   `{"targets":[{"name":"peal","rounds":[{"rates":{"deliveries":7}}]}]}`,
		"plain-100.json":  `{"targets":[{"name":"plain","rounds":[{"rates":{"deliveries":3},"server":{"cpu_seconds_per_million":2}}]}]}`,
	})
	write(t, filepath.Dir(document), map[string]string{"performance.md": "before\n" + beginMarker + "\nold\n" + endMarker + "\nafter\n"})
	for range 2 { // The second time finds what the first has written.
		if err := run(folder, document); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + beginMarker, endMarker + "\nafter\n", "- processor: P", "`scripts/bench.sh`", "- ready: 5 ms",
		"| fan-out to 1,000, window 16: deliveries/s | 150 (100–200) | 2,450 (1,500–3,400) | 16 (15–17) | ≥ 10 | ≥ 16 | aim |",
		"10,000 subscribed connections |  | 10,000 (5,000–15,000) | 10,000 (5,000–15,000) | ≤ 10,000 | ≤ 6,000 | **no** |",
		"4 of 9 deliveries were lost", "at its limit, or late, so the server may do more: fanout-16 peal (1 of 2 rounds)",
		"too low and what is counted in CPU is not: fanout-16 plain (1 of 2 rounds)", "presence ended early: peal: refused",
		"not measured: see below", "| 100 | 7 |  | 3 | 2 |", "| channels | Hub/n=1 | 12.5 | 0 | 1 |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") || strings.Count(string(text), beginMarker) != 1 {
		t.Errorf("%s", text)
	}
}

func TestADocumentWithoutMarkersIsLeftAlone(t *testing.T) {
	t.Parallel()
	if _, err := replace([]byte("text"), nil); err == nil {
		t.Error("it is written over")
	}
}
