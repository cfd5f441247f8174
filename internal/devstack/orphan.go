package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanPoll is how often we look whether an orphan has gone.
const orphanPoll = 5 * time.Millisecond

// stopOrphan ends a server that a killed parent left behind in dir, as pidFile (whose first line is a pid) says. The
// caller holds the folder's lock, so what runs there has no living parent of ours.
func stopOrphan(ctx context.Context, pidFile, dir string, polite, hard syscall.Signal, log *slog.Logger) error {
	text, err := os.ReadFile(pidFile) //nolint:gosec // A file in our own folder.
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a server left behind: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return removeStale(pidFile) // cut short by a crash
	}
	if !alive(pid) {
		return nil // the server itself knows what to do with the file of a dead one
	}
	if !runsIn(ctx, pid, dir) {
		return removeStale(pidFile) // the number has gone to somebody else since
	}
	log.InfoContext(ctx, "stopping a server that was left behind", "pid", pid, "folder", dir)
	return endOrphan(ctx, pid, polite, hard)
}

// endOrphan signals a process that is not our child and waits until it is gone.
func endOrphan(ctx context.Context, pid int, polite, hard syscall.Signal) error {
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{polite, 10 * time.Second}, {hard, killAfter}, {syscall.SIGKILL, killAfter}} {
		if err := syscall.Kill(pid, step.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop process %d, a server left behind: %w", pid, err)
		}
		gone, err := waitGone(ctx, pid, step.wait)
		if err != nil {
			return fmt.Errorf("stop process %d, a server left behind: %w", pid, err)
		}
		if gone {
			return nil
		}
	}
	return fmt.Errorf("process %d, a server left behind, does not end", pid)
}

func waitGone(ctx context.Context, pid int, limit time.Duration) (bool, error) {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(orphanPoll)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if !alive(pid) {
			return true, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false, ctx.Err() //nolint:wrapcheck // The caller says what was being done.
		}
	}
	return false, nil
}

func removeStale(pidFile string) error {
	if err := os.Remove(pidFile); err != nil {
		return fmt.Errorf("remove stale pid file: %w", err)
	}
	return nil
}
