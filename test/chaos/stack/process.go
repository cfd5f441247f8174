package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a program that we started.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	exit error // how it ended; set before done is closed
}

// start runs a program whose output goes to a file at its end. It dies with us where the kernel can see to it.
func start(name, logPath string, cmd *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = log.Close() }() // The program has its own copy.
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, lifeline()
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	forked := make(chan error, 1)
	go func() {
		// The kernel looks at the thread that forked, and not at the process; so that thread must live as long as the child.
		runtime.LockOSThread()
		err := cmd.Start()
		forked <- err
		if err != nil {
			return
		}
		p.exit = cmd.Wait()
		close(p.done)
	}()
	if err := <-forked; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// kill ends it without a word, also when it is stopped, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // It has ended if this fails.
	<-p.done
}

// end asks it to end and waits; it returns how it ended, or that it had to be killed.
func (p *process) end(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.exit
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("%s did not end by itself: %w", p.name, ctx.Err())
	}
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// withoutSettings is the environment without the settings of whoever runs the suite, and with ours.
func withoutSettings(ours ...string) []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PEAL_") && !strings.HasPrefix(v, "PG") {
			kept = append(kept, v)
		}
	}
	return append(kept, ours...)
}

// eventually asks again until something holds.
func eventually(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
