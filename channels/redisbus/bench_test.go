package redisbus

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/channels"
)

// pair is two edges on a Redis of their own, so that its commands can be counted.
func pair(b *testing.B) (from, to *edge) {
	b.Helper()
	r, _ := startRedis(b)
	return run(b, newBusAt(b, r.URL(), "bench:", nil)), run(b, newBusAt(b, r.URL(), "bench:", nil))
}

// BenchmarkDelivery measures from a publish on one edge to its delivery on another, one message at a time, beside the
// bus in memory.
func BenchmarkDelivery(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		came := make(chan struct{}, 1)
		bus := channels.NewMemoryBus(channels.MemoryConfig{})
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = bus.Run(ctx, func(channels.Message) { came <- struct{}{} }) })
		defer running.Wait()
		defer cancel()
		_ = bus.Subscribe(b.Context(), news, channels.Log{})
		for bus.Publish(b.Context(), channels.Message{Topic: room}) != nil {
			time.Sleep(time.Millisecond)
		}
		deliverOneByOne(b, bus, came)
	})
	b.Run("redis", func(b *testing.B) {
		r, _ := startRedis(b)
		from := run(b, newBusAt(b, r.URL(), "bench:", nil))
		to := newBusAt(b, r.URL(), "bench:", nil)
		came := make(chan struct{}, 1)
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = to.Run(ctx, func(channels.Message) { came <- struct{}{} }) })
		defer running.Wait()
		defer cancel()
		for to.Subscribe(b.Context(), news, channels.Log{}) != nil {
			time.Sleep(time.Millisecond)
		}
		deliverOneByOne(b, from, came)
	})
}

func deliverOneByOne(b *testing.B, bus channels.Bus, came <-chan struct{}) {
	b.Helper()
	message := channels.Message{Topic: news, Frame: make([]byte, 200)}
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		began := time.Now()
		if err := bus.Publish(b.Context(), message); err != nil {
			b.Fatal(err)
		}
		<-came
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

// BenchmarkThroughput publishes from many goroutines and waits until all is delivered on the other edge: plain messages, such
// as go into a log, and such as are published once.
func BenchmarkThroughput(b *testing.B) {
	from, to := pair(b)
	const topics = 64
	var name [topics]channels.Topic
	for i := range name {
		name[i] = channels.Topic{App: "1", Channel: fmt.Sprint("c", i)}
	}
	frame := make([]byte, 200)
	var next atomic.Int64
	message := func(log channels.Log) channels.Message {
		return channels.Message{Topic: name[next.Add(1)%topics], Frame: frame, Log: log}
	}
	log := channels.Log{Size: 1000, TTL: time.Minute}
	to.follow(log, name[:]...)
	for how, publish := range map[string]func() error{
		"plain": func() error { return from.Publish(b.Context(), message(channels.Log{})) },
		"log":   func() error { return from.Publish(b.Context(), message(log)) },
		"once": func() error {
			m := message(channels.Log{})
			_, err := from.PublishOnce(b.Context(), "1", channels.Parcel{
				Key: strconv.FormatInt(next.Load(), 36) + rand.Text(), Digest: "0123456789abcdef", Answer: []byte("{}"), Messages: []channels.Message{m},
			})
			return err
		},
	} {
		b.Run(how, func(b *testing.B) {
			before := count(to.metrics.received)
			b.SetParallelism(32)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := publish(); err != nil {
						b.Error(err)
					}
				}
			})
			to.eventually("all are delivered", func() bool { return count(to.metrics.received)-before >= b.N })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkCommands counts what Redis is asked for: commands, and round trips where several go together.
func BenchmarkCommands(b *testing.B) {
	from, _ := pair(b)
	hundred := make([]channels.Message, 100)
	for i := range hundred {
		hundred[i] = channels.Message{Topic: channels.Topic{App: "1", Channel: fmt.Sprint("c", i)}, Frame: []byte("x")}
	}
	for name, do := range map[string]func(i int) error{
		"publish": func(int) error {
			return from.Publish(b.Context(), hundred[0])
		},
		"publish to 100 channels": func(int) error { return from.Publish(b.Context(), hundred...) },
		"publish of a kept one": func(int) error {
			return from.Publish(b.Context(), channels.Message{Topic: news, Frame: []byte("x"), Keep: time.Minute})
		},
		"join": func(i int) error {
			_, err := from.Join(b.Context(), arrival(news, strconv.Itoa(i), ""))
			return err
		},
		"subscribe and join": func(i int) error {
			topic := channels.Topic{App: "1", Channel: fmt.Sprint("private-", i)}
			if err := from.Subscribe(b.Context(), topic, channels.Log{}); err != nil {
				return err
			}
			_, err := from.Join(b.Context(), arrival(topic, "1.1", ""))
			return err
		},
		"join and leave": func(i int) error {
			_, err := from.Join(b.Context(), arrival(news, strconv.Itoa(i), ""))
			if err == nil {
				err = from.leave(news, strconv.Itoa(i), "")
			}
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			if err := do(-1); err != nil { // so that the app is enlisted and the scripts are known
				b.Fatal(err)
			}
			before, i := commands(b, from.client), 0
			for b.Loop() {
				if err := do(i); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(commands(b, from.client)-before)/float64(b.N), "commands/op")
		})
	}
}

// commands returns how many commands Redis has done that serve messages and subscriptions, probes and leases among them,
// which go on whatever is done. A message that a script publishes counts as well, though it is part of the script's
// round trip.
func commands(b *testing.B, client redis.UniversalClient) (n int) {
	b.Helper()
	info, err := client.Info(b.Context(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	calls := func(command string) int {
		fields := infoField(info, "cmdstat_"+command)
		_, rest, _ := strings.Cut(fields, "calls=")
		number, _, _ := strings.Cut(rest, ",")
		n, _ := strconv.Atoi(number)
		return n
	}
	for _, command := range []string{"evalsha", "eval", "ssubscribe", "sunsubscribe", "spublish"} {
		n += calls(command)
	}
	return n
}

// BenchmarkCrowd has 1,000 members come to one presence channel from two edges.
func BenchmarkCrowd(b *testing.B) {
	a, c := pair(b)
	for round := range b.N {
		topic := channels.Topic{App: "1", Channel: fmt.Sprint("presence-", round)}
		began := time.Now()
		var all sync.WaitGroup
		for w := range 16 {
			all.Go(func() {
				e := []*edge{a, c}[w%2]
				for i := w; i < 1000; i += 16 {
					if _, err := e.Join(b.Context(), channels.Arrival{
						Topic: topic, Socket: strconv.Itoa(i), Member: &channels.Member{ID: strconv.Itoa(i), Info: `{"name":"somebody"}`}, MaxMembers: 1000,
					}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/1000")
	}
}
