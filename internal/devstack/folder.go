package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockName is the file in a data folder that is locked while a server runs there, and that marks the folder as ours.
const lockName = "lock"

// LockedError says that another process is using a data folder.
type LockedError struct {
	Dir string // the data folder
	PID int    // who holds it; 0 when that is not known
}

func (e *LockedError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("data folder %s is in use by %s: stop that one, or choose another folder with --data", e.Dir, holder)
}

// folder is a server's data folder, held by us from openFolder to release.
type folder struct {
	path  string // absolute, symbolic links resolved
	owner account
	lock  *os.File
}

// openFolder makes the folder when there is none, gives it to owner alone, and locks it.
func openFolder(dir string, owner account) (*folder, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	// One true path: it is compared with what the kernel says of a running server.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f := &folder{path: path, owner: owner}
	if err := f.refuseForeign(); err != nil {
		return nil, err
	}
	if err := f.takeLock(); err != nil {
		return nil, err
	}
	for _, p := range []string{path, f.lock.Name()} {
		if err := owner.own(p); err != nil {
			f.release()
			return nil, err
		}
	}
	if err := os.Chmod(path, 0o700); err != nil { //nolint:gosec // A folder needs its x bit; 0700 is the owner alone.
		f.release()
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return f, nil
}

// refuseForeign keeps us from taking over a folder that holds somebody's files: openFolder changes its owner and its mode.
func (f *folder) refuseForeign() error {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("data folder %s belongs to another user: start as that user, or choose another folder with --data",
			f.path)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		if e.Name() == lockName {
			return nil
		}
	}
	return fmt.Errorf("data folder %s holds files that are not ours: choose an empty one with --data", f.path)
}

// takeLock holds the folder by flock, which the kernel gives back however we end.
func (f *folder) takeLock() error {
	lock, err := os.OpenFile(filepath.Join(f.path, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock data folder: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		pid, _ := os.ReadFile(lock.Name())
		_ = lock.Close()
		n, _ := strconv.Atoi(strings.TrimSpace(string(pid)))
		return &LockedError{Dir: f.path, PID: n}
	}
	if err == nil {
		err = writePID(lock)
	}
	if err != nil {
		_ = lock.Close()
		return fmt.Errorf("lock data folder %s: %w", f.path, err)
	}
	f.lock = lock
	return nil
}

func writePID(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return fmt.Errorf("write pid: %w", err)
	}
	if _, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write pid: %w", err)
	}
	return nil
}

// release gives the folder back. The lock file stays: removing it would let two later starts lock two different files.
func (f *folder) release() {
	_ = f.lock.Truncate(0)
	// Closing it would do, but for a process that we are just about to start: until it runs its own program it has the file
	// open, too, and with it the lock.
	_ = syscall.Flock(int(f.lock.Fd()), syscall.LOCK_UN)
	_ = f.lock.Close()
}

// logFile opens an empty log for the server, the one of the run before kept beside it.
func (f *folder) logFile(name string) (*os.File, error) {
	path := filepath.Join(f.path, name)
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("rotate log: %w", err)
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600) //nolint:gosec // Inside our own folder.
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if err := f.owner.own(path); err != nil {
		_ = log.Close()
		return nil, err
	}
	return log, nil
}

// logTail is the end of a log, for the error of a server that did not come up.
func logTail(path string) string {
	const lines = 12
	text, err := os.ReadFile(path) //nolint:gosec // A log that we opened.
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
