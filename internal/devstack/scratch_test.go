package devstack

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
