package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// makeCluster makes a fresh cluster in f.path/data. It appears there whole or not at all: a start that is killed half-way
// is simply made again.
func (f *folder) makeCluster(ctx context.Context, b binaries, cfg PostgresConfig) error {
	unfinished := filepath.Join(f.path, "data.new")
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	fill := func() error { return f.initdb(ctx, b, unfinished, cfg.Durable) }
	if !cfg.Durable && cfg.CacheDir != "" {
		fill = func() error { return f.copyPristine(ctx, b, unfinished, cfg.CacheDir) }
	}
	err := errors.Join(f.owner.own(unfinished), fill())
	if err == nil {
		err = os.Rename(unfinished, filepath.Join(f.path, "data"))
	}
	if err != nil {
		return fmt.Errorf("make cluster: %w", err)
	}
	return nil
}

// initdb makes a cluster in dir, an empty folder of the account's.
func (f *folder) initdb(ctx context.Context, b binaries, dir string, durable bool) error {
	log, err := f.logFile("initdb.log")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	args := []string{
		"--pgdata=" + dir, "--username=" + superuser, "--auth=trust", "--encoding=UTF8", "--locale=" + utf8Locale(),
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	cmd, err := f.owner.command(syscall.SIGKILL, []string{dir}, b.initdb(), args...)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess("initdb", cmd)
	if err == nil {
		err = p.succeeded(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w; it said:\n%s", err, logTail(log.Name()))
	}
	return nil
}

// utf8Locale sorts by code point: fast, and the same on every machine.
func utf8Locale() string {
	if runtime.GOOS == "linux" {
		return "C.UTF-8"
	}
	return "C" // elsewhere C.UTF-8 is not known everywhere; with --encoding it comes to the same but for upper and lower case
}

// copyPristine copies a cluster that initdb made once for all: initdb takes a second, the copy a tenth of it. That counts
// where every test binary wants a cluster of its own.
func (f *folder) copyPristine(ctx context.Context, b binaries, dir, cacheDir string) error {
	pristine, err := f.pristine(ctx, b, cacheDir)
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(pristine)); err != nil {
		return fmt.Errorf("copy the pristine cluster: %w", err)
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { //nolint:wrapcheck // Its errors are those below.
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700 // PostgreSQL refuses a folder that others may enter
		}
		return errors.Join(os.Chmod(path, mode), f.owner.own(path)) //nolint:gosec // G122: nobody else can enter the folder.
	})
}

// pristine returns the folder of the pristine cluster, made at the first call on a machine for a version of PostgreSQL.
func (f *folder) pristine(ctx context.Context, b binaries, cacheDir string) (string, error) {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ()/+~:", r) {
			return '_'
		}
		return r
	}, b.full)
	dir := filepath.Join(cacheDir, "cluster-"+name)
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cacheDir, 0o700); err != nil {
		return "", fmt.Errorf("keep a pristine cluster: %w", err)
	}
	// Made in the data folder, where the account can write, and copied from there: the cache may be on another disk, and
	// belong to another user.
	made := filepath.Join(f.path, "pristine")
	if err := errors.Join(os.RemoveAll(made), os.Mkdir(made, 0o700)); err != nil {
		return "", fmt.Errorf("make a pristine cluster: %w", err)
	}
	defer func() { _ = os.RemoveAll(made) }()
	if err := errors.Join(f.owner.own(made), f.initdb(ctx, b, made, false)); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cacheDir, "cluster-new-")
	if err != nil {
		return "", fmt.Errorf("keep a pristine cluster: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	whole := filepath.Join(work, "data")
	if err := os.CopyFS(whole, os.DirFS(made)); err != nil {
		return "", fmt.Errorf("keep a pristine cluster: %w", err)
	}
	// Into place whole; where another process was first, its cluster is as good as ours.
	if err := os.Rename(whole, dir); err != nil {
		if _, statErr := os.Stat(filepath.Join(dir, "PG_VERSION")); statErr != nil {
			return "", fmt.Errorf("keep a pristine cluster: %w", err)
		}
	}
	return dir, nil
}
