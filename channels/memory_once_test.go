package channels_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pealhq/peal/channels"
)

// runMemory runs a bus in memory that delivers what is on one topic.
func runMemory(t *testing.T, cfg channels.MemoryConfig, deliver func(channels.Message)) *channels.MemoryBus {
	t.Helper()
	bus := channels.NewMemoryBus(cfg)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx, deliver) })
	t.Cleanup(func() { cancel(); running.Wait() })
	for bus.Publish(t.Context(), channels.Message{}) != nil {
		time.Sleep(time.Millisecond)
	}
	if err := bus.Subscribe(t.Context(), onceTopic, channels.Log{}); err != nil {
		t.Fatal(err)
	}
	return bus
}

var onceTopic = channels.Topic{App: "1", Channel: "c"}

func onceParcel(key string) channels.Parcel {
	return channels.Parcel{Key: key, Messages: []channels.Message{{Topic: onceTopic, Frame: []byte(key)}}}
}

// TestMemoryOnceIsForgotten finds that a key is remembered for as long as it should be, and that nothing is left of it then.
func TestMemoryOnceIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := runMemory(t, channels.MemoryConfig{}, func(channels.Message) {})
		publish := func() bool {
			r, err := bus.PublishOnce(t.Context(), "1", onceParcel("k"))
			if err != nil {
				t.Fatal(err)
			}
			return r[0].Repeated
		}
		publish()
		time.Sleep(channels.OnceFor - time.Second)
		if !publish() {
			t.Error("it is forgotten too early")
		}
		time.Sleep(2 * time.Second)
		if publish() {
			t.Error("it is never forgotten")
		}
		time.Sleep(channels.OnceFor + 2*time.Minute)
		if n := bus.OnceApps(); n != 0 {
			t.Errorf("%d apps are left", n)
		}
	})
}

func TestMemoryOnceIsBounded(t *testing.T) {
	t.Parallel()
	came := 0
	bus := runMemory(t, channels.MemoryConfig{OnceBytes: 20_000}, func(channels.Message) { came++ })
	taken := 0
	key := func(i int) string { return fmt.Sprintf("%03d %s", i, strings.Repeat("k", 100)) }
	for ; taken < 1000; taken++ {
		_, err := bus.PublishOnce(t.Context(), "1", onceParcel(key(taken)))
		if errors.Is(err, channels.ErrTooManyKeys) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if taken < 20 || taken > 100 || came != taken {
		t.Errorf("%d keys were taken, %d messages came", taken, came)
	}
	for i := range taken {
		if r, err := bus.PublishOnce(t.Context(), "1", onceParcel(key(i))); err != nil || !r[0].Repeated {
			t.Fatalf("key %d is forgotten: %+v, %v", i, r, err)
		}
	}
	if _, err := bus.PublishOnce(t.Context(), "2", channels.Parcel{Key: "k"}); err != nil {
		t.Errorf("another app: %v", err)
	}
}

// TestMemoryOnceWaits hands a parcel over again while it is being delivered: that is answered when it is out, and nobody else
// has to wait for it.
func TestMemoryOnceWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bus *channels.MemoryBus
		deliver := func(m channels.Message) {
			if string(m.Frame) == "slow" {
				time.Sleep(time.Second)
			}
		}
		bus = runMemory(t, channels.MemoryConfig{}, deliver)
		began := time.Now()
		took := make(map[string]time.Duration)
		var mu sync.Mutex
		var all sync.WaitGroup
		publish := func(what, key string) {
			all.Go(func() {
				if _, err := bus.PublishOnce(t.Context(), "1", onceParcel(key)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				took[what] = time.Since(began)
			})
			synctest.Wait()
		}
		publish("first", "slow")
		publish("again", "slow")
		publish("another", "quick")
		all.Wait()
		if took["first"] != time.Second || took["again"] != time.Second || took["another"] != 0 {
			t.Errorf("it took %v", took)
		}
	})
}
