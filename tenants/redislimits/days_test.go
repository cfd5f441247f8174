package redislimits_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants/limits"
)

// pages is what was written down, by all edges.
type pages struct {
	mu   sync.Mutex
	used map[string]int // guarded by mu
}

func (p *pages) Used(_ context.Context, owner string, day limits.Day) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used[owner+string(day)], nil
}

func (p *pages) Write(_ context.Context, day limits.Day, entries []limits.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range entries {
		p.used[e.Owner+string(day)] = max(p.used[e.Owner+string(day)], e.Used)
	}
	return nil
}

// days returns the days of each edge, which run until the test ends, and their book.
func days(t *testing.T, edges []*edge) ([]*limits.Days, *pages) {
	t.Helper()
	book := &pages{used: map[string]int{}}
	list := make([]*limits.Days, len(edges))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i, e := range edges {
		list[i] = limits.NewDays(limits.DaysConfig{Ledger: e.Ledger(), Book: book, Share: e.Share, Timeout: 2 * time.Second})
		running.Go(func() { _ = list[i].Run(ctx) })
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	return list, book
}

// TestADayIsUsedToItsLastMessageAndNotBeyond has four edges ask for more than there is, some much and some little.
func TestADayIsUsedToItsLastMessageAndNotBeyond(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	all, book := days(t, cluster(t, 4))
	b := limits.DayBound{Tenant: uuid.New(), Owner: "1", PerDay: limit}
	var admitted atomic.Int64
	ask := func(d *limits.Days, stop time.Time, n int) {
		for time.Now().Before(stop) {
			if d.Take(context.Background(), n, b) == nil {
				admitted.Add(int64(n))
			} else {
				time.Sleep(time.Millisecond)
			}
		}
	}
	until := func(stop time.Time) {
		var asking sync.WaitGroup
		for i, d := range all {
			for range 2 {
				asking.Go(func() { ask(d, stop, 1+2*i) })
			}
		}
		asking.Wait()
	}
	until(time.Now().Add(500 * time.Millisecond))
	if n := admitted.Load(); n > limit {
		t.Errorf("%d were admitted of %d", n, limit)
	}
	// What an edge has leased and does not use comes back to those that do.
	deadline := time.Now().Add(20 * time.Second)
	for admitted.Load() < limit && time.Now().Before(deadline) {
		until(time.Now().Add(100 * time.Millisecond))
	}
	if n := admitted.Load(); n != limit {
		t.Errorf("%d were admitted of %d", n, limit)
	}
	for {
		book.mu.Lock()
		n := book.used["1"+string(limits.DayOf(time.Now()))]
		book.mu.Unlock()
		if n == limit {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the book has %d", n)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestADayGoesOnAfterRedisLostIt reads the book then, which is behind by what was used in the last seconds.
func TestADayGoesOnAfterRedisLostIt(t *testing.T) {
	t.Parallel()
	edges := cluster(t, 2)
	all, book := days(t, edges)
	b := limits.DayBound{Tenant: uuid.New(), Owner: "1", PerDay: 100}
	book.used["1"+string(limits.DayOf(time.Now()))] = 60
	for i := range 30 {
		if err := all[i%2].Take(t.Context(), 1, b); err != nil {
			t.Fatal(err)
		}
	}
	if n := edges[0].client.Del(t.Context(), edges[0].Ledger().Key("1", limits.DayOf(time.Now()))).Val(); n != 1 {
		t.Fatalf("%d keys were there", n)
	}
	got := 0
	for i := range 40 {
		if all[i%2].Take(t.Context(), 1, b) == nil {
			got++
		}
	}
	// The edge that asks first begins with what it was told last, which is behind by what was used since.
	if got < 10 || got > 30 {
		t.Errorf("%d were admitted of 10 and what is not known any more", got)
	}
}

// TestWhileRedisIsAwayADayIsShared pulls the cables of both edges.
func TestWhileRedisIsAwayADayIsShared(t *testing.T) {
	t.Parallel()
	edges := cluster(t, 2)
	for edges[0].Share(100) != 50 || edges[1].Share(100) != 50 { // They count each other now and then.
		time.Sleep(time.Millisecond)
	}
	all, _ := days(t, edges)
	for _, e := range edges {
		e.pull()
	}
	b := limits.DayBound{Tenant: uuid.New(), Owner: "1", PerDay: 100}
	got := 0
	for i := range 400 {
		if all[i%2].Take(t.Context(), 1, b) == nil {
			got++
		}
	}
	if got != 100 {
		t.Errorf("%d were admitted of 100, half by each edge", got)
	}
}
