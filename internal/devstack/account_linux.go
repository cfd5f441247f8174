package devstack

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Capability numbers of linux/capability.h.
const (
	capDACOverride   = 1 // pass every permission check on files
	capDACReadSearch = 2 // read every file and pass every folder
)

// passClosedFolders lets a child that becomes another user keep the right to pass folders that are closed to that user:
// a data folder may lie under root's 0700 home. It takes the smaller of the two rights that do, if we have it to give:
// containers often keep only the other.
func passClosedFolders(attr *syscall.SysProcAttr) error {
	held, err := permittedCaps()
	if err != nil {
		return err
	}
	for _, c := range []uintptr{capDACReadSearch, capDACOverride} {
		if held&(1<<c) != 0 {
			attr.AmbientCaps = []uintptr{c}
			return nil
		}
	}
	return errors.New("this process has no right to pass on")
}

// permittedCaps reads the capabilities this process may hand on.
func permittedCaps() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err //nolint:wrapcheck // The error names the file.
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapPrm:"); ok {
			return strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		}
	}
	return 0, errors.New("/proc/self/status names no capabilities")
}
