package redisbus

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

const slots = 16384

// cluster is three masters without replicas.
type cluster struct {
	url     string
	addrs   []string
	masters []*redis.Client
	ids     []string
}

// startCluster returns when all three know who has which slots.
func startCluster(t testing.TB) *cluster {
	t.Helper()
	const n = 3
	c := &cluster{}
	for i := range n {
		port, bus := freePort(t), freePort(t)
		startRedisIn(t, scratch(t), "--bind", "127.0.0.1", "--port", port, "--cluster-enabled", "yes", "--cluster-port", bus,
			"--cluster-node-timeout", "2000")
		addr := "127.0.0.1:" + port
		client := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2})
		t.Cleanup(func() { _ = client.Close() })
		c.do(t, client, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		c.do(t, client, "CLUSTER", "ADDSLOTSRANGE", i*slots/n, (i+1)*slots/n-1)
		if i > 0 {
			host, first, _ := net.SplitHostPort(c.addrs[0])
			c.do(t, client, "CLUSTER", "MEET", host, first, c.busPort(t))
		}
		c.addrs, c.masters = append(c.addrs, addr), append(c.masters, client)
		c.ids = append(c.ids, c.do(t, client, "CLUSTER", "MYID"))
	}
	c.url = "redis+cluster://" + strings.Join(c.addrs, ",")
	for _, client := range c.masters {
		deadline := time.Now().Add(patience)
		for {
			info := client.ClusterInfo(t.Context()).Val()
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the cluster does not come up:\n%s", info)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return c
}

func (c *cluster) busPort(t testing.TB) string {
	t.Helper()
	return c.masters[0].ConfigGet(t.Context(), "cluster-port").Val()["cluster-port"]
}

func (c *cluster) do(t testing.TB, client *redis.Client, args ...any) string {
	t.Helper()
	v, err := client.Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return fmt.Sprint(v)
}

// ports is the last port that a test was given. They are below those that the system gives to connections, and none is
// given twice: a Sentinel goes on looking for a server where it was.
var ports atomic.Int64

func freePort(t testing.TB) string {
	t.Helper()
	const first, n = 20_000, 10_000
	for {
		port := fmt.Sprint(first + (int64(os.Getpid())*37+ports.Add(1))%n)
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
}

// TestCluster runs all suites on a Cluster, with edges that each have keys of their own.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	runSuites(t, c.url)
	t.Run("AnEdgeDies", func(t *testing.T) {
		a, b := run(t, newBusAt(t, c.url, "die:", quick)), run(t, newBusAt(t, c.url, "die:", quick))
		var topics []channels.Topic
		for i := range 20 { // apps on all three
			topics = append(topics, channels.Topic{App: fmt.Sprint(i), Channel: "presence-a"})
		}
		b.subscribe(topics...)
		for i, topic := range topics {
			a.join(topic, "1.1", "ann")
			b.join(topic, fmt.Sprintf("2.%d", i), "bo")
		}
		a.die()
		for _, topic := range topics {
			b.occupied(topic, 1, 1)
			b.hears(topic, "+ann", "+bo", "-ann")
		}
	})
	t.Run("ASlotMoves", func(t *testing.T) { c.moveTheSlot(t) })
}

// moveTheSlot gives an app's slot to another server while messages flow.
func (c *cluster) moveTheSlot(t *testing.T) {
	a := run(t, newBusAt(t, c.url, "move:", quick))
	logged := channels.Topic{App: "1", Channel: "logged"}
	a.follow(longLog, logged)
	a.log(longLog, logged, numbers(1, 3)...)
	a.hears(logged, numbers(1, 3)...)
	a.subscribe(news, room)
	a.join(room, "1.1", "ann")
	tag := a.names.app("1")
	slot := c.masters[0].ClusterKeySlot(t.Context(), tag).Val()
	from := int(slot) * len(c.masters) / slots
	to := (from + 1) % len(c.masters)
	host, port, _ := net.SplitHostPort(c.addrs[to])
	c.do(t, c.masters[to], "CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from])
	c.do(t, c.masters[from], "CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to])
	for {
		keys := c.masters[from].ClusterGetKeysInSlot(t.Context(), int(slot), 100).Val()
		if len(keys) == 0 {
			break
		}
		args := []any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}
		for _, key := range keys {
			args = append(args, key)
		}
		c.do(t, c.masters[from], args...)
	}
	for _, i := range []int{to, from, 3 - to - from} {
		c.do(t, c.masters[i], "CLUSTER", "SETSLOT", slot, "NODE", c.ids[to])
	}
	a.eventually("the topic is heard at its new server", func() bool {
		a.say(news, "hello")
		time.Sleep(5 * time.Millisecond)
		return len(a.heard(news)) > 0
	})
	a.eventually("so is the other", func() bool {
		a.say(room, "hello")
		time.Sleep(5 * time.Millisecond)
		return slices.Contains(a.heard(room), "hello")
	})
	a.eventually("joins are taken there", func() bool {
		_, err := a.Join(context.WithoutCancel(t.Context()), arrival(room, "1.2", "bo"))
		return err == nil
	})
	a.occupied(room, 2, 2)
	a.eventually("the member is told of", func() bool { return slices.Contains(a.heard(room), "+bo") })
	a.log(longLog, logged, numbers(4, 6)...)
	a.hears(logged, numbers(1, 6)...)
	if last := a.last(logged); last.Offset != 6 || last.Epoch != a.messages(logged)[0].Position.Epoch {
		t.Errorf("the last message is at %+v", last)
	}
}
