package redisbus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// startSentinel watches over the server at a port, and hands over when it has been gone for a second.
func startSentinel(t testing.TB, master string) (port string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if program, err = exec.LookPath("redis-check-rdb"); err != nil { // the same program under another name
			t.Fatal(err)
		}
	}
	dir, port := scratch(t), freePort(t)
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor peal 127.0.0.1 %s 1\n"+
		"sentinel down-after-milliseconds peal 1000\nsentinel failover-timeout peal 1000\n", port, dir, master)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, conf, "--sentinel")
	cmd.Args[0] = "redis-server"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // It dies with the thread that started it, so that must live on.
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return port
}

// TestSentinel runs all suites on a server that a Sentinel watches over.
func TestSentinel(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	startRedisIn(t, scratch(t), "--bind", "127.0.0.1", "--port", port)
	url := "redis+sentinel://127.0.0.1:" + startSentinel(t, port) + "/peal"
	runSuites(t, url)
}

// TestSentinelHandsOver kills the master.
func TestSentinelHandsOver(t *testing.T) {
	t.Parallel()
	first, second := freePort(t), freePort(t)
	master := startRedisIn(t, scratch(t), "--bind", "127.0.0.1", "--port", first)
	startRedisIn(t, scratch(t), "--bind", "127.0.0.1", "--port", second, "--replicaof", "127.0.0.1", first)
	copied := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + second, Protocol: 2})
	t.Cleanup(func() { _ = copied.Close() })
	for infoField(copied.Info(t.Context(), "replication").Val(), "master_link_status") != "up" {
		time.Sleep(20 * time.Millisecond) // A Sentinel that comes before the replica looks for it only every ten seconds.
	}
	sentinel := startSentinel(t, first)
	watch := redis.NewSentinelClient(&redis.Options{Addr: "127.0.0.1:" + sentinel, Protocol: 2})
	t.Cleanup(func() { _ = watch.Close() })
	url := "redis+sentinel://127.0.0.1:" + sentinel + "/peal"
	long := func(c *Config) { c.Notices = testNotices() }
	a, b := run(t, newBusAt(t, url, "s:", long)), run(t, newBusAt(t, url, "s:", long))
	a.subscribe(room, news)
	a.join(room, "1.1", "ann")
	b.join(room, "2.1", "bo")
	a.hears(room, "+ann", "+bo")
	a.eventually("the sentinel knows the replica", func() bool {
		list, err := watch.Replicas(t.Context(), "peal").Result()
		return err == nil && len(list) == 1 && list[0]["master-link-status"] == "ok"
	})
	logged := channels.Topic{App: "1", Channel: "logged"}
	a.follow(longLog, logged)
	b.log(longLog, logged, numbers(1, 3)...)
	a.hears(logged, numbers(1, 3)...)
	a.eventually("the replica has the log", func() bool {
		return copied.LLen(t.Context(), a.names.app("1")+"h:"+logged.Channel).Val() == 3
	})
	signal(t, master.PID(), syscall.SIGKILL)
	killed := time.Now()
	a.eventually("the other one is master", func() bool {
		addr, err := watch.GetMasterAddrByName(t.Context(), "peal").Result()
		return err == nil && addr[1] == second
	})
	over := time.Now()
	var last error
	defer func() { t.Logf("the last publish: %v", last) }()
	a.eventually("messages come", func() bool {
		last = a.Publish(t.Context(), channels.Message{Topic: news, Frame: []byte("hello")})
		if last == nil {
			time.Sleep(5 * time.Millisecond)
		}
		return len(a.heard(news)) > 0
	})
	t.Logf("handed over after %v, messages come again %v later", over.Sub(killed), time.Since(over))
	for _, e := range []*edge{a, b} {
		e.eventually("it has a new lease, for what the replica may not have got", func() bool { return count(e.metrics.newLeases) == 2 })
	}
	a.eventually("the room is heard again", func() bool {
		a.say(room, "hello")
		time.Sleep(5 * time.Millisecond)
		return slices.Contains(a.heard(room), "hello")
	})
	b.join(room, "2.2", "cy")
	a.occupied(room, 3, 3)
	a.eventually("the old leases are swept", func() bool {
		n, err := a.client.ZCard(t.Context(), a.names.none()+"leases").Result()
		return err == nil && n == 2
	})
	a.occupied(room, 3, 3)
	notices := slices.DeleteFunc(a.heard(room), func(frame string) bool { return frame == "hello" })
	if !slices.Equal(notices, []string{"+ann", "+bo", "+cy"}) {
		t.Errorf("heard %q", notices)
	}
	a.eventually("it is healthy", a.Healthy)
	b.log(longLog, logged, numbers(4, 6)...)
	heard := slices.Compact(a.heard(logged)) // What was published while nobody answered may have been published twice.
	a.eventually("the log goes on", func() bool { heard = slices.Compact(a.heard(logged)); return len(heard) == 6 })
	if last := a.last(logged); !slices.Equal(heard, numbers(1, 6)) || last.Epoch != a.messages(logged)[0].Position.Epoch {
		t.Errorf("heard %q, the last at %+v", heard, last)
	}
}
