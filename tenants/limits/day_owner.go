package limits

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// askAgain is for how long the ledger is not asked again after it said no, or nothing.
	askAgain = 500 * time.Millisecond
	// forgetOwner is after which silence an edge forgets an owner, of whom then nothing is leased.
	forgetOwner = time.Minute
)

// dayOwner is what this edge knows of one owner's day.
type dayOwner struct {
	days   *Days
	tenant uuid.UUID
	id     string

	// mu is held while the ledger is asked: who waits for it wants the answer too. It answers or fails within the
	// timeout, and then is not asked for a while.
	mu      sync.Mutex
	day     Day       // guarded by mu
	left    int       // guarded by mu; leased and not used
	used    int       // guarded by mu; by all edges, leases included, as far as is known
	known   bool      // guarded by mu; used was told by the ledger or the book
	alone   int       // guarded by mu; used without a lease, of the whole day
	settled int       // guarded by mu; how much of that the ledger has counted
	since   time.Time // guarded by mu; when the last lease was taken
	taken   int       // guarded by mu; used since then
	full    time.Time // guarded by mu; until then the ledger has no room for fullFor
	fullFor int       // guarded by mu
	away    time.Time // guarded by mu; until then the ledger is not asked
	asked   time.Time // guarded by mu; when somebody asked last
	written int       // guarded by mu; how much of used is in the book
}

// turn begins a new day when there is one. What was leased of the last is of no use. Who waited from before midnight does not turn
// the day back. The caller holds mu.
func (o *dayOwner) turn(now time.Time) {
	if day := DayOf(now); day > o.day {
		o.day, o.left, o.used, o.known, o.alone, o.settled, o.taken, o.written = day, 0, 0, false, 0, 0, 0, 0
		o.full, o.away, o.since = time.Time{}, time.Time{}, now
	}
	o.asked = now
}

func (o *dayOwner) take(ctx context.Context, now time.Time, n, limit int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn(now)
	if o.left < n && !o.lease(ctx, n, limit) {
		return false
	}
	o.left -= n
	o.taken += n
	return true
}

// lease sees to it that n are leased. The caller holds mu.
func (o *dayOwner) lease(ctx context.Context, n, limit int) bool {
	now := time.Now() // who waited for mu came earlier
	if now.Before(o.full) && n >= o.fullFor {
		return false
	}
	if now.Before(o.away) {
		return o.takeAlone(n, limit)
	}
	// It serves everybody who waits, so it does not end with the first one's request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.days.cfg.Timeout)
	defer cancel()
	want := o.want(now)
	if !o.away.IsZero() {
		want = 0 // What is leased for an answer that never comes is lost, so it is to be little.
	}
	leased, used, err := o.ask(ctx, n-o.left, want, limit)
	if err != nil {
		o.days.trouble(err)
		o.away = now.Add(askAgain)
		o.readBook(ctx)
		return o.takeAlone(n, limit)
	}
	o.used, o.known, o.settled, o.away = used, true, o.alone, time.Time{}
	if leased == 0 {
		o.full, o.fullFor = now.Add(askAgain), n
		return false
	}
	o.left += leased
	o.since, o.taken = now, 0
	return true
}

// want is how much more than is needed will be of use: as much as was used in a second lately. The caller holds mu.
func (o *dayOwner) want(now time.Time) int {
	if passed := now.Sub(o.since); passed > time.Second {
		return int(float64(o.taken) / passed.Seconds())
	}
	return o.taken
}

// ask asks the ledger, which first hears from the book what it does not know. The caller holds mu.
func (o *dayOwner) ask(ctx context.Context, need, want, limit int) (leased, used int, err error) {
	ledger := o.days.cfg.Ledger
	leased, used, err = ledger.Lease(ctx, o.id, o.day, need, want, limit, o.alone)
	if !errors.Is(err, ErrNoEntry) {
		return leased, used, err
	}
	before, err := o.days.cfg.Book.Used(ctx, o.id, o.day)
	if err != nil {
		return 0, 0, fmt.Errorf("read what is used of the day: %w", err)
	}
	// The ledger lost what this edge was told of it, or a day begins.
	if err := ledger.Begin(ctx, o.id, o.day, max(before, o.used)); err != nil {
		return 0, 0, err
	}
	return ledger.Lease(ctx, o.id, o.day, need, want, limit, o.alone)
}

// readBook asks the book where the ledger was never heard of. The caller holds mu.
func (o *dayOwner) readBook(ctx context.Context) {
	if o.known {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.days.cfg.Timeout)
	defer cancel()
	if used, err := o.days.cfg.Book.Used(ctx, o.id, o.day); err == nil {
		o.used, o.known = used, true
	}
}

// takeAlone takes n from this edge's share of what was left when the ledger was last heard of. The caller holds mu.
func (o *dayOwner) takeAlone(n, limit int) bool {
	if left := max(0, limit-o.used); left == 0 || o.alone-o.settled+n > o.days.cfg.Share(left) {
		return false
	}
	o.alone += n
	o.left += n
	return true
}

// putBack takes back what was admitted, because it is refused all the same.
func (o *dayOwner) putBack(at time.Time, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.day == DayOf(at) {
		o.left += n
		o.taken = max(0, o.taken-n)
	}
}

// giveBack gives back what is leased when nobody has leased since, and tells the ledger what was used without it.
func (o *dayOwner) giveBack(ctx context.Context, since time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.day != DayOf(now) || o.since.After(since) || now.Before(o.away) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.days.cfg.Timeout)
	defer cancel()
	if o.alone > o.settled {
		_, used, err := o.ask(ctx, 0, 0, 0)
		if err != nil {
			o.away = now.Add(askAgain)
			return err
		}
		o.used, o.known, o.settled, o.away = used, true, o.alone, time.Time{}
	}
	if o.left == 0 {
		return nil
	}
	if err := o.days.cfg.Ledger.Return(ctx, o.id, o.day, o.left); err != nil {
		o.away = now.Add(askAgain)
		return err
	}
	// Whether it was given back is not known when that failed, so it stays counted as used and leased.
	o.used -= o.left
	o.left = 0
	return nil
}

// unwritten returns what is to be written down, if something is.
func (o *dayOwner) unwritten() (Day, Entry, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	used := o.used + o.alone - o.settled - o.left
	return o.day, Entry{Tenant: o.tenant, Owner: o.id, Used: used}, o.day != "" && used > o.written
}

// wrote notes what was written down.
func (o *dayOwner) wrote(day Day, used int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.day == day {
		o.written = max(o.written, used)
	}
}

// idle tells whether nobody needs to know of the owner any more. One that is just being asked for is not waited for.
func (o *dayOwner) idle(now time.Time) bool {
	if !o.mu.TryLock() {
		return false
	}
	defer o.mu.Unlock()
	return now.Sub(o.asked) > forgetOwner && o.left == 0 && (o.alone == o.settled || o.day != DayOf(now))
}
