package socket

import (
	"maps"
	"slices"
	"sync"
)

// registry knows every connection that is being served, those that were let in by their app too, and when all
// are gone. All methods may be called at the same time.
type registry struct {
	mu      sync.Mutex
	inside  map[*socket]struct{}            // guarded by mu; all that are served, refused ones too
	apps    map[string]map[*socket]struct{} // guarded by mu; those that were let in, by the app's id
	members int                             // guarded by mu; how many are in apps
	closed  bool                            // guarded by mu; nobody may enter any more
	emptied chan struct{}                   // closed when closed is set and nobody is inside
}

func newRegistry() *registry {
	return &registry{
		inside:  make(map[*socket]struct{}),
		apps:    make(map[string]map[*socket]struct{}),
		emptied: make(chan struct{}),
	}
}

// open tells whether connections are served at all.
func (r *registry) open() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.closed
}

// begin tells whether a connection, which has its line, may be served. exit belongs to its end in any case.
func (r *registry) begin(c *socket) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.inside[c] = struct{}{}
	return true
}

func (r *registry) exit(c *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, was := r.inside[c]
	delete(r.inside, c)
	if was && r.closed && len(r.inside) == 0 {
		close(r.emptied)
	}
}

// close lets nobody enter any more and returns who is inside.
func (r *registry) close() []*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		if len(r.inside) == 0 {
			close(r.emptied)
		}
	}
	return slices.Collect(maps.Keys(r.inside))
}

func (r *registry) add(c *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sockets := r.apps[c.appID]
	if sockets == nil {
		sockets = make(map[*socket]struct{})
		r.apps[c.appID] = sockets
	}
	sockets[c] = struct{}{}
	r.members++
}

func (r *registry) remove(c *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members--
	delete(r.apps[c.appID], c)
	if len(r.apps[c.appID]) == 0 {
		delete(r.apps, c.appID)
	}
}

// byKey returns the sockets of an app that are open now, by the key that they came in with.
func (r *registry) byKey(appID string) map[string][]*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make(map[string][]*socket)
	for c := range r.apps[appID] {
		keys[c.key] = append(keys[c.key], c)
	}
	return keys
}

// count returns how many connections were let in, and how many are being refused.
func (r *registry) count() (members, refused int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.members, len(r.inside) - r.members
}

// each calls f with every connection that is being served. f must not call the registry.
func (r *registry) each(f func(*socket)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.inside {
		f(c)
	}
}

func (r *registry) appIDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.apps))
}
