package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pealhq/peal/internal/testenv"
)

// patience is how long a test waits for what must happen; a machine under load may need a while.
const patience = 30 * time.Second

// runAsPeal makes this test binary be peal: the real main, in a process of its own that can be sent signals.
const runAsPeal = "RUN_THIS_TEST_BINARY_AS_PEAL"

func TestMain(m *testing.M) {
	if os.Getenv(runAsPeal) != "" {
		main()
		return
	}
	testenv.Main(m)
}

// process is a running peal.
type process struct {
	*exec.Cmd
	stderr *lockedBuffer
	info   devInfo
	exited chan error
}

// devInfo is what `peal dev --json` prints.
type devInfo struct {
	EdgeURL      string `json:"edge_url"`
	DashboardURL string `json:"dashboard_url"`
	OpsURL       string `json:"ops_url"`
	AppID        string `json:"app_id"`
	Key          string `json:"key"`
	Secret       string `json:"secret"`
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
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

// freePorts takes a free port for each door.
var freePorts = []string{"--edge-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0"}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(append(os.Environ(), runAsPeal+"=1"), env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// startDev starts `peal dev` on a data folder and waits until it is up.
func startDev(t *testing.T, data string, args ...string) *process {
	t.Helper()
	cmd := command(t, nil, append(append([]string{"dev", "--json", "--data", data}, freePorts...), args...)...)
	p := &process{Cmd: cmd, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	cmd.Stderr = p.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	go func() { p.exited <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		select {
		case <-p.exited:
		case <-time.After(patience):
			t.Error("peal did not die")
		}
		endPostgres(t, filepath.Join(data, "postgres", "data", "postmaster.pid"))
	})
	if readErr != nil {
		t.Fatalf("peal dev printed %q: %v\n%s", line, readErr, p.stderr)
	}
	if err := json.Unmarshal([]byte(line), &p.info); err != nil {
		t.Fatalf("peal dev printed %q: %v", line, err)
	}
	return p
}

// endPostgres ends the database of a peal that was killed, and waits: it writes into a folder that is about to be removed.
// There is nothing to do where it has ended.
func endPostgres(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Errorf("%s: %v", pidFile, err)
		return
	}
	_ = syscall.Kill(pid, syscall.SIGQUIT) // PostgreSQL's immediate shutdown
	for range 100 {
		if _, err := os.Stat(pidFile); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("postgres %d did not end", pid)
}

// stop sends a signal and returns the exit code.
func (p *process) stop(t *testing.T, sig os.Signal) int {
	t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case err := <-p.exited:
		p.exited <- err
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
				return -int(s.Signal())
			}
			return exit.ExitCode()
		}
		return 0
	case <-time.After(patience):
		t.Fatalf("peal did not stop\n%s", p.stderr)
		return 0
	}
}

// output is what a command that ends by itself printed.
type output struct {
	code           int
	stdout, stderr string
}

// runPeal runs a command to its end, in a process of its own.
func runPeal(t *testing.T, env []string, args ...string) output {
	t.Helper()
	return runPealWith(t, env, "", args...)
}

// runPealWith is runPeal with something on standard input.
func runPealWith(t *testing.T, env []string, stdin string, args ...string) output {
	t.Helper()
	cmd := command(t, env, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (o output) want(t *testing.T, what string, code int, parts ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("%s: exit code %d, want %d\n%s%s", what, o.code, code, o.stdout, o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(o.stdout+o.stderr, part) {
			t.Errorf("%s: printed\n%s%swithout %q", what, o.stdout, o.stderr, part)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  []string
		code int
		want []string
	}{
		"no command":          {code: exitOK, want: []string{"dev", "serve", "migrate", "apply"}},
		"version":             {args: []string{"--version"}, code: exitOK, want: []string{"peal version"}},
		"an unknown command":  {args: []string{"sevre"}, code: exitUsage, want: []string{"sevre", "did you mean serve"}},
		"an unknown flag":     {args: []string{"serve", "--edge-adr", ":1"}, code: exitUsage, want: []string{"--edge-adr", "peal serve --help"}},
		"a stray argument":    {args: []string{"serve", "now"}, code: exitUsage, want: []string{"now"}},
		"no database":         {args: []string{"serve"}, code: exitUsage, want: []string{"PEAL_DATABASE_URL"}},
		"no sealing key":      {args: []string{"serve"}, env: []string{"PEAL_DATABASE_URL=postgres://x/"}, code: exitUsage, want: []string{"PEAL_KEY_ENCRYPTION_KEY"}},
		"a bad sealing key":   {args: []string{"serve"}, env: []string{"PEAL_DATABASE_URL=postgres://x/", "PEAL_KEY_ENCRYPTION_KEY=short"}, code: exitUsage, want: []string{"32 bytes"}},
		"a database away":     {args: []string{"migrate", "up"}, env: []string{"PEAL_DATABASE_URL=postgres://u:hushhush@127.0.0.1:1/x"}, code: exitUnavailable, want: []string{"reach the database"}},
		"an unknown variable": {args: []string{"dev"}, env: []string{"PEAL_EDGE_ADRESS=:1"}, code: exitUsage, want: []string{"PEAL_EDGE_ADRESS"}},
		"a bad database URL":  {args: []string{"migrate", "up"}, env: []string{"PEAL_DATABASE_URL=mysql://u:hushhush@x/y"}, code: exitUsage, want: []string{"PEAL_DATABASE_URL is not a PostgreSQL connection string"}},
		"apply what":          {args: []string{"apply"}, code: exitUsage, want: []string{"-f"}},
		"apply nothing":       {args: []string{"apply", "-f", "/does/not/exist"}, code: exitUsage, want: []string{"/does/not/exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kv := range c.env {
				name, value, _ := strings.Cut(kv, "=")
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
			out := output{code, stdout.String(), stderr.String()}
			out.want(t, name, c.code, c.want...)
			if strings.Contains(out.stdout+out.stderr, "hushhush") {
				t.Errorf("the password was printed: %s%s", out.stdout, out.stderr)
			}
		})
	}
}

func TestErrorsGoToStderr(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"serve", "extra"}, strings.NewReader(""), &stdout, &stderr); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "peal: ") {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
}
