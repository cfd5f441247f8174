package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// The sockets of an app are counted over all edges by being on a topic of their own, so that what holds of every
// subscription holds of the count: whoever dies is taken off it.

// counting says how far a conversation has come with being counted. The registry's mu guards it.
type counting int

const (
	uncounted counting = iota
	isCounted
	beingCounted // later than it came in, because that could not be done then
	goneMeanwhile
)

// count counts a conversation that comes in, and returns why there is no place for it. Where the count cannot be had the
// places on this edge are what counts, of which there are fewer then, and it is counted later.
func (r *Registry) count(ctx context.Context, s *Session) *Ending {
	app := s.App()
	full, err := r.join(ctx, s, app.Limits.Connections, app.Tenant.Connections)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		s.counted = isCounted
		r.full.room(app.ID)
		if s.inTenant {
			r.full.room(app.TenantID.String())
		}
	case errors.Is(err, channels.ErrFull):
		return r.full.refuse(full, time.Now())
	case !r.hasShare(app):
		return EndWith(pusher.CloseOverCapacity)
	default:
		r.uncounted[s] = struct{}{}
	}
	return nil
}

// hasShare tells whether no more conversations of an app, and of its tenant, are here than this edge may have while they cannot
// be counted. The caller holds mu.
func (r *Registry) hasShare(app *tenants.App) bool {
	if r.cfg.Share == nil {
		return true
	}
	if most := app.Limits.Connections; most > 0 && len(r.apps[app.ID]) > r.cfg.Share(most) {
		return false
	}
	most := app.Tenant.Connections
	return most == 0 || r.tenants[app.TenantID] <= r.cfg.Share(most)
}

// join counts a conversation with its app, of which there may be most, and where the plan has a bound with its tenant. It returns
// which of the two is full when one is. Whoever calls it keeps others from doing so, by what s.counted says.
func (r *Registry) join(ctx context.Context, s *Session, most, together int) (full string, err error) {
	app := s.App()
	if !s.inApp {
		if err := r.joinOwner(ctx, s, app.ID, most); err != nil {
			return app.ID, err
		}
		s.inApp = true
	}
	if s.inTenant || app.Tenant.Connections == 0 {
		return "", nil
	}
	tenant := app.TenantID.String()
	if err := r.joinOwner(ctx, s, tenant, together); err != nil {
		return tenant, err
	}
	s.inTenant = true
	return "", nil
}

func (r *Registry) joinOwner(ctx context.Context, s *Session, owner string, most int) error {
	_, err := r.cfg.Presence.Join(ctx, channels.Arrival{
		Topic: channels.SocketsTopic(owner), Socket: s.carrier.ID(), MaxSubscribers: most,
	})
	return err
}

// discount takes a conversation that has ended off the count.
func (r *Registry) discount(ctx context.Context, s *Session) {
	r.mu.Lock()
	was := s.counted
	if was == beingCounted {
		s.counted = goneMeanwhile
	}
	delete(r.uncounted, s)
	r.mu.Unlock()
	if was != beingCounted {
		r.part(ctx, s)
	}
}

// part takes a conversation off whatever it is counted with. Nobody counts it any more.
func (r *Registry) part(ctx context.Context, s *Session) {
	app := s.App()
	if s.inApp {
		r.partOwner(ctx, s, app.ID)
	}
	if s.inTenant {
		r.partOwner(ctx, s, app.TenantID.String())
	}
	s.inApp, s.inTenant = false, false
}

func (r *Registry) partOwner(ctx context.Context, s *Session, owner string) {
	if _, err := r.cfg.Presence.Leave(ctx, channels.Departure{Topic: channels.SocketsTopic(owner), Socket: s.carrier.ID()}); err != nil {
		s.trouble(ctx, "leave", owner, err)
	}
}

// recount has a conversation counted with its tenant that was not so far, because its plan had no bound when it came.
func (r *Registry) recount(s *Session) {
	if s.App().Tenant.Connections == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.counted == isCounted && !s.inTenant {
		s.counted = uncounted
		r.uncounted[s] = struct{}{}
	}
}

// tryAgainEvery is how often what could not be done is tried again.
const tryAgainEvery = 2 * time.Second

// Run counts those who came while that could not be done, checks those again whose right could not be checked, and ends those
// whose key stops to work by the clock, until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	var all sync.WaitGroup
	// Apart from each other: what one of them waits for, the other does not need.
	all.Go(func() { again(ctx, func() { r.countLate(ctx); r.full.forget(time.Now()) }) })
	all.Go(func() { again(ctx, func() { r.recheckLate(ctx) }) })
	all.Go(func() { r.endRetired(ctx) })
	all.Wait()
	return nil
}

// again calls f now and then until ctx ends.
func again(ctx context.Context, f func()) {
	tick := time.NewTicker(tryAgainEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f()
		case <-ctx.Done():
			return
		}
	}
}

// countLate counts who is waiting for it, until one cannot be.
func (r *Registry) countLate(ctx context.Context) {
	for ctx.Err() == nil {
		s := r.nextUncounted()
		if s == nil {
			return
		}
		// They are in, so there is no bound for them.
		_, err := r.join(ctx, s, 0, 0)
		if gone := r.countedLate(s, err == nil); gone {
			r.part(ctx, s)
		}
		if err != nil {
			return
		}
	}
}

func (r *Registry) nextUncounted() *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.uncounted {
		delete(r.uncounted, s)
		s.counted = beingCounted
		return s
	}
	return nil
}

// countedLate notes what became of it, and tells whether the conversation has ended meanwhile.
func (r *Registry) countedLate(s *Session, ok bool) (gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.counted == goneMeanwhile:
		return true
	case ok:
		s.counted = isCounted
	default:
		s.counted = uncounted
		r.uncounted[s] = struct{}{}
	}
	return false
}
