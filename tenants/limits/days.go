package limits

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// DayBound is how much there may be of something from one midnight UTC to the next, over all edges.
type DayBound struct {
	Tenant uuid.UUID
	// Owner is the id of the app that is bounded, or that of the tenant.
	Owner  string
	PerDay int
}

// Day is a day of UTC, as in 2026-11-23.
type Day string

// DayOf returns the day in which a moment is.
func DayOf(t time.Time) Day { return Day(t.UTC().Format(time.DateOnly)) }

// Ledger is where the edges of a platform note together what was used of a day. It forgets days that are over.
type Ledger interface {
	// Lease takes need of what limit leaves of a day and, if there is so much, up to want more. alone is all that this
	// edge has used of the day without a lease, which counts in any case: the ledger remembers how much of it it has
	// counted, so that asking again counts nothing twice. It returns how much is leased, which is 0 or at least need, and
	// how much is used then, leases included. The error is [ErrNoEntry] where the ledger knows nothing of that owner's day.
	Lease(ctx context.Context, owner string, day Day, need, want, limit, alone int) (leased, used int, err error)
	// Return gives back what was leased and not used.
	Return(ctx context.Context, owner string, day Day, n int) error
	// Begin notes how much was used of a day of which the ledger knows nothing yet.
	Begin(ctx context.Context, owner string, day Day, used int) error
	// Used returns how much is used of a day, leases included. The error may be [ErrNoEntry].
	Used(ctx context.Context, owner string, day Day) (int, error)
}

// ErrNoEntry says that a ledger knows nothing of an owner's day.
var ErrNoEntry = errors.New("no entry in the ledger")

// Book keeps what was used of days for when a ledger has lost it.
type Book interface {
	// Used returns what was written down last, 0 where nothing was.
	Used(ctx context.Context, owner string, day Day) (int, error)
	// Write writes down what was used. A lower number does not take the place of a higher one.
	Write(ctx context.Context, day Day, entries []Entry) error
}

// Entry is what was used of a day by one owner.
type Entry struct {
	Tenant uuid.UUID
	Owner  string
	Used   int
}

// DaysConfig is what [Days] need. A zero field means the default named beside it.
type DaysConfig struct {
	Ledger Ledger
	Book   Book
	// Share returns which part of a limit is this edge's while the ledger cannot be asked (all of it).
	Share func(limit int) int
	// Timeout bounds how long anybody waits for the ledger and the book (200 ms).
	Timeout time.Duration
	Logger  *slog.Logger
}

// Days are bounds of a day that all edges keep together. An edge takes some of what is left in advance, about as much as it used
// in the last second, so that it need not ask for each message. No more than the bound is ever admitted while the ledger
// answers. All methods may be called at the same time.
type Days struct {
	cfg      DaysConfig
	troubles rate.Sometimes

	mu     sync.Mutex
	owners map[string]*dayOwner // guarded by mu
}

// NewDays returns bounds that know nothing yet.
func NewDays(cfg DaysConfig) *Days {
	if cfg.Share == nil {
		cfg.Share = func(limit int) int { return limit }
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 200 * time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Days{cfg: cfg, troubles: rate.Sometimes{First: 1, Interval: 10 * time.Second}, owners: make(map[string]*dayOwner)}
}

// QuotaError says that a day's worth is used up.
type QuotaError struct {
	DayBound
	// Resets is when the next day begins.
	Resets time.Time
}

func (e *QuotaError) Error() string { return "the messages of this day are used up" }

// Take asks for n under each of these bounds: it gets all of that, or nothing, which is a [QuotaError].
func (d *Days) Take(ctx context.Context, n int, bounds ...DayBound) error {
	for i, b := range bounds {
		now := time.Now()
		if d.owner(b).take(ctx, now, n, b.PerDay) {
			continue
		}
		for _, taken := range bounds[:i] {
			d.owner(taken).putBack(now, n)
		}
		return &QuotaError{DayBound: b, Resets: now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)}
	}
	return nil
}

// GiveBack takes back n that were admitted, because nothing came of them.
func (d *Days) GiveBack(n int, bounds ...DayBound) {
	for _, b := range bounds {
		d.owner(b).putBack(time.Now(), n)
	}
}

func (d *Days) owner(b DayBound) *dayOwner {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.owners[b.Owner]
	if o == nil {
		o = &dayOwner{days: d, tenant: b.Tenant, id: b.Owner}
		d.owners[b.Owner] = o
	}
	return o
}

// Used returns how much of today is used by an app or a tenant that has a bound of a day, leases of the edges included.
func (d *Days) Used(ctx context.Context, owner string) (int, error) {
	day := DayOf(time.Now())
	used, err := d.cfg.Ledger.Used(ctx, owner, day)
	if errors.Is(err, ErrNoEntry) {
		return d.cfg.Book.Used(ctx, owner, day)
	}
	return used, err
}

const (
	returnEvery = time.Second
	writeEvery  = 5 * time.Second
)

// Run gives back what is leased and not used, and writes down what is used, until ctx ends.
func (d *Days) Run(ctx context.Context) error {
	back, write := time.NewTicker(returnEvery), time.NewTicker(writeEvery)
	defer back.Stop()
	defer write.Stop()
	for {
		select {
		case <-back.C:
			d.giveBack(ctx, time.Now().Add(-returnEvery))
		case <-write.C:
			d.write(ctx)
			d.forget(time.Now())
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			d.giveBack(last, time.Now())
			d.write(last)
			return nil
		}
	}
}

// giveBack gives back what nobody has asked for since.
func (d *Days) giveBack(ctx context.Context, since time.Time) {
	for _, o := range d.all() {
		if err := o.giveBack(ctx, since); err != nil {
			d.trouble(err)
			return // It will not answer for the next either.
		}
	}
}

// write writes down what has changed since it was last done.
func (d *Days) write(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeEvery)
	defer cancel()
	days := make(map[Day][]Entry)
	for _, o := range d.all() {
		if day, e, ok := o.unwritten(); ok {
			days[day] = append(days[day], e)
		}
	}
	for day, entries := range days {
		if err := d.cfg.Book.Write(ctx, day, entries); err != nil {
			d.trouble(err)
			continue
		}
		for _, e := range entries {
			d.owner(DayBound{Tenant: e.Tenant, Owner: e.Owner}).wrote(day, e.Used)
		}
	}
}

func (d *Days) all() []*dayOwner {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*dayOwner, 0, len(d.owners))
	for _, o := range d.owners {
		list = append(list, o)
	}
	return list
}

// forget forgets owners of whom nobody has asked for long.
func (d *Days) forget(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, o := range d.owners {
		if o.idle(now) {
			delete(d.owners, id)
		}
	}
}

// trouble logs that the ledger or the book did not answer. While one is away there is much of that.
func (d *Days) trouble(err error) {
	d.troubles.Do(func() {
		d.cfg.Logger.Warn("what is used of the day cannot be shared or written down; this edge keeps to its share", slog.Any("error", err))
	})
}
