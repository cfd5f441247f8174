package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath is the longest path of a Unix socket that every system takes: 107 bytes on Linux, 103 elsewhere.
const maxSocketPath = 103

// socketFolder makes the folder for a server's socket: in the data folder, or, where that makes the path too long, a short
// one among the temporary files. Only the account can enter it (and root), which is all the authentication there is.
func (f *folder) socketFolder(socket string) (string, error) {
	dir := filepath.Join(f.path, "run")
	if len(filepath.Join(dir, socket)) > maxSocketPath {
		// The same name at every start, so that a crash leaves at most one such folder behind.
		sum := sha256.Sum256([]byte(f.path))
		name := "peal-" + hex.EncodeToString(sum[:8])
		dir = filepath.Join(os.TempDir(), name)
		if len(filepath.Join(dir, socket)) > maxSocketPath {
			dir = filepath.Join("/tmp", name)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	if err := f.owner.claim(dir); err != nil {
		return "", fmt.Errorf("socket folder: %w", err)
	}
	return dir, nil
}

// removeSockets removes the socket folder of a server that has ended.
func (f *folder) removeSockets(dir string) { _ = os.RemoveAll(dir) }

// claim makes sure that nobody else can enter dir. Its name among the temporary files can be guessed, so somebody may
// have put one of theirs in its place.
func (a account) claim(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err //nolint:wrapcheck // The error names the folder.
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || (int(st.Uid) != os.Geteuid() && int(st.Uid) != a.uid) {
		return fmt.Errorf("%s belongs to somebody else: remove it", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // A folder needs its x bit; 0700 is the owner alone.
		return err //nolint:wrapcheck // The error names the folder.
	}
	return a.own(dir)
}
