package socket

import (
	"maps"
	"slices"
	"sync"
)

// registry knows every connection that is being served, and when all are gone. All methods may be called at the same
// time.
type registry struct {
	mu      sync.Mutex
	inside  map[*socket]struct{} // guarded by mu; all that are served, refused ones too
	members int                  // guarded by mu; how many were let in
	closed  bool                 // guarded by mu; nobody may enter any more
	emptied chan struct{}        // closed when closed is set and nobody is inside
}

func newRegistry() *registry {
	return &registry{inside: make(map[*socket]struct{}), emptied: make(chan struct{})}
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

// letIn counts a connection that was let in, and out takes it away again.
func (r *registry) letIn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members++
}

func (r *registry) out() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members--
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
