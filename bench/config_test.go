package bench

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestArgumentsAreChecked(t *testing.T) {
	t.Parallel()
	here, err := ParseTarget(t.Context(), "127.0.0.1:1", demoApp, false)
	if err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Config){
		"target":      func(c *Config) { c.Targets = nil },
		"rounds":      func(c *Config) { c.Rounds = 101 },
		"subscribers": func(c *Config) { c.Subscribers = 200_001 },
		"channels":    func(c *Config) { c.Channels = -1 },
		"size":        func(c *Config) { c.Size = 10 },
		"window":      func(c *Config) { c.Window = -1 },
		"publishers":  func(c *Config) { c.Publishers = 5000 },
		"batch":       func(c *Config) { c.Batch = 11 },
		"rate":        func(c *Config) { c.Rate = -1 },
		"concurrency": func(c *Config) { c.Concurrency = -1 },
		"messages":    func(c *Config) { c.Messages = -1 },
		"duration":    func(c *Config) { c.Duration = 2 * time.Hour },
		"warmup":      func(c *Config) { c.Warmup = -time.Second },
		"drain":       func(c *Config) { c.Drain = -time.Second },
		"settle":      func(c *Config) { c.Settle = -time.Second },
	} {
		cfg := short(Fanout, here)
		change(&cfg)
		_, err := Run(t.Context(), cfg)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Flag != flag {
			t.Errorf("%s: %v", flag, err)
		}
	}
	for _, cfg := range []Config{short(Cluster, here), short(Fanout, here, here), short("dance", here)} {
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s with %d targets is run", cfg.Scenario, len(cfg.Targets))
		}
	}
	many := short(Channels, here)
	many.Subscribers, many.Channels = 1000, 1000
	if _, err := Run(t.Context(), many); err == nil || !strings.Contains(err.Error(), "1000000 sockets") {
		t.Error(err)
	}
}

func TestParseTarget(t *testing.T) {
	t.Parallel()
	got, err := ParseTarget(t.Context(), "a=127.0.0.1:1,pid=3,pid=4,subscribe=[::1]:2,app-id=5,key=K,secret=S", demoApp, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "a" || got.Host != "127.0.0.1:1" || got.Addr.String() != "127.0.0.1:1" || got.SubscribeAt.String() != "[::1]:2" ||
		len(got.PIDs) != 2 || got.App.AppID != "5" || got.App.Key != "K" || got.App.Secret != "S" {
		t.Errorf("%+v", got)
	}
	for text, want := range map[string]string{
		"":                                   "is not host:port",
		"127.0.0.1":                          "is not host:port",
		"127.0.0.1:0":                        "has no port between 1 and 65535",
		"127.0.0.1:99999":                    "has no port between 1 and 65535",
		"127.0.0.1:1,pid=x":                  "pid=x is no process number",
		"127.0.0.1:1,speed=9":                `there is no option "speed"`,
		"127.0.0.1:1,key=a b":                "--key holds a character",
		"192.0.2.1:80":                       "192.0.2.1, which is not this machine; add --allow-remote",
		"127.0.0.1:1,subscribe=192.0.2.1:80": "which is not this machine",
	} {
		if _, err := ParseTarget(t.Context(), text, demoApp, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := ParseTarget(t.Context(), "192.0.2.1:80", demoApp, true); err != nil {
		t.Error(err)
	}
}
