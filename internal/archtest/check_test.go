package archtest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// module is the prefix of our own import paths.
const module = "github.com/pealhq/peal"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// check holds the packages against the rules and returns one line for each violation, sorted.
func check(pkgs map[string]pkg, rows []row, bans []ban) []string {
	var found []string
	for _, importPath := range slices.Sorted(maps.Keys(pkgs)) {
		from, ours := short(importPath)
		if !ours {
			continue
		}
		direct := map[string][]string{}
		for _, to := range pkgs[importPath].Imports {
			direct[to] = []string{importPath, to}
		}
		banned := checkBans(from, direct, reachable(pkgs, importPath), bans)
		found = append(found, banned.lines...)
		found = append(found, checkRows(from, direct, rows, banned.imports)...)
	}
	return found
}

type violations struct {
	lines   []string
	imports map[string]bool // what the lines are about
}

// checkBans takes the roads by which a package reaches others: directly, and in any number of steps.
func checkBans(from string, direct, all map[string][]string, bans []ban) violations {
	v := violations{imports: map[string]bool{}}
	for _, b := range bans {
		if !matchAny(b.from, from) || matchAny(b.except, from) {
			continue
		}
		roads := direct
		if b.through {
			roads = all
		}
		for _, to := range slices.Sorted(maps.Keys(roads)) {
			name, _ := short(to)
			if !matchAny(b.imports, name) || v.imports[to] {
				continue
			}
			v.imports[to] = true
			v.lines = append(v.lines, fmt.Sprintf("%s imports %s: %s", from, road(roads[to]), b.because))
		}
	}
	return v
}

// checkRows reports what no row allows, but for what has been reported already.
func checkRows(from string, direct map[string][]string, rows []row, reported map[string]bool) []string {
	i := slices.IndexFunc(rows, func(r row) bool { return match(r.from, from) })
	if i < 0 {
		return []string{from + " has no row in mayImport: say there what it may import, and why"}
	}
	var found []string
	for _, to := range slices.Sorted(maps.Keys(direct)) {
		name, ours := short(to)
		if ours && !reported[to] && !matchAny(rows[i].imports, name) {
			found = append(found, fmt.Sprintf("%s imports %s: %s", from, name, rows[i].because))
		}
	}
	return found
}

// reachable finds every package that a package imports in any number of steps, and a shortest road to each.
func reachable(pkgs map[string]pkg, from string) map[string][]string {
	roads := map[string][]string{}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		sofar := queue[0]
		for _, to := range pkgs[sofar[len(sofar)-1]].Imports {
			if _, known := roads[to]; known {
				continue
			}
			roads[to] = append(slices.Clone(sofar), to)
			queue = append(queue, roads[to])
		}
	}
	return roads
}

// road writes the steps after the first: "x", or "x (by way of a, b)".
func road(steps []string) string {
	names := make([]string, 0, len(steps))
	for _, s := range steps[1:] {
		name, _ := short(s)
		names = append(names, name)
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return names[last] + " (by way of " + strings.Join(names[:last], ", ") + ")"
}

// short is our name for one of our packages, and the import path of any other.
func short(importPath string) (name string, ours bool) {
	return strings.CutPrefix(importPath, module+"/")
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

// match is the pattern language of rules_test.go.
func match(pattern, name string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == "...":
		return matchParts(pattern[1:], name) || len(name) > 0 && matchParts(pattern, name[1:])
	case len(name) == 0:
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && matchParts(pattern[1:], name[1:])
}
