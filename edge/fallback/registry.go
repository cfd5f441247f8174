package fallback

import (
	"maps"
	"slices"
	"sync"
)

// registry knows every conversation, and when all are over. All methods may be called at the same time.
type registry struct {
	most        int // conversations at once; 0 is no bound
	mostRefused int // of them that are only being told why they may not come in

	mu      sync.Mutex
	at      map[address]*conversation  // guarded by mu; those that can be found
	inside  map[*conversation]struct{} // guarded by mu; all that are not over
	refused int                        // guarded by mu; how many of them have no session
	closed  bool                       // guarded by mu; none may enter any more
	emptied chan struct{}              // closed when closed is set and none is inside
}

func newRegistry(most, mostRefused int) *registry {
	return &registry{
		most: most, mostRefused: mostRefused,
		at: make(map[address]*conversation), inside: make(map[*conversation]struct{}), emptied: make(chan struct{}),
	}
}

// find returns the conversation with this address, or nil.
func (r *registry) find(at address) *conversation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[at]
}

// entry is what became of an attempt to enter.
type entry int

const (
	entered entry = iota
	taken         // somebody else has the address
	full          // there are as many as there may be
	shut          // none may enter any more
)

// enter lets a conversation in, in place of one that is gone, or of none. exit belongs to its end.
func (r *registry) enter(c, gone *conversation) entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return shut
	case r.at[c.at] != nil && r.at[c.at] != gone:
		return taken
	case c.session == nil && r.refused >= r.mostRefused:
		return full
	case c.session != nil && r.most > 0 && len(r.inside)-r.refused >= r.most:
		return full
	}
	r.at[c.at] = c
	r.inside[c] = struct{}{}
	if c.session == nil {
		r.refused++
	}
	return entered
}

// exit says that a conversation is over.
func (r *registry) exit(c *conversation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at[c.at] == c {
		delete(r.at, c.at)
	}
	delete(r.inside, c)
	if c.session == nil {
		r.refused--
	}
	if r.closed && len(r.inside) == 0 {
		close(r.emptied)
	}
}

// close lets none enter any more and returns those that are inside.
func (r *registry) close() []*conversation {
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
