package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pealhq/peal/test/chaos/proxy"
)

// Edge is one `peal serve`. It comes back on the same ports.
type Edge struct {
	Index int
	// Redis and Postgres stand between the edge and its servers; Redis is nil where Redis is more than one server.
	Redis, Postgres *proxy.Proxy

	binary            string
	log               string // path
	env               []string
	edge, control, op string // host:port of the three doors
	proc              *process
}

// Addr is where clients reach it.
func (e *Edge) Addr() netip.AddrPort { return netip.MustParseAddrPort(e.edge) }

// Ops is the address of the door for operators.
func (e *Edge) Ops() string { return "http://" + e.op }

// PID is the process's number.
func (e *Edge) PID() int { return e.proc.cmd.Process.Pid }

// Alive tells whether the process runs, stopped or not.
func (e *Edge) Alive() bool { return e.proc != nil && e.proc.alive() }

// Start starts the process and returns when it is ready.
func (e *Edge) Start(ctx context.Context) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), e.binary, "serve",
		"--edge-addr", e.edge, "--control-addr", e.control, "--ops-addr", e.op, "--log-format", "json")
	cmd.Env = e.env
	var err error
	if e.proc, err = start(fmt.Sprintf("edge %d", e.Index), e.log, cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready := false
	err = eventually(ctx, fmt.Sprintf("edge %d is ready", e.Index), func() bool {
		ready = e.Ready(ctx)
		return ready || !e.Alive()
	})
	if err == nil && !ready {
		err = errors.New("the process has ended")
	}
	if err != nil {
		return fmt.Errorf("edge %d does not come up: %w; its log ends:\n%s", e.Index, err, e.LogTail(10))
	}
	return nil
}

// Kill ends the process without a word.
func (e *Edge) Kill() { e.proc.kill() }

// Stop halts the process where it is.
func (e *Edge) Stop() error { return e.proc.signal(syscall.SIGSTOP) }

// Continue lets a stopped process go on.
func (e *Edge) Continue() error { return e.proc.signal(syscall.SIGCONT) }

// End asks the process to end and waits; an end that is not its own, or not with 0, is an error.
func (e *Edge) End(ctx context.Context) error { return e.proc.end(ctx) }

// Use has the next start run another program.
func (e *Edge) Use(binary string) { e.binary = binary }

// Readiness is what /readyz says.
type Readiness struct {
	Code   int
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// Readiness asks /readyz. An edge that does not answer has the code 0.
func (e *Edge) Readiness(ctx context.Context) (r Readiness) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Ops()+"/readyz", nil)
	if err != nil {
		return r
	}
	resp, err := opsClient.Do(req)
	if err != nil {
		return r
	}
	defer func() { _ = resp.Body.Close() }() // It has been read.
	if json.NewDecoder(resp.Body).Decode(&r) == nil {
		r.Code = resp.StatusCode
	}
	return r
}

// opsClient keeps no connection, so that a process that is gone is asked anew.
var opsClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// Ready tells whether the edge says that clients may be sent to it.
func (e *Edge) Ready(ctx context.Context) bool { return e.Readiness(ctx).Code == http.StatusOK }

// Alerts are the warnings and complaints of the log: the first of each kind, with how many there are.
func (e *Edge) Alerts() []string {
	text, err := os.ReadFile(e.log)
	if err != nil {
		return nil
	}
	counts := map[string]int{}
	var first []string
	var kinds []string
	for line := range strings.Lines(string(text)) {
		var l struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Level == "INFO" {
			continue
		}
		if l.Msg == "" {
			l.Msg = line // a panic, or what the race detector says
		}
		if counts[l.Msg]++; counts[l.Msg] == 1 {
			kinds, first = append(kinds, l.Msg), append(first, strings.TrimSpace(line))
		}
	}
	for i, kind := range kinds {
		first[i] = fmt.Sprintf("%d× %s", counts[kind], first[i])
	}
	return first
}

// LogTail is the end of the log.
func (e *Edge) LogTail(lines int) string {
	text, err := os.ReadFile(e.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// newEdge gives an edge its ports and proxies.
func (p *Platform) newEdge(ctx context.Context, index int) (*Edge, error) {
	e := &Edge{Index: index, binary: p.cfg.Binary, log: filepath.Join(p.dir, fmt.Sprintf("edge-%d.log", index))}
	if index < len(p.cfg.Binaries) {
		e.binary = p.cfg.Binaries[index]
	}
	for _, addr := range []*string{&e.edge, &e.control, &e.op} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		*addr = "127.0.0.1:" + port
	}
	var err error
	if e.Postgres, err = proxy.New(ctx, "unix", p.postgresSocket); err != nil {
		return nil, err
	}
	redisURL := p.redisURL
	if p.cfg.Redis == Single {
		if e.Redis, err = proxy.New(ctx, "tcp", p.Redis[0].Addr()); err != nil {
			return nil, err
		}
		redisURL = "redis://" + e.Redis.Addr()
	}
	e.env = withoutSettings(append([]string{
		"PEAL_DATABASE_URL=postgres://peal@" + e.Postgres.Addr() + "/peal?sslmode=disable",
		"PEAL_KEY_ENCRYPTION_KEY=" + kek, "PEAL_REDIS_URL=" + redisURL,
	}, p.cfg.Env...)...)
	return e, nil
}

func (e *Edge) close() {
	if e.proc != nil {
		e.proc.kill()
	}
	for _, x := range []*proxy.Proxy{e.Redis, e.Postgres} {
		if x != nil {
			x.Close()
		}
	}
}
