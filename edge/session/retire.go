package session

import (
	"context"
	"sync"
	"time"

	"github.com/pealhq/peal/tenants"
)

// retirements are when keys of the apps that are here stop to work. Nobody tells an edge of that moment; its clock does.
type retirements struct {
	sooner chan struct{} // says that one was noted, which may be before all others

	mu sync.Mutex
	at map[string]time.Time // of each app the next; guarded by mu
}

func newRetirements() *retirements {
	return &retirements{sooner: make(chan struct{}, 1), at: make(map[string]time.Time)}
}

// note notes when the next key of an app stops to work, and forgets what was noted where none is about to.
func (r *retirements) note(app *tenants.App) {
	next := app.NextRetirement(time.Now())
	r.mu.Lock()
	defer r.mu.Unlock()
	if next.IsZero() {
		delete(r.at, app.ID)
		return
	}
	if r.at[app.ID].Equal(next) {
		return
	}
	r.at[app.ID] = next
	select {
	case r.sooner <- struct{}{}:
	default: // That is known already.
	}
}

// take returns the apps of which a key has stopped to work.
func (r *retirements) take(now time.Time) (apps []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for app, at := range r.at {
		if !now.Before(at) {
			delete(r.at, app)
			apps = append(apps, app)
		}
	}
	return apps
}

// wait returns how long it is until the next key stops to work, which is at most the given time.
func (r *retirements) wait(now time.Time, most time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range r.at {
		most = min(most, max(0, at.Sub(now)))
	}
	return most
}

// lookAgain is how long the clock is trusted to go as it should, before it is looked at again.
const lookAgain = 2 * time.Second

// endRetired ends the conversations whose key stops to work, when it does, until ctx ends.
func (r *Registry) endRetired(ctx context.Context) {
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			for _, id := range r.retirements.take(time.Now()) {
				r.Recheck(ctx, id)
			}
		case <-r.retirements.sooner:
		case <-ctx.Done():
			return
		}
		timer.Reset(r.retirements.wait(time.Now(), lookAgain))
	}
}
