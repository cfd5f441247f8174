package redisbus

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// TestRoundTrips counts what each thing costs of Redis: commands that edges sent, and how often they waited for it. What a
// script does by itself is no command of an edge.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	r, _ := startRedis(t)
	a := run(t, newBusAt(t, r.URL(), "count:", nil))
	// All connections are there before anything is counted: those of the pool, and then those that listen.
	var pool []*redis.Conn
	for range 12 {
		c := a.client.(*redis.Client).Conn()
		c.Ping(t.Context())
		pool = append(pool, c)
	}
	for _, c := range pool {
		_ = c.Close()
	}
	for i := range 64 {
		a.subscribe(channels.Topic{App: "1", Channel: fmt.Sprint("first-", i)})
	}
	ctx, trips := context.WithValue(t.Context(), ours{}, true), &counter{}
	a.client.AddHook(trips)
	hundred := make([]channels.Message, 100)
	names := make([]string, len(hundred))
	for i := range hundred {
		names[i] = fmt.Sprint("c", i)
		hundred[i] = channels.Message{Topic: channels.Topic{App: "1", Channel: names[i]}, Frame: []byte("x")}
	}
	logged := hundred[0]
	logged.Log = longLog
	inLogs := make([]channels.Message, len(hundred))
	for i, m := range hundred {
		m.Log = longLog
		inLogs[i] = m
	}
	enter := func(i int, log channels.Log) error {
		topic := channels.Topic{App: "1", Channel: fmt.Sprint("room-", log.Size, "-", i)}
		if err := a.Subscribe(ctx, topic, log); err != nil {
			return err
		}
		arrives := arrival(topic, "1.1", "")
		arrives.Log = log
		_, err := a.Join(ctx, arrives)
		return err
	}
	for _, c := range []struct {
		what     string
		commands int // that Redis was sent
		trips    int // for which the edge waited on its pool; a subscription has a connection of its own
		do       func(i int) error
	}{
		{"publish", 1, 1, func(int) error { return a.Publish(ctx, hundred[0]) }},
		{"publish to a log", 1, 1, func(int) error { return a.Publish(ctx, logged) }},
		{"publish to 100 channels", 100, 1, func(int) error { return a.Publish(ctx, hundred...) }},
		{"publish to 100 logs", 1, 1, func(int) error { return a.Publish(ctx, inLogs...) }},
		{"publish once", 1, 1, func(i int) error {
			_, err := a.PublishOnce(ctx, "1", parcel(strconv.Itoa(i), news))
			return err
		}},
		{"publish once to 100 channels", 1, 1, func(i int) error {
			_, err := a.PublishOnce(ctx, "1", channels.Parcel{Key: fmt.Sprint("many", i), Messages: hundred})
			return err
		}},
		{"counts of 100 channels", 1, 1, func(int) error {
			_, err := a.Occupancies(ctx, "1", names)
			return err
		}},
		{"subscribe and join", 2, 1, func(i int) error { return enter(i, channels.Log{}) }},
		{"subscribe to a log and join", 3, 2, func(i int) error { return enter(i, longLog) }},
	} {
		if err := c.do(-1); err != nil { // so that the app is enlisted and the scripts are known
			t.Fatal(err)
		}
		const rounds = 20
		before, commanded, waited := subscribed(t, a.client), trips.commands.Load(), trips.trips.Load()
		for i := range rounds {
			if err := c.do(i); err != nil {
				t.Fatal(err)
			}
		}
		commands := subscribed(t, a.client) - before + int(trips.commands.Load()-commanded)
		waits := int(trips.trips.Load() - waited)
		t.Logf("%-30s %6.2f commands, %5.2f round trips", c.what, float64(commands)/rounds, float64(waits)/rounds)
		if commands != c.commands*rounds || waits != c.trips*rounds {
			t.Errorf("%s: %d commands and %d round trips for %d times, want %d and %d for each", c.what, commands, waits, rounds, c.commands, c.trips)
		}
	}
}

// ours marks what a test asks for, among the probes and leases that go on meanwhile.
type ours struct{}

// counter counts the commands and the round trips of calls that are ours.
type counter struct{ commands, trips atomic.Int64 }

func (c *counter) note(ctx context.Context, commands int) {
	if ctx.Value(ours{}) != nil {
		c.commands.Add(int64(commands))
		c.trips.Add(1)
	}
}

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.note(ctx, 1)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		c.note(ctx, len(commands))
		return next(ctx, commands)
	}
}

// subscribed returns how many commands of connections that listen Redis has done.
func subscribed(t *testing.T, client redis.UniversalClient) int {
	t.Helper()
	info, err := client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(infoField(info, "cmdstat_ssubscribe"), "calls=")
	calls, _, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(calls)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
