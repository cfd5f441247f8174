package devstack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestFoldersAreWellFormedPatterns(t *testing.T) {
	t.Parallel()
	for _, pattern := range binFolders {
		if _, err := filepath.Match(pattern, "/"); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func TestVersionIn(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"/usr/lib/postgresql/15/bin": 15, "/usr/pgsql-9.6/bin": 9, "/opt/homebrew/opt/postgresql@17/bin": 17, "/bin": 0,
	} {
		if got := versionIn(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestInstalledBinariesAreFound(t *testing.T) {
	t.Parallel()
	b, err := findBinaries(t.Context(), binCandidates(t.Context()), 0, fetchConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if b.major < 12 || !strings.Contains(b.full, "PostgreSQL") {
		t.Errorf("found %+v", b)
	}
}

// archive serves what the library expects of its repository: a jar that holds a compressed tar, and its checksum. The
// programs in testdata/postgres.txz are shell scripts of one line.
func archive(t *testing.T) (url string, downloads *atomic.Int32) {
	t.Helper()
	txz, err := os.ReadFile("testdata/postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(txz); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(jar.Bytes())
	downloads = &atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			_, _ = w.Write([]byte(hex.EncodeToString(sum[:])))
			return
		}
		downloads.Add(1)
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // the library uses that one
		srv.Close()
	})
	return srv.URL, downloads
}

func TestMissingBinariesAreFetchedOnce(t *testing.T) {
	t.Parallel()
	url, downloads := archive(t)
	cache := t.TempDir()
	for range 2 {
		b, err := fetchBinaries(t.Context(), fetchConfig{CacheDir: cache, Repository: url})
		if err != nil {
			t.Fatal(err)
		}
		if b.major != 17 || !strings.HasPrefix(b.dir, cache) {
			t.Errorf("got %+v", b)
		}
	}
	if n := downloads.Load(); n != 1 {
		t.Errorf("%d downloads", n)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "fetch-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNothingInstalledAndNothingToFetchNamesThePackage(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
	})
	empty := []string{t.TempDir()}
	_, err := findBinaries(t.Context(), empty, 0, fetchConfig{CacheDir: t.TempDir(), Repository: srv.URL})
	wantError(t, err, "not installed", "package postgresql")
	_, err = findBinaries(t.Context(), empty, 0, fetchConfig{})
	wantError(t, err, "package postgresql", "HOME")
}

func TestTheInstallationThatMadeTheClusterIsPreferred(t *testing.T) {
	t.Parallel()
	installed, err := findBinaries(t.Context(), binCandidates(t.Context()), 0, fetchConfig{})
	if err != nil {
		t.Fatal(err)
	}
	url, _ := archive(t)
	fetched, err := fetchBinaries(t.Context(), fetchConfig{CacheDir: t.TempDir(), Repository: url})
	if err != nil {
		t.Fatal(err)
	}
	dirs := []string{installed.dir, fetched.dir}
	for major, want := range map[int]string{0: installed.dir, 17: fetched.dir, installed.major: installed.dir, 9: installed.dir} {
		if installed.major == 17 && major == 17 {
			continue // both would do
		}
		if b, err := findBinaries(t.Context(), dirs, major, fetchConfig{}); err != nil || b.dir != want {
			t.Errorf("major %d: got %s, %v; want %s", major, b.dir, err, want)
		}
	}
}
