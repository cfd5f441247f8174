package main

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNoisy: every noise is made and ends, and the quiet tenant loses nothing. How long its events take is not for a test to judge,
// which shares its machine.
func TestNoisy(t *testing.T) {
	t.Parallel()
	peal := filepath.Join(t.TempDir(), "peal")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", peal, "../../cmd/peal").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out bytes.Buffer
	cfg := config{peal: peal, rounds: 1, duration: 500 * time.Millisecond, rate: 50, hearers: 5, crowd: 200}
	rows, err := run(t.Context(), cfg, &out)
	if err != nil && !errors.Is(err, errMissed) {
		t.Fatal(err)
	}
	if len(rows) != 4 || strings.Count(out.String(), "PASS")+strings.Count(out.String(), "missed") != 4 {
		t.Errorf("printed\n%s", &out)
	}
	for _, r := range rows {
		for _, h := range append(r.quiet, r.noisy...) {
			if h.Delivered < 100 || h.P99 <= 0 || h.wrong() > 0 {
				t.Errorf("%s: %+v", r.name, h)
			}
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	ms := func(list ...float64) (rounds []heard) {
		for _, v := range list {
			rounds = append(rounds, heard{P99: 1000 * v})
		}
		return rounds
	}
	loses := append(ms(1), heard{P99: 1000, Lost: 2})
	err := report(&out, config{}, []row{{"a", ms(1, 9, 3), ms(5, 6, 7)}, {"b", ms(1, 1), ms(2, 3)}, {"c", ms(1), loses}})
	if !errors.Is(err, errMissed) {
		t.Error(err)
	}
	for _, want := range []string{
		"| a | 3.0 | 6.0 | 2.00 | ≤ 2 | 0 | PASS |", "| b | 1.0 | 2.5 | 2.50 | ≤ 2 | 0 | missed |", "| c | 1.0 | 1.0 | 1.00 | ≤ 2 | 2 | missed |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed\n%swithout\n%s", &out, want)
		}
	}
}
