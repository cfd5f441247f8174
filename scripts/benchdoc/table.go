package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// figure is a line of the comparison: a measure, and what is asked of it.
type figure struct {
	title  string
	result string
	of     func(round) float64
	// asked compares with the plain server, unless absolute: then Peal's own number is asked for, in its unit.
	must, aim float64
	absolute  bool
	// against is another result of Peal's own to compare with, instead of the plain server's.
	against string
	// more says that more is better.
	more bool
}

func figures() []figure {
	deliveries := func(r round) float64 { return r.Rates.Deliveries }
	cpu := func(r round) float64 { return r.Server.PerMillion }
	return []figure{
		{title: "fan-out to 1,000, window 16: deliveries/s", result: "fanout-16", of: deliveries, must: 10, aim: 16, more: true},
		{title: "same: CPU s per million deliveries", result: "fanout-16", of: cpu, must: 0.12, aim: 0.07},
		{title: "fan-out to 1,000, window 1: CPU s per million deliveries", result: "fanout-1", of: cpu, must: 0.8, aim: 0.65},
		{title: "20 publishes/s to 1,000: p99, µs", result: "rate-20", of: func(r round) float64 { return r.Latency.P99 }, must: 0.7, aim: 0.5},
		{title: "same: CPU s per million deliveries", result: "rate-20", of: cpu, must: 0.8, aim: 0.6},
		{
			title: "bytes for each of 10,000 subscribed connections", result: "idle",
			of: func(r round) float64 { return r.Server.PerConnection }, must: 10_000, aim: 6_000, absolute: true,
		},
		{title: "connect and subscribe, per second", result: "connect", of: func(r round) float64 { return r.Rates.Connects }, must: 0.9, aim: 1.2, more: true},
		{title: "HTTP publishes/s, signed against unsigned", result: "publish", of: func(r round) float64 { return r.Rates.Publishes }, must: 0.6, aim: 0.8, more: true},
		{title: "same: CPU s per million publishes", result: "publish", of: cpu},
		{title: "2,000 channels of 2: deliveries/s", result: "channels", of: deliveries, must: 0.6, aim: 0.9, more: true},
		{title: "same: CPU s per million deliveries", result: "channels", of: cpu},
		{title: "300 members join at once: CPU s per million notices, against fan-out of window 1", result: "presence", of: cpu, must: 1.3, aim: 1, against: "fanout-1"},
		{title: "25 publishes/s of 8 KiB to 1,000, beside ten that never read: p99, µs, against without those", result: "slowed", of: func(r round) float64 { return r.Latency.P99 }, against: "unslowed"},
	}
}

// writeComparison writes the table: for both servers the smallest, the middle and the largest of the rounds.
func writeComparison(w io.Writer, results map[string]result, failed map[string]string) {
	fmt.Fprint(w, "\n### Peal beside the plain server\n\nEach cell is the median of the rounds, with the smallest and the largest.\n\n")
	fmt.Fprint(w, "| measure | plain | Peal | asked value | must | aim | |\n|---|---|---|---|---|---|---|\n")
	for _, f := range figures() {
		res := results[f.result]
		plain, peal := each(res["plain"], f.of), each(res["peal"], f.of)
		if len(peal) == 0 {
			reason := "not measured"
			if failed[f.result] != "" {
				reason += ": see below"
			}
			fmt.Fprintf(w, "| %s | %s | %s | | %s | %s | |\n", f.title, show(spreadOf(plain)), reason, f.ask(f.must), f.ask(f.aim))
			continue
		}
		asked := spreadOf(ratios(peal, plain))
		switch {
		case f.absolute:
			asked = spreadOf(peal)
		case f.against != "":
			asked = spreadOf(ratios(peal, each(results[f.against]["peal"], f.of)))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", f.title, show(spreadOf(plain)), show(spreadOf(peal)), show(asked),
			f.ask(f.must), f.ask(f.aim), f.verdict(asked))
	}
}

func (f figure) ask(v float64) string {
	switch {
	case v == 0:
		return ""
	case f.more:
		return "≥ " + number(v)
	}
	return "≤ " + number(v)
}

// verdict goes by the median.
func (f figure) verdict(s spread) string {
	holds := func(asked float64) bool {
		if f.more {
			return s.median >= asked
		}
		return s.median <= asked
	}
	switch {
	case !s.some || f.must == 0:
		return ""
	case holds(f.aim):
		return "aim"
	case holds(f.must):
		return "must"
	}
	return "**no**"
}

// writeSizes shows whether the cost of a delivery depends on how many there are.
func writeSizes(w io.Writer, results map[string]result) {
	sizes := []int{}
	for name := range results {
		if text, ok := strings.CutPrefix(name, "size-"); ok {
			if n, err := strconv.Atoi(text); err == nil {
				sizes = append(sizes, n)
			}
		}
	}
	if len(sizes) == 0 {
		return
	}
	slices.Sort(sizes)
	fmt.Fprint(w, "\n### Fan-out of many sizes, window 16\n\n| subscribers | Peal: deliveries/s | CPU s per million | "+
		"plain: deliveries/s | CPU s per million |\n|---|---|---|---|---|\n")
	for _, n := range sizes {
		peal, plain := results["size-"+strconv.Itoa(n)]["peal"], results["plain-"+strconv.Itoa(n)]["plain"]
		fmt.Fprintf(w, "| %d |", n)
		for _, rounds := range [][]round{peal, plain} {
			fmt.Fprintf(w, " %s | %s |", show(spreadOf(each(rounds, func(r round) float64 { return r.Rates.Deliveries }))),
				show(spreadOf(each(rounds, func(r round) float64 { return r.Server.PerMillion }))))
		}
		fmt.Fprintln(w)
	}
}

// show writes a spread: the median, and the ends where they differ.
func show(s spread) string {
	switch {
	case !s.some:
		return ""
	case s.low == s.high:
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median), number(s.low), number(s.high))
}

// number keeps three digits, and groups thousands.
func number(v float64) string {
	if math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	scale := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	text := strconv.FormatFloat(math.Round(v/scale)*scale, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
