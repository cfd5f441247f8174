package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of CPU times in /proc. It is 1/100 s on every Linux that Go runs on.
const tick = time.Second / 100

// readUsage adds up what processes have used so far.
func readUsage(pids []int) (usage, error) {
	u := usage{known: len(pids) > 0}
	for _, pid := range pids {
		if err := addCPU(&u, pid); err != nil {
			return u, err
		}
		if err := addMemory(&u, pid); err != nil {
			return u, err
		}
	}
	return u, nil
}

func addCPU(u *usage, pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	// The name of the program, in brackets, may hold anything; what follows are numbers, utime the 12th of them.
	const utime, stime = 11, 12
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= stime {
		return fmt.Errorf("read the CPU time of process %d: %q", pid, stat)
	}
	user, err1 := strconv.ParseInt(string(fields[utime]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[stime]), 10, 64)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("read the CPU time of process %d: %q", pid, stat)
	}
	u.user += time.Duration(user) * tick
	u.system += time.Duration(system) * tick
	return nil
}

func addMemory(u *usage, pid int) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		into := map[string]*int64{"VmRSS": &u.rss, "VmHWM": &u.peak}[string(name)]
		if into == nil {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return fmt.Errorf("read the memory of process %d: %w", pid, err)
		}
		*into += kib << 10
	}
	return nil
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// raiseFileLimit lets this process have as many open files as it may give itself, and returns how many that are.
func raiseFileLimit() (uint64, error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("read the limit on open files: %w", err)
	}
	r.Cur = r.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, fmt.Errorf("raise the limit on open files: %w", err)
	}
	return r.Cur, nil
}
