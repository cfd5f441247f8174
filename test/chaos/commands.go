package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// commands is how often Redis was asked for what, by name. What a script does is in it too: a script is one question, and
// what it calls is counted besides.
type commands map[string]float64

func (c commands) scaled(by float64) commands {
	scaled := commands{}
	for name, n := range c {
		scaled[name] = n * by
	}
	return scaled
}

func (c commands) without(o commands) commands {
	left := commands{}
	for name, n := range c {
		left[name] = max(0, n-o[name])
	}
	return left
}

// asked are the commands that come over the network in what Peal does. All others are called by scripts.
var asked = []string{
	"evalsha", "eval", "spublish", "ssubscribe", "sunsubscribe", "ping", "hello", "client", "script", "config", "cluster",
}

// String tells how many questions there are, which, and how many commands scripts call for them.
func (c commands) String() string {
	questions, inside := 0.0, 0.0
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		n := c[name]
		base, _, _ := strings.Cut(name, "|")
		if !slices.Contains(asked, base) {
			inside += n
			continue
		}
		// A publish is a question of its own, or one of a script's.
		if base == "spublish" && c["evalsha"] > 0.5 {
			inside += n
			continue
		}
		if questions += n; n >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f", name, n))
		}
	}
	return fmt.Sprintf("%.2f (%s), and %.2f within scripts", questions, strings.Join(parts, ", "), inside)
}

// benchRound is what is used of a round of `peal bench -o json`.
type benchRound struct {
	Rates   struct{ Deliveries, Publishes float64 }
	Latency struct{ P50, P99 float64 } `json:"latency_microseconds"`
	Counts  struct{ Expected, Lost int64 }
	Server  struct {
		PerMillion float64 `json:"cpu_seconds_per_million"`
	}
}

// bench runs the load generator of the program against the first app.
func (s *Stage) bench(ctx context.Context, args ...string) (benchRound, error) {
	a := s.apps[0]
	args = append(append([]string{"bench"}, args...), "--app-id", a.ID, "--key", a.Key, "--secret", a.Secret, "-o", "json")
	out, err := exec.CommandContext(ctx, s.cfg.Binary, args...).Output()
	var result struct {
		Targets []struct{ Rounds []benchRound }
	}
	if jsonErr := json.Unmarshal(out, &result); jsonErr != nil || len(result.Targets) == 0 || len(result.Targets[0].Rounds) == 0 {
		return benchRound{}, fmt.Errorf("peal %s: %w, %q", strings.Join(args[:2], " "), err, out)
	}
	return result.Targets[0].Rounds[0], nil
}
