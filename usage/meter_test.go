package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var acme = uuid.MustParse("00000000-0000-0000-0000-00000000000a")

// shelf is a sink that keeps what it is handed, or is away.
type shelf struct {
	mu    sync.Mutex
	away  bool
	loses bool // it keeps what it is handed, and says that it does not know
	got   []Interval
}

func (s *shelf) Write(_ context.Context, intervals []Interval) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errors.New("away")
	}
	s.got = append(s.got, intervals...)
	if s.loses {
		return errors.New("no answer")
	}
	return nil
}

func (s *shelf) take() []Interval {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func (s *shelf) set(f func(*shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// inBubble runs a meter in a time of its own, which begins at midnight UTC.
func inBubble(t *testing.T, most int, f func(t *testing.T, m *Meter, s *shelf)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		m := NewMeter(Config{Sink: s, Logger: slog.New(slog.DiscardHandler), MaxWaiting: most})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := m.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second) // so that nothing happens at a boundary
		f(t, m, s)
		stop()
		running.Wait()
	})
}

func TestAnIntervalHoldsWhatWasCountedInIt(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, m *Meter, s *shelf) {
		began := time.Now().Truncate(IntervalLength).UTC()
		a := m.Tally(acme, "1")
		a.Published(3)
		a.Called(100)
		a.Received(20)
		for range 5 {
			a.Lane().Delivered(7)
		}
		a.Rejected(MessageRate)
		a.Rejected(MessageRate)
		a.Rejected(Invalid)
		a.Connected()
		a.Connected()
		time.Sleep(4 * time.Second)
		a.Disconnected()
		time.Sleep(6 * time.Second) // one second into the second interval
		want := Counts{
			PeakConnections: 2, ConnectionTime: 2*4*time.Second + 5*time.Second,
			MessagesIn: 3, MessagesOut: 5, BytesIn: 120, BytesOut: 35, APICalls: 1,
		}
		want.Rejections[MessageRate], want.Rejections[Invalid] = 2, 1
		got := s.take()
		first := []Interval{{Edge: m.edge, Seq: 1, Start: began, Apps: []AppCounts{{acme, "1", want}}}}
		if d := cmp.Diff(first, got); d != "" {
			t.Fatal(d)
		}
		// Who is there goes on to be counted; nothing else does.
		time.Sleep(IntervalLength)
		second := []Interval{{
			Edge: m.edge, Seq: 2, Start: began.Add(IntervalLength),
			Apps: []AppCounts{{acme, "1", Counts{PeakConnections: 1, ConnectionTime: IntervalLength}}},
		}}
		if d := cmp.Diff(second, s.take()); d != "" {
			t.Fatal(d)
		}
		a.Disconnected()
		time.Sleep(2 * IntervalLength)
		got = s.take()
		if len(got) != 2 || len(got[1].Apps) != 0 {
			t.Errorf("after all have gone: %+v", got)
		}
	})
}

func TestWhatIsUnderWayIsHandedOverAtTheEnd(t *testing.T) {
	s := &shelf{}
	synctest.Test(t, func(t *testing.T) {
		m := NewMeter(Config{Sink: s, Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		m.Tally(acme, "1").Published(9)
		stop()
		if err := m.Run(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if got := s.take(); len(got) != 1 || got[0].Apps[0].MessagesIn != 9 {
		t.Errorf("%+v", got)
	}
}

func TestASinkThatWasAwayGetsEveryIntervalOnceMore(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, m *Meter, s *shelf) {
		s.set(func(s *shelf) { s.loses = true })
		m.Tally(acme, "1").Published(1)
		time.Sleep(IntervalLength)
		s.set(func(s *shelf) { s.loses, s.away = false, true })
		m.Tally(acme, "1").Published(10)
		time.Sleep(2 * IntervalLength)
		if n := testutil.CollectAndCount(m.intervals); n != 1 || testutil.ToFloat64(m.intervals) != 0 {
			t.Errorf("handed over %v", testutil.ToFloat64(m.intervals))
		}
		s.set(func(s *shelf) { s.away = false })
		time.Sleep(IntervalLength)
		var seqs []uint64
		by := map[uint64]int64{}
		for _, i := range s.take() {
			seqs = append(seqs, i.Seq)
			for _, a := range i.Apps {
				by[i.Seq] = a.MessagesIn
			}
		}
		if d := cmp.Diff([]uint64{1, 1, 2, 3, 4}, seqs); d != "" {
			t.Error(d)
		}
		if by[1] != 1 || by[2] != 10 {
			t.Errorf("counted %v", by)
		}
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	inBubble(t, 6, func(t *testing.T, m *Meter, s *shelf) {
		s.set(func(s *shelf) { s.away = true })
		for n := range 5 {
			m.Tally(acme, "1").Published(n + 1)
			time.Sleep(IntervalLength)
		}
		s.set(func(s *shelf) { s.away = false })
		time.Sleep(IntervalLength)
		got := s.take()
		// An interval with one app counts for two, and the last one, in which nothing was, for one.
		if len(got) != 3 || got[0].Seq != 4 || testutil.ToFloat64(m.lost) != 3 {
			t.Errorf("%d intervals from %d on, %v lost", len(got), got[0].Seq, testutil.ToFloat64(m.lost))
		}
	})
}

// slow is a sink that takes its time for each piece, and gives up when its caller does.
type slow struct {
	shelf
	takes time.Duration
}

func (s *slow) Write(ctx context.Context, intervals []Interval) error {
	select {
	case <-time.After(s.takes):
		return s.shelf.Write(ctx, intervals)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestWhatWaitsGoesPieceByPiece has more wait than a slow sink takes in the time of one attempt: what it has taken is not
// handed to it again, and in the end it has all.
func TestWhatWaitsGoesPieceByPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 3 * time.Second}
		m := NewMeter(Config{Sink: s, Logger: slog.New(slog.DiscardHandler)})
		const apps = 3*pieceApps + 1
		for app := range apps {
			m.Tally(acme, fmt.Sprint(app)).Published(1)
		}
		var seqs []uint64
		var counted int
		for range 3 {
			m.finish(t.Context(), time.Now(), false)
			for _, i := range s.take() {
				seqs = append(seqs, i.Seq)
				counted += len(i.Apps)
				if len(i.Apps) > pieceApps {
					t.Errorf("a part of %d apps", len(i.Apps))
				}
			}
			time.Sleep(IntervalLength)
		}
		if len(seqs) < 4 || counted != apps || m.apps != 0 && len(m.waiting) == 0 {
			t.Errorf("%d of %d apps in the intervals %v, %d apps wait", counted, apps, seqs, m.apps)
		}
		for n, seq := range seqs {
			if seq != uint64(n+1) {
				t.Errorf("intervals in this order: %v", seqs)
				break
			}
		}
	})
}

func TestAQuietAppIsForgottenAndNothingOfItIsLost(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, m *Meter, s *shelf) {
		old, busy := m.Tally(acme, "1"), m.Tally(acme, "2")
		busy.Connected()
		time.Sleep(forgetAfter + 2*IntervalLength)
		if again := m.Tally(acme, "1"); again == old {
			t.Fatal("it was not forgotten")
		}
		if m.Tally(acme, "2") != busy {
			t.Error("an app with a connection was forgotten")
		}
		s.take()
		old.Published(2)
		m.Tally(acme, "1").Published(3)
		time.Sleep(IntervalLength)
		sum := int64(0)
		for _, i := range s.take() {
			for _, a := range i.Apps {
				sum += a.MessagesIn
			}
		}
		if sum != 5 {
			t.Errorf("counted %d", sum)
		}
		busy.Disconnected()
	})
}

func TestIntervalsFollowOneAnotherWhateverTheClockDoes(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 59, 50, 0, time.UTC)
	for name, c := range map[string]struct{ now, want time.Duration }{
		"in time":          {10 * time.Second, 10 * time.Second},
		"a little late":    {12 * time.Second, 10 * time.Second},
		"a little early":   {9999 * time.Millisecond, 10 * time.Second},
		"stopped half-way": {5 * time.Second, 10 * time.Second},
		"asleep":           {47 * time.Second, 40 * time.Second},
		"set back a bit":   {-3 * time.Second, 10 * time.Second},
		"set back":         {-time.Hour, -time.Hour},
	} {
		if got := next(at, at.Add(c.now)).Sub(at); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCountingAtOnceLosesNothing(t *testing.T) {
	m := NewMeter(Config{})
	const workers, each = 8, 10_000
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			lane := m.Tally(acme, "1").Lane()
			for range each {
				lane.Delivered(3)
				m.Tally(acme, "1").Published(1)
				m.Tally(acme, fmt.Sprint(w)).Called(2)
			}
		})
	}
	var sum Counts
	add := func() {
		for _, i := range m.cut(time.Now()) {
			for _, a := range i.Apps {
				sum.AddSums(&a.Counts)
			}
		}
	}
	for range 20 {
		add()
	}
	all.Wait()
	add()
	const n = workers * each
	want := Counts{MessagesIn: n, MessagesOut: n, BytesIn: 2 * n, BytesOut: 3 * n, APICalls: n}
	if sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
}

func TestNobodyCountsWithoutAMeter(*testing.T) {
	var m *Meter
	tally := m.Tally(acme, "1")
	tally.Published(1)
	tally.Received(1)
	tally.Called(1)
	tally.Rejected(Busy)
	tally.Connected()
	tally.Disconnected()
	tally.Lane().Delivered(1)
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		name := r.String()
		back, ok := ParseReason(name)
		if name == "" || seen[name] || !ok || back != r {
			t.Errorf("reason %d is called %q", r, name)
		}
		seen[name] = true
	}
	if _, ok := ParseReason("weather"); ok {
		t.Error("weather is a reason")
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	m := NewMeter(Config{})
	lane := m.Tally(acme, "1").Lane()
	if n := testing.AllocsPerRun(1000, func() { count(m, lane) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// count is what a publish to one socket costs.
func count(m *Meter, lane *Lane) {
	t := m.Tally(acme, "1")
	t.Called(100)
	t.Published(1)
	lane.Delivered(100)
}

func BenchmarkCount(b *testing.B) {
	for name, m := range map[string]*Meter{"with": NewMeter(Config{}), "without": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				lane := m.Tally(acme, "1").Lane()
				for pb.Next() {
					count(m, lane)
				}
			})
		})
	}
}
