package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchVersion is what is fetched where nothing is installed.
const fetchVersion = embeddedpostgres.V17

type fetchConfig struct {
	CacheDir   string // kept between runs
	Repository string // "" for the library's own
	Logger     *slog.Logger
}

// fetchBinaries gets PostgreSQL's programs from the archive that embedded-postgres knows, once: the next call finds them
// in the cache folder.
func fetchBinaries(ctx context.Context, c fetchConfig) (binaries, error) {
	if c.CacheDir == "" {
		return binaries{}, errors.New("there is no folder to keep the programs in: set HOME")
	}
	home := filepath.Join(c.CacheDir, fmt.Sprintf("postgresql-%s-%s-%s", fetchVersion, runtime.GOOS, runtime.GOARCH))
	bin := filepath.Join(home, "bin")
	if b, err := inspectBinaries(ctx, bin); err == nil {
		return b, nil
	}
	orDiscard(c.Logger).InfoContext(ctx, "fetching PostgreSQL, as none is installed", "version", string(fetchVersion), "folder", home)
	if err := os.MkdirAll(c.CacheDir, 0o700); err != nil {
		return binaries{}, fmt.Errorf("fetch PostgreSQL: %w", err)
	}
	work, err := os.MkdirTemp(c.CacheDir, "fetch-")
	if err != nil {
		return binaries{}, fmt.Errorf("fetch PostgreSQL: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := unpack(ctx, c, work); err != nil {
		return binaries{}, fmt.Errorf("fetch PostgreSQL %s: %w", fetchVersion, err)
	}
	// Moved into place whole, so that nobody ever finds half an installation. When another process was first, its copy
	// is as good as ours.
	if err := os.Rename(filepath.Join(work, "pg"), home); err != nil && !errors.Is(err, os.ErrExist) {
		return binaries{}, fmt.Errorf("fetch PostgreSQL: %w", err)
	}
	return inspectBinaries(ctx, bin)
}

// unpack downloads and unpacks into work/pg. The library offers no call for that alone: it starts a server, too, and cannot
// do so as another user. So it is handed a cluster that is empty but for its version, which no server starts on, and what
// counts is what it left on the disk.
func unpack(ctx context.Context, c fetchConfig, work string) error {
	major := fetchVersion[:2]
	if err := os.Mkdir(filepath.Join(work, "data"), 0o700); err != nil {
		return err //nolint:wrapcheck // The error names the folder.
	}
	if err := os.WriteFile(filepath.Join(work, "data", "PG_VERSION"), []byte(major+"\n"), 0o600); err != nil {
		return err //nolint:wrapcheck // The error names the file.
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig().Version(fetchVersion).Port(port).
		CachePath(work).RuntimePath(filepath.Join(work, "run")).
		BinariesPath(filepath.Join(work, "pg")).DataPath(filepath.Join(work, "data")).
		Logger(discard{})
	if c.Repository != "" {
		config = config.BinaryRepositoryURL(c.Repository)
	}
	started := make(chan error, 1)
	// The library takes no context. A download that is given up goes on until its connection ends; it writes nowhere but
	// to the work folder.
	go func() { started <- embeddedpostgres.NewDatabase(config).Start() }()
	select {
	case err = <-started:
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // The caller says what was being done.
	}
	if _, statErr := os.Stat(filepath.Join(work, "pg", "bin", "postgres")); statErr != nil {
		return err
	}
	return nil
}

// freePort finds a port for the library's check that its port is free; nothing ever listens there.
func freePort(ctx context.Context) (uint32, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port: %s is no TCP address", l.Addr())
	}
	return uint32(addr.Port), nil //nolint:gosec // A port fits.
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
