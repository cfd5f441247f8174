package tenants

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrBusy says that too many of an app's requests wait for their turn already.
var ErrBusy = errors.New("too many at once, ask for one after another")

// Turns has the requests of one app that cost much take turns, so that an app takes no more than one such request's
// worth of time and memory from the others, however often it asks. The zero value is ready.
type Turns struct {
	mu   sync.Mutex
	apps map[string]*turn // guarded by mu; those with a request under way
}

type turn struct {
	taken chan struct{} // holds one while a request is under way
	users int           // those under way and those who wait; the mu of Turns guards it
}

// How many requests of an app may wait for their turn, and for how long.
const (
	maxWaiting = 16
	maxWait    = 5 * time.Second
)

// Take waits for an app's turn. The caller must call done when it is over. The error is [ErrBusy] or that of ctx.
func (t *Turns) Take(ctx context.Context, app string) (done func(), err error) {
	mine, ok := t.enter(app)
	if !ok {
		return nil, ErrBusy
	}
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case mine.taken <- struct{}{}:
		return func() {
			<-mine.taken
			t.leave(app)
		}, nil
	case <-timeout.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.leave(app)
	return nil, err
}

func (t *Turns) enter(app string) (*turn, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.apps[app]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, 1)}
		if t.apps == nil {
			t.apps = make(map[string]*turn)
		}
		t.apps[app] = mine
	}
	if mine.users > maxWaiting {
		return nil, false
	}
	mine.users++
	return mine, true
}

func (t *Turns) leave(app string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine := t.apps[app]; mine.users > 1 {
		mine.users--
		return
	}
	delete(t.apps, app)
}
