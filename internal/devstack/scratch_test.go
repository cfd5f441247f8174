package devstack

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestStrayScratchFoldersAreRemoved(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	long := time.Now().Add(-2 * strayAge)
	folder := func(name string, age time.Time, locked bool) string {
		dir := filepath.Join(base, name)
		f, err := openFolder(dir, self())
		if err != nil {
			t.Fatal(err)
		}
		if locked {
			t.Cleanup(f.release)
		} else {
			f.release()
		}
		for _, path := range []string{filepath.Join(dir, lockName), dir} {
			if err := os.Chtimes(path, age, age); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	stray := folder(scratchPrefix+"stray", long, false)
	kept := []string{
		folder(scratchPrefix+"held", long, true),
		folder(scratchPrefix+"fresh", time.Now(), false),
		folder("somebody-elses", long, false),
	}
	sweepScratch(base)
	if _, err := os.Stat(stray); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the stray one is still there: %v", err)
	}
	for _, dir := range kept {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
}

// TestAFolderIsGivenBackWhileAnotherHasItsLock: a process that was just started has it until it runs its own program.
func TestAFolderIsGivenBackWhileAnotherHasItsLock(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	f, err := openFolder(dir, self())
	if err != nil {
		t.Fatal(err)
	}
	other, err := syscall.Dup(int(f.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(other)
	f.release()
	again, err := openFolder(dir, self())
	if err != nil {
		t.Fatal(err)
	}
	again.release()
}
