package session

import (
	"sync"
	"time"

	"github.com/pealhq/peal/pusher"
)

// certainAfter is how long an app must be full over all edges before a client is told so for good. Those that an edge had
// which has died are counted until its lease is swept, and it is their own clients that come back in the meantime.
const certainAfter = 15 * time.Second

// fullness knows which apps have been full, over all edges, and since when.
type fullness struct {
	mu   sync.Mutex
	apps map[string]fullSpan // guarded by mu
}

// fullSpan is a time in which every newcomer was refused, none long after the one before.
type fullSpan struct{ since, last time.Time }

// refuse returns what a newcomer is told who found no place: to come back, until it is certain that there is none.
func (f *fullness) refuse(app string, now time.Time) *Ending {
	f.mu.Lock()
	defer f.mu.Unlock()
	span := f.apps[app]
	if now.Sub(span.last) > certainAfter {
		span.since = now
	}
	span.last = now
	if f.apps == nil {
		f.apps = make(map[string]fullSpan)
	}
	f.apps[app] = span
	if now.Sub(span.since) < certainAfter {
		return EndWith(pusher.CloseOverCapacity)
	}
	return EndWith(pusher.CloseQuota)
}

// room notes that somebody found a place.
func (f *fullness) room(app string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.apps, app)
}

// forget forgets what is too long ago to matter.
func (f *fullness) forget(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for app, span := range f.apps {
		if now.Sub(span.last) > certainAfter {
			delete(f.apps, app)
		}
	}
}
