package chaos

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/ledger"
)

func someResults() []Result {
	good := Result{
		Row: Row{Name: "R1", Title: "it breaks"}, Measures: []Measure{{"back after", "1s", "≤ 3s", false}, {"kills", "4", "", false}},
		Report: ledger.Report{Expected: 10, LostPlain: 2, LostTold: 1, Gaps: 3, Outcomes: [3]int{1, 5, 1}},
	}
	late := good
	late.Measures = []Measure{{"back after", "9s", "≤ 3s", true}, {"kills", "4", "", false}}
	late.Violations = []string{"I2: twice"}
	broken := Result{Row: Row{Name: "R2", Title: "it does not start"}, Err: errors.New("no\nserver")}
	return []Result{good, broken, late}
}

func TestADocumentGetsTheRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.md")
	text := "before\n" + beginMarker + "\nstale\n" + endMarker + "\nafter\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over the first
		if err := WriteDocument(path, []string{"cores: 2"}, someResults(), []Figure{{"latency", "1 ms"}, {"commands", "client|setname 1"}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n" + beginMarker, endMarker + "\nafter\n", "- cores: 2\n",
		"| R1 | it breaks | **1 of 2** | 10 | 20 | 4 | 2 | 6 |\n",
		"| R2 | it does not start | **0 of 1** | 0 | 0 | 0 | 0 | 0 |\n",
		"| R1 | **back after 1s / 9s (≤ 3s)**; kills 4; **round 2: 1 violations, such as I2: twice** |\n",
		"| R2 | **round 1 could not be run to its end: no server** |\n",
		"| latency | 1 ms |\n", "| commands | client\\|setname 1 |\n",
	} {
		if strings.Count(string(got), want) != 1 {
			t.Errorf("%q is not there once in\n%s", want, got)
		}
	}
	if strings.Contains(string(got), "stale") {
		t.Error("what was there before is still there")
	}
}

func TestADocumentWithoutMarkersIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if WriteDocument(path, nil, someResults(), nil) == nil {
		t.Error("it is written")
	}
	if got, _ := os.ReadFile(path); string(got) != "mine" {
		t.Errorf("it is %q", got)
	}
}

func TestTheTableForATerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteTable(&b, someResults(), nil); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(b.String(), "\n"); !strings.HasPrefix(lines[1], "R1   1 of 2  10 ") || !strings.HasPrefix(lines[2], "R2   0 of 1  0 ") {
		t.Errorf("%s", b.String())
	}
}

// TestAResultPassesOnlyWhenAllHolds: nothing that is wrong may be overlooked.
func TestAResultPassesOnlyWhenAllHolds(t *testing.T) {
	t.Parallel()
	for i, want := range []bool{true, false, false} {
		if r := someResults()[i]; r.Passed() != want {
			t.Errorf("%d: passed is %v", i, !want)
		}
	}
}

func TestCommandsAreTold(t *testing.T) {
	t.Parallel()
	c := commands{"evalsha": 3, "spublish": 2, "hset": 5, "ping": 0.2}
	for _, x := range []struct {
		of   commands
		want string
	}{
		{c.scaled(0.5), "1.60 (evalsha 1.50, ping 0.10), and 3.50 within scripts"},
		{c.without(commands{"evalsha": 3, "hset": 6}), "2.20 (ping 0.20, spublish 2.00), and 0.00 within scripts"},
	} {
		if got := x.of.String(); got != x.want {
			t.Errorf("%s, want %s", got, x.want)
		}
	}
}

func TestTheBusiestSecond(t *testing.T) {
	t.Parallel()
	var losses []crowd.Loss
	for i := range 100 { // one each 100 ms, but for twenty that come at once
		at := time.Duration(i) * 100 * time.Millisecond
		if i >= 40 && i < 60 {
			at = 6 * time.Second
		}
		losses = append(losses, crowd.Loss{At: at, Code: 4200})
	}
	if n := busiest(losses[:40]); n != 10 {
		t.Errorf("%d a second where there are ten", n)
	}
	if n := busiest(losses); n < 18 {
		t.Errorf("%d a second where twenty come at once", n)
	}
	if n := notAsked(append(losses, crowd.Loss{Code: 1006})); n != 1 {
		t.Errorf("%d were not asked", n)
	}
}
