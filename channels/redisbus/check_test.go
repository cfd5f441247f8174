package redisbus

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/internal/testenv"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://:secret@localhost:6379/2":                         "",
		"rediss://user:secret@redis.example":                       "",
		"unix:///run/redis.sock":                                   "",
		"redis+cluster://a:1,b:2":                                  "",
		"rediss+sentinel://u:p@a:1,b:2/main/1?sentinel_password=x": "",
		"redis+sentinel://a:1":                                     "names no master",
		"redis+sentinel://a:1/main/x":                              "number of the database",
		"redis+raft://a:1":                                         `begins with "redis+raft"`,
		"http+cluster://a:1":                                       "use redis+cluster or rediss+cluster",
		"localhost:6379":                                           "the address of Redis",
		"http://:secret@localhost":                                 "the address of Redis",
		"redis://:secret@local host:6379/\x7f":                     "not a URL",
		"redis://:secret@localhost:6379/nine":                      "the address of Redis",
		"redis://localhost:6379/0?secret_option=secret":            "the address of Redis",
	} {
		_, err := New(Config{URL: url})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", url, err, want)
		case err != nil && strings.Contains(err.Error(), ":secret"):
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
	o, err := Config{URL: "rediss+sentinel://u:p@a:1,b:2/main/1?sentinel_password=x", TLS: &tls.Config{ServerName: "s"}}.options()
	if err != nil || len(o.Addrs) != 2 || o.MasterName != "main" || o.DB != 1 || o.Username != "u" || o.Password != "p" ||
		o.SentinelPassword != "x" || o.TLSConfig.ServerName != "s" {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestCheck tries servers that are not as they should be.
func TestCheck(t *testing.T) {
	t.Parallel()
	locked, _ := startRedis(t)
	lock(t, locked.URL())
	shared, prefix := testenv.Redis(t)
	wire, through := newProxy(t, shared)
	wire.set(true)
	// Who only looks leaves the keys to their owner.
	visitor := newBusAt(t, shared, prefix, func(c *Config) { c.ClusterID = "theirs" })
	if _, err := visitor.Examine(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner := newBusAt(t, shared, prefix, func(c *Config) { c.ClusterID = "ours" })
	if _, err := owner.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url     string
		cluster string
		want    string // "" is none
		wait    bool   // waiting may help
	}{
		"as it should be":  {url: shared, cluster: "ours"},
		"another platform": {url: shared, cluster: "theirs", want: "another platform (ours; this one is theirs)"},
		"nobody there":     {url: "redis://127.0.0.1:1", want: "check its address", wait: true},
		"no such host":     {url: "redis://redis.invalid:6379", want: "check the host", wait: true},
		"nobody answers":   {url: through, want: "check its address", wait: true},
		"no password":      {url: locked.URL(), want: "wants a password"},
		"a wrong password": {url: strings.Replace(locked.URL(), "unix://", "unix://:wrong@", 1), want: "refuses the user or the password"},
		"the password":     {url: strings.Replace(locked.URL(), "unix://", "unix://:right@", 1)},
		"no TLS":           {url: strings.Replace(through, "redis", "rediss", 1), want: "check its address", wait: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBusAt(t, c.url, prefix, func(cfg *Config) { cfg.ClusterID = c.cluster; cfg.Timeout = 300 * time.Millisecond })
			_, looked := b.Examine(t.Context())
			_, err := b.Check(t.Context())
			if (looked == nil) != (err == nil) {
				t.Errorf("Examine says %v and Check %v", looked, err)
			}
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if errors.Is(err, channels.ErrUnavailable) != c.wait {
				t.Errorf("waiting may help: %v", !c.wait)
			}
			if c.wait || err == nil {
				return
			}
			if err := b.Run(t.Context(), func(channels.Message) {}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

// lock sets the password "right".
func lock(t testing.TB, url string) {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "requirepass", "right").Err(); err != nil {
		t.Fatal(err)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	list, err := newBusAt(t, r.URL(), "w:", nil).Check(t.Context())
	if err != nil || len(list) != 1 || !strings.Contains(list[0], "noeviction") {
		t.Errorf("%q, %v", list, err)
	}
}

// TestRunWaitsForRedis begins before there is one.
func TestRunWaitsForRedis(t *testing.T) {
	t.Parallel()
	r, dir := startRedis(t)
	stopRedis(t, r)
	b := newBusAt(t, r.URL(), "wait:", nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx, func(channels.Message) {}) }()
	time.Sleep(300 * time.Millisecond)
	if err := b.Publish(t.Context(), channels.Message{Topic: news}); !errors.Is(err, channels.ErrUnavailable) {
		t.Errorf("before there is a Redis: %v", err)
	}
	startRedisIn(t, dir)
	deadline := time.Now().Add(patience)
	for b.Publish(t.Context(), channels.Message{Topic: news}) != nil {
		if time.Now().After(deadline) {
			t.Fatal("it does not begin to run")
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := b.Run(t.Context(), nil); err == nil {
		t.Error("it runs twice")
	}
}

// TestCloseOfABusThatNeverRan leaves nothing open, and has it not run any more.
func TestCloseOfABusThatNeverRan(t *testing.T) {
	t.Parallel()
	b := newBus(t, nil)
	if _, err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := b.client.Ping(t.Context()).Err(); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("a command on it: %v", err)
	}
	if err := b.Run(t.Context(), func(channels.Message) {}); err == nil {
		t.Error("it ran all the same")
	}
	a := run(t, newBus(t, nil))
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	a.subscribe(news)
	a.say(news, "1")
	a.hears(news, "1")
}
