package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
)

// DownAfter is how long a master is away before Sentinel, or a Cluster, takes it for dead.
const DownAfter = 2 * time.Second

// masterName is what the Sentinels call it.
const masterName = "peal"

// sentinels are three that watch over a master and its replicas.
type sentinels struct {
	procs []*process
	addrs []string
}

// startSentinel starts a master, two replicas, and three Sentinels that know them all.
func (p *Platform) startSentinel(ctx context.Context) error {
	master, err := startRedis(ctx, p.mkdir("redis-0"), "--appendonly", "yes")
	if err != nil {
		return err
	}
	p.Redis = append(p.Redis, master)
	for i := 1; i <= 2; i++ {
		replica, err := startRedis(ctx, p.mkdir(fmt.Sprintf("redis-%d", i)), "--appendonly", "yes", "--replicaof", "127.0.0.1", master.port)
		if err != nil {
			return err
		}
		p.Redis = append(p.Redis, replica)
		// A Sentinel that comes before the replica looks for it only every ten seconds.
		if err := eventually(ctx, "the replica follows", func() bool {
			return replica.info(ctx, "replication", "master_link_status") == "up"
		}); err != nil {
			return err
		}
	}
	for i := range 3 {
		if err := p.sentinels.start(ctx, p.mkdir(fmt.Sprintf("sentinel-%d", i)), master.port); err != nil {
			return err
		}
	}
	for _, addr := range p.sentinels.addrs {
		if err := knowsAll(ctx, addr); err != nil {
			return err
		}
	}
	p.redisURL = "redis+sentinel://" + p.sentinels.addrs[0] + "," + p.sentinels.addrs[1] + "," + p.sentinels.addrs[2] + "/" + masterName
	return nil
}

func (s *sentinels) start(ctx context.Context, dir, master string) error {
	program, err := redisProgram()
	if err != nil {
		return err
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %s 2\n"+
		"sentinel down-after-milliseconds %[3]s %[5]d\nsentinel failover-timeout %[3]s 10000\n", port, dir, masterName, master, DownAfter.Milliseconds())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, conf, "--sentinel")
	cmd.Args[0] = "redis-server" // as in Redis.Start
	proc, err := start("sentinel", filepath.Join(dir, "sentinel.log"), cmd)
	if err != nil {
		return err
	}
	s.procs, s.addrs = append(s.procs, proc), append(s.addrs, "127.0.0.1:"+port)
	return nil
}

// knowsAll waits until a Sentinel knows both replicas and the other Sentinels: without them it decides nothing.
func knowsAll(ctx context.Context, addr string) error {
	client := redis.NewSentinelClient(&redis.Options{Addr: addr, Protocol: 2})
	defer func() { _ = client.Close() }() // It has nothing to lose.
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return eventually(ctx, "the Sentinels know each other", func() bool {
		replicas, err := client.Replicas(ctx, masterName).Result()
		if err != nil || len(replicas) != 2 {
			return false
		}
		for _, r := range replicas {
			if r["master-link-status"] != "ok" {
				return false
			}
		}
		others, err := client.Sentinels(ctx, masterName).Result()
		return err == nil && len(others) == 2
	})
}

// MasterAddr is who is master now, as the first Sentinel has it.
func (p *Platform) MasterAddr(ctx context.Context) (string, error) {
	client := redis.NewSentinelClient(&redis.Options{Addr: p.sentinels.addrs[0], Protocol: 2})
	defer func() { _ = client.Close() }() // as above
	addr, err := client.GetMasterAddrByName(ctx, masterName).Result()
	if err != nil {
		return "", fmt.Errorf("ask who is master: %w", err)
	}
	return addr[0] + ":" + addr[1], nil
}
