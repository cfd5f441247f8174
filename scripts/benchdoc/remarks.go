package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// writeRemarks says what must be known before the numbers are believed.
func writeRemarks(w io.Writer, results map[string]result, failed map[string]string) {
	var expected, lost, bad int64
	var limited, shared []string
	for _, name := range slices.Sorted(maps.Keys(results)) {
		for _, target := range slices.Sorted(maps.Keys(results[name])) {
			rounds := results[name][target]
			for _, r := range rounds {
				expected += r.Counts.Expected
				lost += r.Counts.Lost
				bad += r.Counts.Duplicates + r.Counts.Misplaced + r.Counts.Refused + r.Counts.Dropped
			}
			limited = appendShare(limited, name+" "+target, rounds, func(r round) bool { return r.Generator.Bottleneck })
			shared = appendShare(shared, name+" "+target, rounds, func(r round) bool { return starved(name, r) })
		}
	}
	fmt.Fprint(w, "\n### What was lost, and what limits the figures\n\n")
	fmt.Fprintf(w, "- %d of %d deliveries were lost; %d came twice or on the wrong socket, were refused, or had their socket dropped.\n", lost, expected, bad)
	if len(limited) > 0 {
		fmt.Fprintf(w, "- The load generator was at its limit, or late, so the server may do more: %s.\n", strings.Join(limited, ", "))
	}
	if len(shared) > 0 {
		fmt.Fprintf(w, "- The server had less than nine tenths of its core though it was never idle, so what is counted by the second is too low "+
			"and what is counted in CPU is not: %s.\n", strings.Join(shared, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(w, "- %s ended early: %s\n", name, failed[name])
	}
}

// appendShare names a result with how many of its rounds something holds for, where it does for any.
func appendShare(list []string, name string, rounds []round, holds func(round) bool) []string {
	n := 0
	for _, r := range rounds {
		if holds(r) {
			n++
		}
	}
	if n == 0 {
		return list
	}
	return append(list, fmt.Sprintf("%s (%d of %d rounds)", name, n, len(rounds)))
}

// starved tells whether a server that always had something to do did not have its core to itself.
func starved(name string, r round) bool {
	saturates := []string{"fanout-16", "fanout-1", "connect", "publish", "channels"}
	return slices.Contains(saturates, name) && !r.Generator.Bottleneck && r.Server.Share > 0 && r.Server.Share < 0.9
}

// writeMicro makes a table of what `go test -bench -benchmem` printed.
func writeMicro(w io.Writer, output []string) {
	fmt.Fprint(w, "\n### Go benchmarks\n\n| package | benchmark | ns | bytes | allocations |\n|---|---|---|---|---|\n")
	pkg := ""
	for _, line := range output {
		if path, ok := strings.CutPrefix(line, "pkg: "); ok {
			pkg = strings.TrimPrefix(path, "github.com/pealhq/peal/")
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		units := map[string]string{}
		for i := 2; i+1 < len(fields); i += 2 {
			units[fields[i+1]] = fields[i]
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", pkg, name, units["ns/op"], units["B/op"], units["allocs/op"])
	}
}
