package bench

import "slices"

// measure is one number of a round that targets are compared by.
type measure struct {
	name, title string
	of          func(Round) float64 // 0 where the round has none
}

func measures() []measure {
	latency := func(f func(*Latency) int64) func(Round) float64 {
		return func(r Round) float64 {
			if r.Latency == nil {
				return 0
			}
			return float64(f(r.Latency))
		}
	}
	server := func(f func(*ServerUse) float64) func(Round) float64 {
		return func(r Round) float64 {
			if r.Server == nil {
				return 0
			}
			return f(r.Server)
		}
	}
	return []measure{
		{"deliveries_per_second", "deliveries/s", func(r Round) float64 { return r.Rates.Deliveries }},
		{"publishes_per_second", "publishes/s", func(r Round) float64 { return r.Rates.Publishes }},
		{"connects_per_second", "connects/s", func(r Round) float64 { return r.Rates.Connects }},
		{"notices_per_second", "notices/s", func(r Round) float64 { return r.Rates.Notices }},
		{"cpu_seconds_per_million", "CPU s/million", server(func(s *ServerUse) float64 { return s.CPUPerMillion })},
		{"cpu_share", "server CPU", server(func(s *ServerUse) float64 { return s.CPUShare })},
		{"latency_p50_microseconds", "p50 us", latency(func(l *Latency) int64 { return l.P50 })},
		{"latency_p99_microseconds", "p99 us", latency(func(l *Latency) int64 { return l.P99 })},
		{"latency_max_microseconds", "max us", latency(func(l *Latency) int64 { return l.Max })},
		{"bytes_per_connection", "bytes/connection", server(func(s *ServerUse) float64 { return s.PerConnection })},
		{"rss_after", "RSS bytes", server(func(s *ServerUse) float64 { return float64(s.RSSAfter) })},
	}
}

// Ratio is one measure of a target by that of the first target.
type Ratio struct {
	Target   string `json:"target"`
	Baseline string `json:"baseline"`
	Measure  string `json:"measure"`
	// Rounds has the ratio within each round; a round without it is left out.
	Rounds []float64 `json:"rounds"`
	Median float64   `json:"median"`
}

// compare fills in the medians and the ratios.
func (res *Result) compare() {
	res.Ratios = []Ratio{}
	for i := range res.Targets {
		t := &res.Targets[i]
		t.Medians = map[string]float64{}
		for _, m := range measures() {
			values := make([]float64, 0, len(t.Rounds))
			for _, r := range t.Rounds {
				if v := m.of(r); v != 0 {
					values = append(values, v)
				}
			}
			if len(values) > 0 {
				t.Medians[m.name] = median(values)
			}
			if i > 0 {
				res.addRatio(m, *t, res.Targets[0])
			}
		}
	}
}

func (res *Result) addRatio(m measure, t, base TargetResult) {
	ratio := Ratio{Target: t.Name, Baseline: base.Name, Measure: m.name}
	for i := range min(len(t.Rounds), len(base.Rounds)) {
		if v, b := m.of(t.Rounds[i]), m.of(base.Rounds[i]); v != 0 && b != 0 {
			ratio.Rounds = append(ratio.Rounds, v/b)
		}
	}
	if len(ratio.Rounds) > 0 {
		ratio.Median = median(ratio.Rounds)
		res.Ratios = append(res.Ratios, ratio)
	}
}

// median is the middle of some values, of which there is at least one.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Empty tells whether nothing was measured.
func (res *Result) Empty() bool {
	return !slices.ContainsFunc(res.Targets, func(t TargetResult) bool { return len(t.Rounds) > 0 })
}

// Lost adds up the deliveries that never came, over all rounds.
func (res *Result) Lost() (lost, expected int64) {
	for _, t := range res.Targets {
		for _, r := range t.Rounds {
			lost += r.Counts.Lost
			expected += r.Counts.Expected
		}
	}
	return lost, expected
}
