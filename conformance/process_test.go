//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a `peal dev` that the suite started, or a platform of two edges that looks like one.
type process struct {
	cmd  *exec.Cmd
	data string // its folder
	edge string // host:port
	ops  string // URL
	// direct is an edge behind the balancer, host:port; empty where there is none.
	direct string
	log    *lockedBuffer

	exited chan error
}

// startPeal starts the binary on free ports, in a folder of its own, with the apps of the suite.
func startPeal() (*process, error) {
	const free = "127.0.0.1:0"
	return startProcess(program(), "dev", "--json", "--seed", "testdata/seed.yaml",
		"--edge-addr", free, "--control-addr", free, "--ops-addr", free, "--shutdown-timeout", "10s", "--data")
}

// startTwoEdges starts a platform of two edges, over which a balancer spreads the clients.
func startTwoEdges() (*process, error) {
	return startProcess("../bin/platform", "--binary", program(), "--seed", "testdata/seed.yaml", "--haproxy", "../deploy/haproxy.cfg", "--leash")
}

func program() string {
	if b := os.Getenv("CONFORMANCE_BINARY"); b != "" {
		return b
	}
	return "../bin/peal"
}

// startProcess starts a program that prints where it is. An option that is left open gets a folder.
func startProcess(name string, args ...string) (*process, error) {
	data, err := os.MkdirTemp("", "peal-conformance-")
	if err != nil {
		return nil, err
	}
	if args[len(args)-1] == "--data" {
		args = append(args, data)
	}
	p := &process{data: data, log: &lockedBuffer{}, exited: make(chan error, 1)}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = withoutSettings()
	p.cmd.Stderr = p.log
	if _, err := p.cmd.StdinPipe(); err != nil { // It is open for as long as the suite lives.
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: build it with `make build`", err), os.RemoveAll(data))
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	go func() { p.exited <- p.cmd.Wait() }()
	var facts struct {
		EdgeURL string `json:"edge_url"`
		OpsURL  string `json:"ops_url"`
		Direct  string `json:"direct"`
	}
	if err := errors.Join(readErr, json.Unmarshal([]byte(line), &facts)); err != nil {
		err = fmt.Errorf("%s printed %q: %w\n%s", name, line, err, p.log)
		return nil, errors.Join(err, p.stop())
	}
	edge, err := url.Parse(facts.EdgeURL)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	// By number: a name may lead to IPv6 first, where nobody listens.
	p.edge, p.ops, p.direct = "127.0.0.1:"+edge.Port(), facts.OpsURL, facts.Direct
	return p, nil
}

// withoutSettings is the environment without the settings of whoever runs the suite.
func withoutSettings() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PEAL_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// target tells where the process's apps are found. Their ids and keys are those of testdata/seed.yaml.
func (p *process) target() target {
	t := target{addr: p.edge, direct: cmp.Or(p.direct, p.edge), balanced: p.direct != "", ops: p.ops, own: p, apps: map[string]app{}}
	for i, name := range []string{
		"plain", "other", "counts", "watch", "quiet", "origins", "tls", "brief", "few", "strict", "disabled", "small", "compressed", "pair",
	} {
		t.apps[name] = app{strconv.Itoa(9001 + i), "conformance-" + name, "secret-of-" + name}
	}
	return t
}

// stop asks the process to stop, waits for it and removes its folder. It must end by itself and with 0.
func (p *process) stop() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case exit := <-p.exited:
		if exit != nil {
			err = errors.Join(err, fmt.Errorf("peal ended with %w\n%s", exit, p.log))
		}
		p.exited <- exit
	case <-time.After(30 * time.Second):
		err = errors.Join(err, fmt.Errorf("peal did not stop\n%s", p.log), p.cmd.Process.Kill())
	}
	return errors.Join(err, os.RemoveAll(p.data))
}

// lockedBuffer is a buffer that a process writes to while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
