package devstack

import (
	"errors"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

func startRedis(t *testing.T, dir string) *Redis {
	t.Helper()
	r, err := StartRedis(t.Context(), RedisConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, r) })
	return r
}

func redisClient(t *testing.T, r *Redis) *redis.Client {
	t.Helper()
	opt, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedisStartsAgainAtTheSameAddress(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	r := startRedis(t, dir)
	if err := redisClient(t, r).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	stop(t, r)
	again := startRedis(t, dir)
	if again.URL() != r.URL() {
		t.Errorf("was at %s, now at %s", r.URL(), again.URL())
	}
	if n, err := redisClient(t, again).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("after a restart it holds %d keys, %v; it is meant to keep nothing", n, err)
	}
}

func TestRedisFolderIsLocked(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	startRedis(t, dir)
	_, err := StartRedis(t.Context(), RedisConfig{Dir: dir})
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Errorf("got %v, want a LockedError", err)
	}
}

func TestARedisOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	orphan := startRedis(t, dir)
	orphan.folder.release()
	startRedis(t, dir)
	<-orphan.Done()
}

func TestRedisThatDiesSaysSo(t *testing.T) {
	t.Parallel()
	r := startRedis(t, scratch(t))
	if err := r.proc.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-r.Done()
	wantError(t, r.Err(), "ended on its own", "killed")
}

func TestRedisThatDoesNotStartShowsItsLog(t *testing.T) {
	t.Parallel()
	_, err := StartRedis(t.Context(), RedisConfig{Dir: scratch(t), Args: []string{"--no-such-setting", "1"}})
	wantError(t, err, "no-such-setting")
}
