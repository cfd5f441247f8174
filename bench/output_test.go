package bench

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample has every field, two targets and two rounds.
func sample() Result {
	round := func(deliveries, cpu float64, lost int64) Round {
		return Round{
			Seconds: 5, Sockets: 1000, Rates: Rates{Deliveries: deliveries, Publishes: deliveries / 1000, Connects: 1, Notices: 2},
			Counts:    Counts{Published: 5000, Expected: 5_000_000, Delivered: 5_000_000 - lost, Lost: lost, OutOfOrder: 3, Misplaced: lost},
			Latency:   &Latency{Count: 5_000_000, Min: 90, P50: 1500, P90: 2000, P99: 3000, P999: 4000, Max: 5000},
			Server:    &ServerUse{CPUSeconds: 5, CPUShare: 1, SystemSeconds: 4, CPUPerMillion: cpu, RSSBefore: 1, RSSAfter: 2 << 20, RSSPeak: 3, PerConnection: 6000.5},
			Generator: Generator{CPUSeconds: 2, Busy: 0.4, LagMicroseconds: 7, Bottleneck: lost > 0},
		}
	}
	res := Result{
		Scenario: Fanout, Settings: settings(Config{Scenario: Fanout}.withDefaults()),
		Targets: []TargetResult{
			{Name: "plain", Address: "127.0.0.1:1", Rounds: []Round{round(50_000, 16, 0), round(60_000, 14, 0)}},
			{Name: "peal", Address: "127.0.0.1:2", Rounds: []Round{round(800_000, 1, 0), round(600_000, 1.5, 12)}},
		},
	}
	res.compare()
	return res
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(sample(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "result.json", append(got, '\n'))
}

func TestTable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteTable(&b, sample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.txt", b.Bytes())
}
