package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// killAfter is what a server gets to obey its harder signal before the kernel is asked to end it.
const killAfter = 5 * time.Second

// process is a child that is watched until it ends.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}

	mu       sync.Mutex // guards what follows
	stopping bool       // its end was asked for
	exit     error      // how it ended; meaningful once done is closed
}

// startProcess runs cmd, and returns once it has been forked. The child is tied to this process: where the kernel can do
// it, it is told to end when we do (see lifeline).
func startProcess(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	forked := make(chan error, 1)
	go func() {
		// The parent-death signal is bound to the thread that forked, not to the process. So that thread must live as
		// long as the child: this goroutine keeps it, and gives it back (to be ended) only after Wait.
		runtime.LockOSThread()
		err := cmd.Start()
		forked <- err
		if err != nil {
			return
		}
		p.ended(cmd.Wait())
	}()
	if err := <-forked; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

func (p *process) ended(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.exit = err
	close(p.done)
}

// err says how the process died on its own; nil while it lives and after a stop that was asked for.
func (p *process) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping || p.exit == nil {
		return nil
	}
	return fmt.Errorf("%s ended on its own: %w", p.name, p.exit)
}

// succeeded waits for a child that is meant to end, such as initdb.
func (p *process) succeeded(ctx context.Context) error {
	select {
	case <-p.done:
		if p.cmd.ProcessState.Success() {
			return nil
		}
		return fmt.Errorf("%s: %w", p.name, p.exit)
	case <-ctx.Done():
		_ = p.stop(canceled(ctx), syscall.SIGTERM, syscall.SIGKILL)
		return fmt.Errorf("%s: %w", p.name, ctx.Err())
	}
}

// stop asks politely, and when ctx ends first, less so. It returns after the process is gone, with an error when it took
// more than the polite signal.
func (p *process) stop(ctx context.Context, polite, hard syscall.Signal) error {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()

	_ = p.cmd.Process.Signal(polite) // an error here means that it has ended already
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Signal(hard)
	select {
	case <-p.done:
	case <-time.After(killAfter):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return fmt.Errorf("stop %s: it had to be forced: %w", p.name, ctx.Err())
}

// canceled is a context that leaves no time: stop goes to the hard signal at once.
func canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// environment is what a server sees of ours: nothing that would redirect it (PGDATA, PGPORT and the like) or change the
// language of the messages we show.
func environment() []string {
	env := []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	if tmp, ok := os.LookupEnv("TMPDIR"); ok {
		env = append(env, "TMPDIR="+tmp)
	}
	return env
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
