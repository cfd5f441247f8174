package stack

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is one server. It can be killed, stopped and started again on the same port and data.
type Redis struct {
	// Client is a connection of the suite's own, past all proxies.
	Client *redis.Client

	dir, port string
	args      []string
	proc      *process
}

// redisProgram is the server, by either of the names under which systems install it; see internal/devstack.
func redisProgram() (string, error) {
	for _, name := range []string{"redis-server", "redis-check-rdb"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", errors.New("redis is not installed here: install the package redis-tools")
}

func startRedis(ctx context.Context, dir string, args ...string) (*Redis, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	r := &Redis{dir: dir, port: port, args: args}
	r.Client = redis.NewClient(&redis.Options{Addr: r.Addr(), Protocol: 2, MaxRetries: -1})
	return r, r.Start(ctx)
}

// Addr is host:port.
func (r *Redis) Addr() string { return "127.0.0.1:" + r.port }

// Start starts the server, which must not run, and returns when it answers: with what its data folder holds.
func (r *Redis) Start(ctx context.Context) error {
	program, err := redisProgram()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, append([]string{
		"--bind", "127.0.0.1", "--port", r.port, "--dir", r.dir, "--save", "", "--daemonize", "no",
	}, r.args...)...)
	cmd.Args[0] = "redis-server" // The program looks at the name it is called by.
	if r.proc, err = start("redis-server", filepath.Join(r.dir, "redis.log"), cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return eventually(ctx, "Redis answers", func() bool { return r.Client.Ping(ctx).Err() == nil })
}

// startLimit bounds the start of anything.
const startLimit = 30 * time.Second

// Kill ends the server without a word.
func (r *Redis) Kill() { r.proc.kill() }

// Stop halts the process where it is, and Continue lets it go on.
func (r *Redis) Stop() error { return r.proc.signal(syscall.SIGSTOP) }

// Continue lets a stopped server go on.
func (r *Redis) Continue() error { return r.proc.signal(syscall.SIGCONT) }

// info returns a field of INFO.
func (r *Redis) info(ctx context.Context, section, field string) string {
	text, _ := r.Client.Info(ctx, section).Result() // A server that is away has no fields.
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *Redis) close() {
	_ = r.Client.Close() // It has nothing to lose.
	if r.proc != nil {
		r.proc.kill()
	}
}

// KillClients ends one of the connections of the edges at Redis, chosen by a number; it tells whether there was one.
func (r *Redis) KillClients(ctx context.Context, choice int) (bool, error) {
	list, err := r.Client.ClientList(ctx).Result()
	if err != nil {
		return false, fmt.Errorf("list clients: %w", err)
	}
	var ids []string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		var id string
		edge := false
		for _, f := range fields {
			if v, ok := strings.CutPrefix(f, "id="); ok {
				id = v
			}
			edge = edge || f == "name=peal"
		}
		if edge {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return false, nil
	}
	n, err := r.Client.ClientKillByFilter(ctx, "ID", ids[choice%len(ids)]).Result()
	return n > 0, err
}

// Commands is how often the server was asked for what since it started, by name.
func (r *Redis) Commands(ctx context.Context) (map[string]float64, error) {
	text, err := r.Client.Info(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("ask for the commands: %w", err)
	}
	counts := map[string]float64{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if !ok {
			continue
		}
		calls, _, _ := strings.Cut(rest, ",")
		if counts[name], err = strconv.ParseFloat(calls, 64); err != nil {
			return nil, fmt.Errorf("read the commands: %q: %w", line, err)
		}
	}
	return counts, nil
}

// RedisVersion is what the server's program says of itself.
func RedisVersion(ctx context.Context) string {
	program, err := redisProgram()
	if err != nil {
		return err.Error()
	}
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Args[0] = "redis-server" // as in Redis.Start
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	for field := range strings.FieldsSeq(string(out)) {
		if v, ok := strings.CutPrefix(field, "v="); ok {
			return v
		}
	}
	return strings.TrimSpace(string(out))
}
