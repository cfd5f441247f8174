//go:build !conformance

package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The table and the tests are held against each other wherever Go tests run; it takes no server.

// traps is how many the protocol's checklist has.
const traps = 67

var (
	goTrap = regexp.MustCompile(`^TestTrap(\d\d)_\w+$`)
	jsTrap = regexp.MustCompile("test\\(\\s*[\"'`](?:\\$\\{[^}]*\\} )?trap (\\d+):")
	// tableRow has a trap's number, what must hold, and where that is proved.
	tableRow = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \|$`)
	named    = regexp.MustCompile("`([^`]+)`")
)

// written finds the tests of each trap: functions of Go, and files of JavaScript that have one with its number.
func written(t *testing.T) map[int][]string {
	t.Helper()
	found := map[int][]string{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := f.Name.Name
			if m := goTrap.FindStringSubmatch(name); m != nil {
				found[number(t, m[1])] = append(found[number(t, m[1])], name)
			} else if strings.HasPrefix(name, "TestTrap") {
				t.Errorf("%s in %s is not named after a trap's number, of two digits", name, file)
			}
		}
	}
	scripts, err := filepath.Glob("sdk/*.test.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(script), ".test.mjs")
		for _, m := range jsTrap.FindAllStringSubmatch(string(text), -1) {
			if n := number(t, m[1]); !slices.Contains(found[n], name) {
				found[n] = append(found[n], name)
			}
		}
	}
	return found
}

// listed reads the table: for each trap what it names, nothing for one that is not proved yet.
func listed(t *testing.T) map[int][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int][]string{}
	for _, m := range tableRow.FindAllStringSubmatch(string(text), -1) {
		n := number(t, m[1])
		if _, twice := found[n]; twice {
			t.Errorf("trap %d stands in the table twice", n)
		}
		found[n] = []string{}
		for _, name := range named.FindAllStringSubmatch(m[3], -1) {
			found[n] = append(found[n], name[1])
		}
		if notYet := strings.HasPrefix(m[3], "not yet: "); notYet != (len(found[n]) == 0) {
			t.Errorf("trap %d is proved somewhere, or it says \"not yet: \" and why; it says %q", n, m[3])
		}
	}
	return found
}

func TestTheTableIsTrue(t *testing.T) {
	t.Parallel()
	inCode, inTable := written(t), listed(t)
	for n := 1; n <= traps; n++ {
		names, there := inTable[n]
		if !there {
			t.Errorf("trap %d is not in the table", n)
			continue
		}
		for _, name := range names {
			if !slices.Contains(inCode[n], name) {
				t.Errorf("the table proves trap %d by %s, which has no test of it", n, name)
			}
		}
		for _, name := range inCode[n] {
			if !slices.Contains(names, name) {
				t.Errorf("%s is about trap %d, but the table does not say so", name, n)
			}
		}
		delete(inCode, n)
		delete(inTable, n)
	}
	if len(inCode)+len(inTable) > 0 {
		t.Errorf("no such traps: tests %v, table %v", inCode, inTable)
	}
}

func number(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
