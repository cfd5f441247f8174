package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	scratchPrefix = "peal-scratch-"
	// strayAge is how long a scratch folder must lie unused before it counts as left behind: well beyond any pause between
	// two servers in the same folder.
	strayAge = time.Hour
)

// ScratchDir makes a folder for a server whose data need not outlive its process: in memory where the machine has room
// there, which makes a cluster of a thousand small files several times quicker than a disk does. The caller removes it;
// what callers that were killed left behind is removed by the next call, since it may take memory.
func ScratchDir() (string, error) {
	base := memoryFolder()
	if base == "" {
		base = os.TempDir()
	}
	sweepScratch(base)
	dir, err := os.MkdirTemp(base, scratchPrefix)
	if err != nil {
		return "", fmt.Errorf("scratch folder: %w", err)
	}
	return dir, nil
}

// sweepScratch removes stray scratch folders. It does what it can and says nothing: another user's are none of its
// business, and the next call tries again.
func sweepScratch(base string) {
	dirs, err := filepath.Glob(filepath.Join(base, scratchPrefix+"*"))
	if err != nil {
		return // only a malformed pattern
	}
	for _, dir := range dirs {
		if stray(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

// stray reports whether a scratch folder has lain unused for strayAge: neither it nor its lock was touched since (a start
// and a stop both touch the lock), and nobody holds the lock.
func stray(dir string) bool {
	if !untouched(dir) {
		return false
	}
	path := filepath.Join(dir, lockName)
	lock, err := os.Open(path) //nolint:gosec // G304: a file in a scratch folder.
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return false
	}
	defer func() { _ = lock.Close() }()
	return untouched(path) && syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func untouched(path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) > strayAge
}
