package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/internal/devstack"
)

// sweepBatch is how many keys one round of a test's clean-up looks at.
const sweepBatch = 1000

// Redis returns the address of a server that the tests of this binary share, and a key prefix that no other test has. The
// keys below it are removed when the test ends.
func Redis(t testing.TB) (url, prefix string) {
	t.Helper()
	needMain(t)
	ctx := context.WithoutCancel(t.Context())
	r, err := cache.get(ctx, startRedis)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	prefix = fmt.Sprintf("test%d:", r.prefixes.Add(1))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, dropLimit)
		defer cancel()
		if err := r.sweep(ctx, prefix); err != nil {
			t.Errorf("testenv: %v", err)
		}
	})
	return r.server.URL(), prefix
}

// redisServer is the server of this test binary.
type redisServer struct {
	dir      string
	server   *devstack.Redis
	client   *redis.Client
	prefixes atomic.Int64
}

func startRedis(ctx context.Context) (_ *redisServer, err error) {
	r := &redisServer{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop(ctx))
		}
	}()
	if r.dir, err = devstack.ScratchDir(); err != nil {
		return nil, err
	}
	if r.server, err = devstack.StartRedis(ctx, devstack.RedisConfig{Dir: r.dir}); err != nil {
		return nil, err
	}
	options, err := redis.ParseURL(r.server.URL())
	if err != nil {
		return nil, fmt.Errorf("own address: %w", err)
	}
	r.client = redis.NewClient(options)
	return r, nil
}

// sweep removes a test's keys, those in a hash tag ("{test1:…}", as a cluster needs them) among them.
func (r *redisServer) sweep(ctx context.Context, prefix string) error {
	for _, pattern := range []string{prefix + "*", "{" + prefix + "*"} {
		keys := r.client.Scan(ctx, 0, pattern, sweepBatch).Iterator()
		for keys.Next(ctx) {
			if err := r.client.Unlink(ctx, keys.Val()).Err(); err != nil {
				return fmt.Errorf("remove key %s: %w", keys.Val(), err)
			}
		}
		if err := keys.Err(); err != nil {
			return fmt.Errorf("look for keys below %s: %w", prefix, err)
		}
	}
	return nil
}

func (r *redisServer) stop(ctx context.Context) error {
	var err error
	if r.client != nil {
		err = r.client.Close()
	}
	if r.server != nil {
		err = errors.Join(err, r.server.Stop(ctx))
	}
	if r.dir != "" {
		err = errors.Join(err, os.RemoveAll(r.dir))
	}
	return err
}
