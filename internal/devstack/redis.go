package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

const redisSocket = "redis.sock"

// RedisConfig says where a private Redis lives.
type RedisConfig struct {
	// Dir is a folder of its own; made when missing, refused when it holds files that are not ours.
	Dir string
	// Args are further arguments for the server, such as "--maxmemory", "8mb".
	Args   []string
	Logger *slog.Logger
}

// Redis is a running server. It keeps nothing on disk: it is there for tests.
type Redis struct {
	proc   *process
	folder *folder
	socket string // folder of the socket
	free   sync.Once
}

// StartRedis starts a server and returns when it answers. The context bounds the start; the server then runs until Stop,
// or until this process ends. A server started again in the same folder has the same URL.
func StartRedis(ctx context.Context, cfg RedisConfig) (*Redis, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	f, err := openFolder(cfg.Dir, self())
	if err != nil {
		return nil, err
	}
	r, err := startRedisIn(ctx, f, cfg)
	if err != nil {
		f.release()
		return nil, fmt.Errorf("private Redis in %s: %w", f.path, err)
	}
	return r, nil
}

func startRedisIn(ctx context.Context, f *folder, cfg RedisConfig) (*Redis, error) {
	pidFile := filepath.Join(f.path, "redis.pid")
	err := stopOrphan(ctx, pidFile, f.path, syscall.SIGTERM, syscall.SIGKILL, orDiscard(cfg.Logger))
	if err != nil {
		return nil, err
	}
	program, err := findRedis()
	if err != nil {
		return nil, err
	}
	r := &Redis{folder: f}
	if r.socket, err = f.socketFolder(redisSocket); err != nil {
		return nil, err
	}
	log, err := f.logFile("redis.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has its own copy
	args := append([]string{
		"--port", "0", "--unixsocket", filepath.Join(r.socket, redisSocket), "--unixsocketperm", "700",
		"--dir", f.path, "--pidfile", pidFile, "--save", "", "--appendonly", "no", "--daemonize", "no",
	}, cfg.Args...)
	cmd, err := f.owner.command(syscall.SIGTERM, nil, program, args...)
	if err != nil {
		return nil, err
	}
	cmd.Args[0] = "redis-server" // see findRedis
	cmd.Stdout, cmd.Stderr = log, log
	if r.proc, err = startProcess("redis-server", cmd); err != nil {
		return nil, err
	}
	if err := r.answer(ctx); err != nil {
		_ = r.proc.stop(canceled(ctx), syscall.SIGTERM, syscall.SIGKILL)
		return nil, fmt.Errorf("%w; its log ends:\n%s", err, logTail(log.Name()))
	}
	return r, nil
}

// findRedis finds the server. In Debian's and Ubuntu's packages server and checker are one program that looks at the name
// it is called by; redis-tools holds the program, redis-server only a link to it and a service on the usual port. So the
// checker will do, and a machine need not run a service for the sake of our tests.
func findRedis() (string, error) {
	for _, name := range []string{"redis-server", "redis-check-rdb"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("redis is not installed here: install the package redis-tools or redis-server " +
		"(Debian, Ubuntu: apt-get install redis-tools)")
}

func (r *Redis) answer(ctx context.Context) error {
	opt, err := redis.ParseURL(r.URL())
	if err != nil {
		return fmt.Errorf("own address: %w", err)
	}
	opt.MaxRetries = -1 // we ask again ourselves
	client := redis.NewClient(opt)
	defer func() { _ = client.Close() }()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		// Before it listens there is no socket; asking then only makes the client's pool back off.
		err := os.ErrNotExist
		if _, statErr := os.Stat(filepath.Join(r.socket, redisSocket)); statErr == nil {
			if err = client.Ping(ctx).Err(); err == nil {
				return nil
			}
		}
		select {
		case <-r.proc.done:
			return r.proc.err()
		case <-ctx.Done():
			return fmt.Errorf("wait until it answers: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// URL is the address, as go-redis reads it.
func (r *Redis) URL() string {
	u := url.URL{Scheme: "unix", Path: filepath.Join(r.socket, redisSocket)}
	return u.String()
}

// PID is the server's process id.
func (r *Redis) PID() int { return r.proc.cmd.Process.Pid }

// Done is closed when the server has ended, by Stop or on its own.
func (r *Redis) Done() <-chan struct{} { return r.proc.done }

// Err says why the server ended on its own; nil while it runs and after Stop.
func (r *Redis) Err() error { return r.proc.err() }

// Stop ends the server and gives the folder back. Call it also after the server has ended on its own.
func (r *Redis) Stop(ctx context.Context) error {
	err := r.proc.stop(ctx, syscall.SIGTERM, syscall.SIGKILL)
	r.free.Do(func() {
		r.folder.removeSockets(r.socket)
		r.folder.release()
	})
	return err
}
