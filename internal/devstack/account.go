package devstack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who a server runs as. PostgreSQL refuses root, so root's servers run as somebody with fewer rights.
type account struct {
	uid, gid int
	name     string
	switched bool // it is not who we are: files must be given to it, and its children told to become it
}

// self is the account of this process.
func self() account {
	return account{uid: os.Geteuid(), gid: os.Getegid(), name: strconv.Itoa(os.Geteuid())}
}

// serverAccount chooses who runs PostgreSQL for the cluster in dataDir, which need not exist yet.
func serverAccount(dataDir string) (account, error) {
	if os.Geteuid() != 0 {
		return self(), nil
	}
	// An existing cluster keeps its owner: `sudo peal dev` over an ordinary user's folder must leave it usable for that user.
	if info, err := os.Stat(dataDir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			id := strconv.Itoa(int(st.Uid))
			if u, err := user.LookupId(id); err == nil {
				return asAccount(u)
			}
			return account{}, fmt.Errorf("data folder %s belongs to user id %s, which this machine does not know: "+
				"choose another folder with --data", filepath.Dir(dataDir), id)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return account{}, fmt.Errorf("data folder: %w", err)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return asAccount(u)
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a postgres nor a nobody account: " +
		"start as an ordinary user, or create one of the two")
}

func asAccount(u *user.User) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("account %s: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("account %s: %w", u.Username, err)
	}
	return account{uid: uid, gid: gid, name: u.Username, switched: true}, nil
}

// own gives a file to the account.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	if err := os.Lchown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	return nil
}

// command prepares program to run as the account, able to reach the program and every folder in needs. On our death it
// is sent onDeath where the kernel can do that.
func (a account) command(onDeath syscall.Signal, needs []string, program string, args ...string) (*exec.Cmd, error) {
	attr := lifeline(onDeath)
	// No folder of ours as working folder: it is entered before the child has its rights.
	cmd := &exec.Cmd{Path: program, Args: append([]string{program}, args...), Dir: "/", Env: environment(), SysProcAttr: attr}
	if !a.switched {
		return cmd, nil
	}
	attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // Read from uint32s.
	blockedBy := a.blockedBy(program)
	if blockedBy != "" {
		// The right to pass closed folders takes effect with the first exec, which is too late to find a program behind
		// one. So the first exec is a shell, which becomes the program.
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `exec "$0" "$@"`, program}, args...)
	}
	for _, path := range needs {
		if blockedBy == "" {
			blockedBy = a.blockedBy(path)
		}
	}
	if blockedBy != "" {
		if err := passClosedFolders(attr); err != nil {
			return nil, fmt.Errorf("user %s, who runs PostgreSQL for root, cannot pass %s (%w): "+
				"choose a folder outside it with --data", a.name, blockedBy, err)
		}
	}
	return cmd, nil
}

// blockedBy names the first folder on the way to path that the account may not enter, "" when the way is free. It goes by
// the mode bits alone: an access list that grants more costs nothing but a right that was not needed.
func (a account) blockedBy(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok && !a.mayEnter(st) {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

func (a account) mayEnter(st *syscall.Stat_t) bool {
	switch {
	case int(st.Uid) == a.uid:
		return st.Mode&0o100 != 0
	case int(st.Gid) == a.gid:
		return st.Mode&0o010 != 0
	default:
		return st.Mode&0o001 != 0
	}
}
