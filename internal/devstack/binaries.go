package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binFolders are where packages put PostgreSQL's programs without putting them on PATH.
var binFolders = []string{
	"/usr/lib/postgresql/*/bin",            // Debian and Ubuntu
	"/usr/pgsql-*/bin",                     // PostgreSQL's own packages for Red Hat and its kin
	"/opt/homebrew/opt/postgresql@*/bin",   // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",      // Homebrew on Intel
	"/usr/libexec/postgresql*",             // Alpine
	"/Applications/Postgres.app/*/*/*/bin", // Postgres.app
}

// binaries is one installation of PostgreSQL.
type binaries struct {
	dir   string // holds initdb and postgres
	major int
	full  string // as `postgres --version` says it
}

func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }
func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }

// findBinaries takes the installation among dirs that fits an existing cluster (major 0: there is none), or else the
// first; with nothing installed it fetches one.
func findBinaries(ctx context.Context, dirs []string, major int, fetch fetchConfig) (binaries, error) {
	var first binaries
	for _, dir := range dirs {
		b, err := inspectBinaries(ctx, dir)
		if err != nil {
			continue // an installation with parts missing, or for another processor; there may be a whole one further on
		}
		if major == 0 || b.major == major {
			return b, nil
		}
		if first.dir == "" {
			first = b
		}
	}
	if first.dir != "" {
		return first, nil
	}
	b, err := fetchBinaries(ctx, fetch)
	if err != nil {
		return binaries{}, fmt.Errorf("PostgreSQL is not installed here and fetching it did not work: "+
			"install the package postgresql (Debian, Ubuntu: apt-get install postgresql), or name a database of your own: %w", err)
	}
	return b, nil
}

// binCandidates lists the folders that may hold PostgreSQL's programs, the likeliest first.
func binCandidates(ctx context.Context) []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// Through the link: beside it on PATH there may be nothing else of PostgreSQL.
		if target, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range binFolders {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // only a malformed pattern; a test keeps them well formed
		}
		slices.SortFunc(found, func(a, b string) int { return versionIn(b) - versionIn(a) })
		dirs = append(dirs, found...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(dirs, func(d string) bool {
		again := seen[d]
		seen[d] = true
		return again
	})
}

// versionIn reads the number in a folder name such as /usr/lib/postgresql/15/bin, so that 9 comes before 15.
func versionIn(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0])
	return n
}

// inspectBinaries asks the server in dir for its version.
func inspectBinaries(ctx context.Context, dir string) (binaries, error) {
	b := binaries{dir: dir}
	if _, err := os.Stat(b.initdb()); err != nil {
		return b, err //nolint:wrapcheck // The error names the file.
	}
	out, err := exec.CommandContext(ctx, b.postgres(), "--version").Output()
	if err != nil {
		return b, fmt.Errorf("%s --version: %w", b.postgres(), err)
	}
	b.full = strings.TrimSpace(string(out))
	// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; "17beta1" before a release.
	_, after, found := strings.Cut(b.full, "(PostgreSQL) ")
	if b.major = versionIn(after); !found || b.major == 0 {
		return b, fmt.Errorf("%s --version says %q", b.postgres(), b.full)
	}
	return b, nil
}

// clusterMajor reads which major version made a cluster; 0 when there is none.
func clusterMajor(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION")) //nolint:gosec // A file in our own folder.
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("data folder: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("data folder %s: PG_VERSION says %q", data, text)
	}
	return major, nil
}
