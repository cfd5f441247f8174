package redisusage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/usage"
)

func TestMain(m *testing.M) { testenv.MainNoLeaks(m) }

// newQueues returns queues of several processes that share one Redis.
func newQueues(t *testing.T, n, maxBytes int) []*Queue {
	t.Helper()
	url, prefix := testenv.Redis(t)
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	var list []*Queue
	for range n {
		list = append(list, New(Config{Client: client, Prefix: prefix, MaxBytes: maxBytes}))
	}
	return list
}

func counted(edge string, seq uint64, messages int64) usage.Interval {
	i := usage.Interval{Edge: edge, Seq: seq, Start: time.Date(2026, 5, 4, 3, 2, 10, 0, time.UTC)}
	c := usage.Counts{
		PeakConnections: 3, ConnectionTime: 12345 * time.Microsecond, MessagesIn: messages, MessagesOut: 4, BytesIn: 5, BytesOut: 6,
		APICalls: 7, Webhooks: 8,
	}
	for n := range c.Rejections {
		c.Rejections[n] = int64(n) // none for the first reason
	}
	i.Apps = []usage.AppCounts{{Tenant: uuid.MustParse("00000000-0000-0000-0000-00000000000a"), App: "1", Counts: c}}
	return i
}

func TestAnIntervalCrossesAsItIs(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 1, 0)[0]
	sent := []usage.Interval{counted("a", 1, 10), {Edge: "a", Seq: 2, Start: time.Date(2026, 5, 4, 3, 2, 20, 0, time.UTC)}}
	for range 2 { // the second time is a retry
		if err := q.Write(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time is after a worker died
		b, err := q.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(sent, b.Intervals); d != "" {
			t.Fatal(d)
		}
	}
	b, _ := q.Next(t.Context())
	if err := errors.Join(q.Done(t.Context(), b), q.Done(t.Context(), b), q.Write(t.Context(), sent)); err != nil {
		t.Fatal(err)
	}
	if b, err := q.Next(t.Context()); err != nil || len(b.IDs) != 0 {
		t.Errorf("left: %+v, %v", b, err)
	}
	if n, err := q.cfg.Client.Exists(t.Context(), q.tag+"u:b").Result(); err != nil || n != 0 {
		t.Errorf("%d keys left, %v", n, err)
	}
}

// TestIDsOnlyGrow: what was taken off once must not stand for what comes later, also when the clock of Redis is set back
// and there was nothing left in between.
func TestIDsOnlyGrow(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 1, 0)[0]
	ctx, stream := t.Context(), q.tag+"u:q"
	// An entry of a clock that is far ahead.
	text, err := encode(counted("a", 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	const ahead = "99999999999999-5"
	if err := q.cfg.Client.XAdd(ctx, &redis.XAddArgs{Stream: stream, ID: ahead, Values: []string{"i", text}}).Err(); err != nil {
		t.Fatal(err)
	}
	first, err := q.Next(ctx)
	if err != nil || len(first.IDs) != 1 || first.IDs[0] != ahead {
		t.Fatalf("%v, %v", first.IDs, err)
	}
	if err := q.Done(ctx, first); err != nil {
		t.Fatal(err)
	}
	if err := q.Write(ctx, []usage.Interval{counted("a", 2, 2)}); err != nil {
		t.Fatal(err)
	}
	second, err := q.Next(ctx)
	if err != nil || len(second.IDs) != 1 || second.IDs[0] != "99999999999999-6" {
		t.Fatalf("%v after %v, %v", second.IDs, first.IDs, err)
	}
	// A worker that comes late takes off what it had, and nothing else.
	if err := q.Done(ctx, first); err != nil {
		t.Fatal(err)
	}
	if again, err := q.Next(ctx); err != nil || len(again.IDs) != 1 {
		t.Errorf("left: %v, %v", again.IDs, err)
	}
}

func TestWorkersTakeTurns(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 2, 0)
	if err := q[0].Write(t.Context(), []usage.Interval{counted("a", 1, 1)}); err != nil {
		t.Fatal(err)
	}
	mine, err := q[0].Next(t.Context())
	others, err2 := q[1].Next(t.Context())
	if err := errors.Join(err, err2); err != nil || len(mine.IDs) != 1 || len(others.IDs) != 0 {
		t.Fatalf("%v, %v, %v", mine, others, err)
	}
	// The first one dies, and its turn ends.
	if err := q[0].cfg.Client.Del(t.Context(), q[0].tag+"u:w").Err(); err != nil {
		t.Fatal(err)
	}
	if others, err := q[1].Next(t.Context()); err != nil || len(others.Intervals) != 1 {
		t.Errorf("%v, %v", others, err)
	}
}

func TestNoMoreWaitsThanMay(t *testing.T) {
	t.Parallel()
	text, err := encode(counted("a", 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	q := newQueues(t, 1, 3*len(text))[0]
	var all []usage.Interval
	for seq := range uint64(5) {
		all = append(all, counted("a", seq+1, 1))
	}
	if err := q.Write(t.Context(), all); !errors.Is(err, ErrFull) {
		t.Fatalf("five of three: %v", err)
	}
	b, err := q.Next(t.Context())
	if err != nil || len(b.IDs) != 3 {
		t.Fatalf("%d wait, %v", len(b.IDs), err)
	}
	if err := errors.Join(q.Done(t.Context(), b), q.Write(t.Context(), all)); err != nil {
		t.Fatal(err)
	}
	if b, err = q.Next(t.Context()); err != nil || len(b.IDs) != 2 || b.Intervals[0].Seq != 4 {
		t.Errorf("then %+v, %v", b, err)
	}
}

// TestLargeIntervalsAreTakenFewAtATime: a queue that filled up while nobody took from it must be readable within the time
// that a client of Redis waits.
func TestLargeIntervalsAreTakenFewAtATime(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 1, 0)[0]
	const intervals = 6
	var sent []usage.Interval
	size := 0
	for seq := range uint64(intervals) {
		i := counted("a", seq+1, 1)
		for len(i.Apps) < 800 {
			i.Apps = append(i.Apps, i.Apps[0])
		}
		text, err := encode(i)
		if err != nil {
			t.Fatal(err)
		}
		size = len(text)
		sent = append(sent, i)
	}
	if size < batchBytes/4 || size > batchBytes/2 {
		t.Fatalf("an interval has %d bytes, with which nothing is proved", size)
	}
	if err := q.Write(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	got := 0
	for got < intervals {
		b, err := q.Next(t.Context())
		if err != nil || len(b.Intervals) == 0 {
			t.Fatalf("%d intervals, %v", len(b.Intervals), err)
		}
		if n := len(b.Intervals) * size; n > batchBytes+size {
			t.Errorf("%d bytes at a time", n)
		}
		got += len(b.Intervals)
		if err := q.Done(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCannotBeReadGoesAway(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 1, 0)[0]
	if err := q.cfg.Client.XAdd(t.Context(), &redis.XAddArgs{Stream: q.tag + "u:q", Values: []string{"i", "nonsense"}}).Err(); err != nil {
		t.Fatal(err)
	}
	if err := q.Write(t.Context(), []usage.Interval{counted("a", 1, 1)}); err != nil {
		t.Fatal(err)
	}
	b, err := q.Next(t.Context())
	if err != nil || len(b.IDs) != 2 || len(b.Intervals) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
}

// book is a store that counts an interval once, as it must.
type book struct {
	mu       sync.Mutex
	seen     map[string]bool
	messages int64
	fails    int // that many times, after it has counted
}

func (s *book) Write(_ context.Context, intervals []usage.Interval) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range intervals {
		id := i.Edge + string(rune(i.Seq))
		if s.seen[id] {
			continue
		}
		s.seen[id] = true
		for _, a := range i.Apps {
			s.messages += a.MessagesIn
		}
	}
	if s.fails > 0 {
		s.fails--
		return errors.New("no answer")
	}
	return nil
}

func (s *book) total() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages
}

// TestWorkersCarryEverythingOnce has three edges hand over to two workers, whose store does not always answer.
func TestWorkersCarryEverythingOnce(t *testing.T) {
	t.Parallel()
	q := newQueues(t, 2, 0)
	store := &book{seen: map[string]bool{}, fails: 3}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, one := range q {
		all.Go(func() {
			_ = usage.NewRollup(usage.RollupConfig{Queue: one, Store: store, Logger: slog.New(slog.DiscardHandler), Pause: time.Second}).Run(ctx)
		})
	}
	want := int64(0)
	for seq := range uint64(40) {
		for _, edge := range []string{"a", "b", "c"} {
			want += int64(seq)
			if err := q[0].Write(t.Context(), []usage.Interval{counted(edge, seq+1, int64(seq))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		if n, _ := q[0].cfg.Client.XLen(t.Context(), q[0].tag+"u:q").Result(); n == 0 {
			break
		}
	}
	stop()
	all.Wait()
	if got := store.total(); got != want {
		t.Errorf("%d of %d", got, want)
	}
}
