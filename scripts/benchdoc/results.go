package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// round is what the document needs of a round of `peal bench -o json`.
type round struct {
	Rates   struct{ Deliveries, Publishes, Connects, Notices float64 }
	Latency struct {
		P50, P99 float64
	} `json:"latency_microseconds"`
	Counts struct {
		Expected, Lost, Duplicates, Misplaced, Refused int64
		Dropped                                        int64 `json:"dropped_sockets"`
	}
	Server struct {
		PerMillion    float64 `json:"cpu_seconds_per_million"`
		Share         float64 `json:"cpu_share"`
		PerConnection float64 `json:"bytes_per_connection"`
	}
	Generator struct{ Bottleneck bool }
}

// result has the rounds of each target, by name.
type result map[string][]round

// load reads every result of a folder. Files that end in a number after "idle-" are rounds of one result. What was
// not measured is told by its reason.
func load(folder string) (map[string]result, map[string]string, error) {
	results, failed := map[string]result{}, map[string]string{}
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, nil, fmt.Errorf("look for what was measured: %w", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path) //nolint:gosec // The caller names the folder.
		if err != nil {
			return nil, nil, fmt.Errorf("read what was measured: %w", err)
		}
		name, kind, _ := strings.Cut(filepath.Base(path), ".")
		if strings.HasPrefix(name, "idle-") {
			name = "idle"
		}
		switch {
		case kind == "failed":
			failed[name] = strings.TrimSpace(string(text))
		case kind == "json" && len(text) > 0:
			if err := add(results, name, text); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return results, failed, nil
}

func add(results map[string]result, name string, text []byte) error {
	var read struct {
		Targets []struct {
			Name   string
			Rounds []round
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	if results[name] == nil {
		results[name] = result{}
	}
	for _, t := range read.Targets {
		results[name][t.Name] = append(results[name][t.Name], t.Rounds...)
	}
	return nil
}

// spread is the smallest, the middle and the largest of some values.
type spread struct {
	low, median, high float64
	some              bool
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	half := len(v) / 2
	s := spread{low: v[0], median: v[half], high: v[len(v)-1], some: true}
	if len(v)%2 == 0 {
		s.median = (v[half-1] + v[half]) / 2
	}
	return s
}

// each takes one number out of each round, where the round has it.
func each(rounds []round, of func(round) float64) []float64 {
	var values []float64
	for _, r := range rounds {
		if v := of(r); v != 0 {
			values = append(values, v)
		}
	}
	return values
}

// ratios divides number by number, round by round.
func ratios(of, by []float64) []float64 {
	var values []float64
	for i := range min(len(of), len(by)) {
		values = append(values, of[i]/by[i])
	}
	return values
}
