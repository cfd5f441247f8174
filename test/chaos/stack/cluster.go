package stack

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	slots   = 16384
	masters = 3
)

// startCluster starts three masters, each with a replica, that know who has which slots.
func (p *Platform) startCluster(ctx context.Context) error {
	var addrs []string
	for i := range 2 * masters {
		bus, err := freePort(ctx)
		if err != nil {
			return err
		}
		r, err := startRedis(ctx, p.mkdir(fmt.Sprintf("redis-%d", i)), "--appendonly", "yes", "--cluster-enabled", "yes", "--cluster-port", bus,
			"--cluster-node-timeout", fmt.Sprint(DownAfter.Milliseconds()))
		if err != nil {
			return err
		}
		p.Redis = append(p.Redis, r)
		if i < masters {
			addrs = append(addrs, r.Addr())
			if err := r.do(ctx, "CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1); err != nil {
				return err
			}
		}
		if err := r.do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
			return err
		}
	}
	if err := p.meet(ctx); err != nil {
		return err
	}
	for i := masters; i < 2*masters; i++ {
		id, err := p.Redis[i-masters].Client.Do(ctx, "CLUSTER", "MYID").Text()
		if err != nil {
			return fmt.Errorf("ask a master its name: %w", err)
		}
		if err := p.Redis[i].do(ctx, "CLUSTER", "REPLICATE", id); err != nil {
			return err
		}
		if err := eventually(ctx, "the replica follows", func() bool {
			return p.Redis[i].info(ctx, "replication", "master_link_status") == "up"
		}); err != nil {
			return err
		}
	}
	if err := p.clusterKnows(ctx, "cluster_state:ok"); err != nil {
		return err
	}
	p.redisURL = "redis+cluster://" + strings.Join(addrs, ",")
	return nil
}

// meet introduces everybody to the first.
func (p *Platform) meet(ctx context.Context) error {
	first := p.Redis[0]
	bus, err := first.Client.ConfigGet(ctx, "cluster-port").Result()
	if err != nil {
		return fmt.Errorf("ask for the port of the cluster: %w", err)
	}
	host, port, err := net.SplitHostPort(first.Addr())
	if err != nil {
		return err
	}
	for _, r := range p.Redis[1:] {
		if err := r.do(ctx, "CLUSTER", "MEET", host, port, bus["cluster-port"]); err != nil {
			return err
		}
	}
	return p.clusterKnows(ctx, fmt.Sprintf("cluster_known_nodes:%d", 2*masters))
}

// clusterKnows waits until every node says something of the cluster.
func (p *Platform) clusterKnows(ctx context.Context, what string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return eventually(ctx, "all nodes say "+what, func() bool {
		for _, r := range p.Redis {
			if text, err := r.Client.ClusterInfo(ctx).Result(); err != nil || !strings.Contains(text, what) {
				return false
			}
		}
		return true
	})
}

func (r *Redis) do(ctx context.Context, args ...any) error {
	if err := r.Client.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("%v: %w", args, err)
	}
	return nil
}

// MasterOf returns the server that holds what belongs to a key, by what the first that answers says.
func (p *Platform) MasterOf(ctx context.Context, key string) (*Redis, error) {
	for _, asked := range p.Redis {
		slot, err := asked.Client.ClusterKeySlot(ctx, key).Result()
		if err != nil {
			continue
		}
		shards, err := asked.Client.ClusterShards(ctx).Result()
		if err != nil {
			continue
		}
		for _, shard := range shards {
			if r := p.masterOf(shard, slot); r != nil {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("nobody knows who holds %s", key)
}

func (p *Platform) masterOf(shard redis.ClusterShard, slot int64) *Redis {
	if !slices.ContainsFunc(shard.Slots, func(s redis.SlotRange) bool { return s.Start <= slot && slot <= s.End }) {
		return nil
	}
	for _, n := range shard.Nodes {
		for _, r := range p.Redis {
			if n.Role == "master" && n.Health == "online" && r.port == strconv.FormatInt(n.Port, 10) {
				return r
			}
		}
	}
	return nil
}
