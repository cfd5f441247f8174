// Package archtest keeps the shape of the tree: who may import whom, and that every package says what it is for. The rules
// are data in rules_test.go, each with its reason; check_test.go holds the packages against them. It has tests alone, and
// looks at what ships, not at tests.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listed asks the go command once for all our packages and everything they import.
var listed = sync.OnceValues(func() (map[string]pkg, error) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Doc,GoFiles,Imports", module+"/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New("go list: " + string(exit.Stderr))
		}
		return nil, err
	}
	pkgs := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs[p.ImportPath] = p
	}
})

// noteSources looks at every Go file, so that the go command, which remembers a passed test until a file changes that the
// test itself has looked at, does not take `go list` looking at them for nobody looking.
func noteSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	noteSources(t)
	pkgs, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	for _, line := range check(packages(t), mayImport, never) {
		t.Error(line)
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	pkgs := packages(t)
	for _, importPath := range slices.Sorted(maps.Keys(pkgs)) {
		name, ours := short(importPath)
		p := pkgs[importPath]
		if ours && p.Doc == "" && len(p.GoFiles) > 0 && !matchAny(uncommented, name) {
			t.Errorf("%s has no package comment: say what it is for, what it never does, where to start reading", name)
		}
	}
}

// tree makes packages out of "from: import import" lines; names without a dot are ours.
func tree(lines ...string) map[string]pkg {
	pkgs := map[string]pkg{}
	full := func(name string) string {
		if strings.Contains(name, ".") || name == "testing" {
			return name
		}
		return module + "/" + name
	}
	for _, line := range lines {
		from, imports, _ := strings.Cut(line, ":")
		p := pkg{ImportPath: full(from)}
		for to := range strings.FieldsSeq(imports) {
			p.Imports = append(p.Imports, full(to))
		}
		pkgs[p.ImportPath] = p
	}
	return pkgs
}

func TestTheRulesCatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		tree []string
		want []string // the violations, without their reasons
	}{
		{"a clean tree", []string{
			"tenants:", "channels:", "pusher:", "tenants/pgdb: tenants migrations github.com/jackc/pgx/v5",
			"channels/redisbus: channels github.com/redis/go-redis/v9", "channels/bustest: channels testing",
			"edge/publish: tenants channels pusher", "edge/socket: edge/session edge/publish channels edge/socket/wire",
			"edge/socket/wire:",
			"admin-api: tenants tenants/pgstore admin-api/gen/peal/admin/v1",
			"cmd/peal: edge/socket tenants/pgstore channels/redisbus admin-api admin-api/gen/peal/admin/v1 internal/devstack " +
				"github.com/jackc/pgx/v5/pgxpool github.com/redis/go-redis/v9",
		}, nil},
		{"a foundation that knows another", []string{"tenants: channels", "channels:"}, []string{"tenants imports channels"}},
		{"a foundation that knows its store", []string{"tenants: tenants/pgstore"}, []string{"tenants imports tenants/pgstore"}},
		{"one door that opens another", []string{"edge/httpapi: edge/socket"}, []string{"edge/httpapi imports edge/socket"}},
		{
			"one door that reaches into another",
			[]string{"edge/httpapi: edge/socket/wire"},
			[]string{"edge/httpapi imports edge/socket/wire"},
		},
		{"SQL on the message path", []string{"edge/publish: tenants/pgstore"}, []string{"edge/publish imports tenants/pgstore"}},
		{
			"SQL on the message path in two steps",
			[]string{"edge/socket: tenants", "tenants: github.com/jackc/pgx/v5"},
			[]string{
				"edge/socket imports github.com/jackc/pgx/v5 (by way of tenants)",
				"tenants imports github.com/jackc/pgx/v5",
			},
		},
		{"a driver out of its room", []string{"tenants: github.com/redis/go-redis/v9"}, []string{"tenants imports github.com/redis/go-redis/v9"}},
		{
			"generated types inside",
			[]string{"edge/httpapi: admin-api/gen/peal/admin/v1"},
			[]string{"edge/httpapi imports admin-api/gen/peal/admin/v1"},
		},
		{"test code that ships", []string{"pusher: testing"}, []string{"pusher imports testing"}},
		{
			"test code that ships in two steps",
			[]string{"cmd/peal: admin-api", "admin-api: internal/testenv"},
			[]string{"admin-api imports internal/testenv", "cmd/peal imports internal/testenv (by way of admin-api)"},
		},
		{"a package nobody thought of", []string{"helpers:"}, []string{
			"helpers has no row in mayImport",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, line := range check(tree(c.tree...), mayImport, never) {
				violation, because, found := strings.Cut(line, ": ")
				if !found || because == "" {
					t.Errorf("no reason: %s", line)
				}
				got = append(got, violation)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryRuleHasAReason(t *testing.T) {
	t.Parallel()
	for _, r := range mayImport {
		if r.because == "" {
			t.Errorf("the row of %s has none", r.from)
		}
	}
	for _, b := range never {
		if b.because == "" {
			t.Errorf("the ban on %v has none", b.imports)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"tenants", "tenants", true},
		{"tenants", "tenants/pgstore", false},
		{"tenants/...", "tenants", true},
		{"tenants/...", "tenants/pgstore", true},
		{"tenants/...", "tenantsx", false},
		{".../pg*", "tenants/pgstore", true},
		{".../pg*", "pgstore", true},
		{".../pg*", "github.com/jackc/pgx/v5", false},
		{"...", "anything/at/all", true},
		{"github.com/jackc/pgx/...", "github.com/jackc/pgx/v5/pgxpool", true},
	} {
		if got := match(c.pattern, c.name); got != c.want {
			t.Errorf("match(%q, %q) = %t", c.pattern, c.name, got)
		}
	}
}
