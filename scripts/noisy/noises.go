package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// quota is how many messages a second the noisy tenant's first app may publish.
const quota = 100

// seed are the apps of both tenants. The demo's app 1 is the quiet one.
var seed = fmt.Sprintf(`tenants:
  - name: Noisy
    apps:
      - {id: "2", name: over quota, keys: [{key: noisy-two, secret: noisy}], limits: {messages_per_second: %d}}
      - {id: "3", name: crowd, keys: [{key: noisy-three, secret: noisy}]}
`, quota)

// noise is what the noisy tenant does, as arguments of `peal bench`.
type noise struct {
	name string
	app  string
	args func(cfg config) []string
	// fills says that all its sockets are there before anything is measured, and ends that it ends amid the measurement.
	fills, ends bool
}

func noises() []noise {
	long := []string{"--duration", "10m"}
	crowd := func(c config) string { return strconv.Itoa(c.crowd) }
	return []noise{
		{name: "publishes at 20 times its quota", app: "two", args: func(config) []string {
			return append(long, "publish", "--rate", strconv.Itoa(20*quota))
		}},
		{name: "one hot channel", app: "three", fills: true, args: func(c config) []string {
			return append(long, "fanout", "--rate", "5", "--subscribers", crowd(c))
		}},
		{name: "mass connect", app: "three", args: func(c config) []string {
			return []string{"connect", "--rounds", "100", "--settle", "100ms", "--subscribers", crowd(c)}
		}},
		{name: "mass disconnect", app: "three", fills: true, ends: true, args: func(c config) []string {
			return []string{"idle", "--settle", "10m", "--subscribers", crowd(c)}
		}},
	}
}

// running is a noise that is being made.
type running struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // to be read when it has ended
	done   chan struct{}
}

// make begins to make a noise.
func (s *server) make(ctx context.Context, cfg config, n noise) (*running, error) {
	id := map[string]string{"two": "2", "three": "3"}[n.app]
	args := append([]string{"bench", "--target", s.edge, "--app-id", id, "--key", "noisy-" + n.app, "--secret", "noisy"}, n.args(cfg)...)
	r := &running{cmd: exec.CommandContext(ctx, s.peal, args...), done: make(chan struct{})} //nolint:gosec // G204: our own arguments.
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("begin to %s: %w", n.name, err)
	}
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait() // It is killed.
	}()
	if !n.fills {
		time.Sleep(500 * time.Millisecond)
		return r, nil
	}
	err := until(ctx, time.Minute, func() bool { return s.subscriptions(ctx) >= cfg.crowd || r.over() })
	if err == nil && r.over() {
		err = fmt.Errorf("%s: %s", n.name, r.stderr.String())
	}
	if err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (r *running) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// end ends it at once: all its sockets break in the same moment.
func (r *running) end() {
	_ = r.cmd.Process.Kill() // It may have ended.
	<-r.done
}

// until waits until something holds, for so long at most.
func until(ctx context.Context, long time.Duration, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
