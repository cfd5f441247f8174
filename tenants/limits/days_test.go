package limits_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/pealhq/peal/tenants/limits"
)

// book keeps what is written, or is away.
type book struct {
	mu   sync.Mutex
	used map[string]int
	away error
}

func (b *book) Used(_ context.Context, owner string, day limits.Day) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used[owner+" "+string(day)], b.away
}

func (b *book) Write(_ context.Context, day limits.Day, entries []limits.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		key := e.Owner + " " + string(day)
		b.used[key] = max(b.used[key], e.Used)
	}
	return b.away
}

var errAway = errors.New("away")

// ledger is one that can be away, or whose answers can get lost.
type ledger struct {
	limits.MemoryLedger
	away, lost atomic.Bool
}

func (l *ledger) Lease(ctx context.Context, owner string, day limits.Day, need, want, limit, alone int) (leased, used int, err error) {
	if l.away.Load() {
		return 0, 0, errAway
	}
	leased, used, err = l.MemoryLedger.Lease(ctx, owner, day, need, want, limit, alone)
	if l.lost.Load() {
		return 0, 0, errAway
	}
	return leased, used, err
}

// desk has days with a ledger and a book that run while f does, at a moment of a day.
func desk(t *testing.T, share func(int) int, f func(d *limits.Days, l *ledger, b *book)) {
	synctest.Test(t, func(t *testing.T) {
		l, b := &ledger{}, &book{used: map[string]int{}}
		d := limits.NewDays(limits.DaysConfig{Ledger: l, Book: b, Share: share})
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = d.Run(ctx) })
		f(d, l, b)
		stop()
		run.Wait()
	})
}

var tenant = uuid.MustParse("11111111-1111-1111-1111-111111111111")

func bound(owner string, most int) limits.DayBound {
	return limits.DayBound{Tenant: tenant, Owner: owner, PerDay: most}
}

// take asks n times for one, and returns how often it was admitted.
func take(t *testing.T, d *limits.Days, n int, bounds ...limits.DayBound) int {
	t.Helper()
	got := 0
	for range n {
		err := d.Take(t.Context(), 1, bounds...)
		var over *limits.QuotaError
		switch {
		case err == nil:
			got++
		case !errors.As(err, &over):
			t.Fatal(err)
		}
	}
	return got
}

func TestADayHasItsMessagesAndBeginsAnewAtMidnight(t *testing.T) {
	t.Parallel()
	desk(t, nil, func(d *limits.Days, _ *ledger, b *book) {
		if got := take(t, d, 15, bound("1", 10)); got != 10 {
			t.Errorf("%d of 10 were admitted", got)
		}
		var over *limits.QuotaError
		err := d.Take(t.Context(), 1, bound("1", 10))
		// The bubble's clock begins at midnight.
		if !errors.As(err, &over) || over.Owner != "1" || time.Until(over.Resets) != 24*time.Hour {
			t.Errorf("refused with %v, over %v", err, over)
		}
		if got := take(t, d, 1, bound("1", 11)); got != 0 {
			t.Error("who was refused is not asked for at once")
		}
		time.Sleep(time.Second)
		if got := take(t, d, 2, bound("1", 11)); got != 1 {
			t.Errorf("%d were admitted when the bound was raised by one", got)
		}
		time.Sleep(24*time.Hour - time.Second)
		if got := take(t, d, 15, bound("1", 10)); got != 10 {
			t.Errorf("%d of 10 were admitted the next day", got)
		}
		time.Sleep(10 * time.Second)
		if used, _ := b.Used(t.Context(), "1", "2000-01-02"); used != 10 {
			t.Errorf("the book has %d of the second day", used)
		}
	})
}

func TestWhatIsRefusedByOneBoundIsTakenFromNone(t *testing.T) {
	t.Parallel()
	desk(t, nil, func(d *limits.Days, _ *ledger, _ *book) {
		app, other, all := bound("1", 100), bound("2", 100), bound("tenant", 10)
		if got := take(t, d, 20, app, all); got != 10 {
			t.Errorf("%d of the tenant's 10", got)
		}
		if got := take(t, d, 1, other, all); got != 0 {
			t.Error("another app has more than the tenant")
		}
		if got := take(t, d, 200, app); got != 90 {
			t.Errorf("the app has %d left of 90", got)
		}
	})
}

func TestWhatWasWrittenDownCountsAfterTheLedgerIsLost(t *testing.T) {
	t.Parallel()
	desk(t, nil, func(d *limits.Days, l *ledger, b *book) {
		b.used["1 2000-01-01"] = 7
		if got := take(t, d, 5, bound("1", 10)); got != 3 {
			t.Errorf("%d were admitted where 7 of 10 were used before", got)
		}
		l.MemoryLedger = limits.MemoryLedger{}
		time.Sleep(time.Second)
		if got := take(t, d, 5, bound("1", 10)); got != 0 {
			t.Errorf("%d were admitted when the ledger had forgotten", got)
		}
		if used, err := d.Used(t.Context(), "1"); used != 10 || err != nil {
			t.Errorf("used %d, %v", used, err)
		}
	})
}

func TestWhileTheLedgerIsAwayAnEdgeHasItsShare(t *testing.T) {
	t.Parallel()
	desk(t, func(n int) int { return n / 2 }, func(d *limits.Days, l *ledger, _ *book) {
		if got := take(t, d, 20, bound("1", 100)); got != 20 {
			t.Fatalf("%d of 20", got)
		}
		l.away.Store(true)
		if got := take(t, d, 100, bound("1", 100)); got != 40 {
			t.Errorf("%d were admitted of a share of 40", got)
		}
		l.away.Store(false)
		time.Sleep(time.Second)
		if got := take(t, d, 100, bound("1", 100)); got != 40 {
			t.Errorf("%d were admitted of the 40 that were left", got)
		}
		// Nothing is known, and nothing can be.
		l.away.Store(true)
		if got := take(t, d, 100, bound("2", 100)); got != 50 {
			t.Errorf("%d were admitted of a share of 50", got)
		}
	})
}

// TestAnAnswerThatIsLostCountsOnce: what an edge used meanwhile is told again and again, and counted once.
func TestAnAnswerThatIsLostCountsOnce(t *testing.T) {
	t.Parallel()
	desk(t, nil, func(d *limits.Days, l *ledger, _ *book) {
		b := bound("1", 1000)
		if got := take(t, d, 1, b); got != 1 {
			t.Fatal("nothing was admitted")
		}
		l.lost.Store(true)
		for range 20 {
			if got := take(t, d, 10, b); got != 10 {
				t.Fatalf("%d of 10 were admitted", got)
			}
			time.Sleep(time.Second)
		}
		l.lost.Store(false)
		time.Sleep(2 * time.Second)
		used, err := d.Used(t.Context(), "1")
		// 201 were used; of each question that got no answer at most the one that was needed is lost.
		if err != nil || used < 201 || used > 201+20 {
			t.Errorf("the ledger has %d for 201, %v", used, err)
		}
	})
}

// TestWhatIsGivenBackIsUsedAgain, because nothing came of it.
func TestWhatIsGivenBackIsUsedAgain(t *testing.T) {
	t.Parallel()
	desk(t, nil, func(d *limits.Days, _ *ledger, _ *book) {
		app, all := bound("1", 10), bound("tenant", 10)
		take(t, d, 10, app, all)
		d.GiveBack(4, app, all)
		if got := take(t, d, 9, app, all); got != 4 {
			t.Errorf("%d were admitted of the 4 that came back", got)
		}
		d.GiveBack(10, app, all)
		time.Sleep(10 * time.Second)
		if used, err := d.Used(t.Context(), "1"); used != 0 || err != nil {
			t.Errorf("used %d, %v", used, err)
		}
	})
}

// TestAnEdgeThatStartsWhileTheLedgerIsAwayAsksTheBook for what was used before, and tells the ledger later what it used.
func TestAnEdgeThatStartsWhileTheLedgerIsAwayAsksTheBook(t *testing.T) {
	t.Parallel()
	desk(t, func(n int) int { return n / 2 }, func(d *limits.Days, l *ledger, b *book) {
		b.used["1 2000-01-01"], b.used["2 2000-01-01"] = 80, 100
		l.away.Store(true)
		if got := take(t, d, 50, bound("1", 100)); got != 10 {
			t.Errorf("%d were admitted of half of what the book leaves", got)
		}
		if got := take(t, d, 50, bound("2", 100)); got != 0 {
			t.Errorf("%d were admitted of a day that is used up", got)
		}
		l.away.Store(false)
		time.Sleep(5 * time.Second) // Nobody asks.
		if used, err := l.Used(t.Context(), "1", "2000-01-01"); used != 90 || err != nil {
			t.Errorf("the ledger has %d, want 90, %v", used, err)
		}
	})
}
