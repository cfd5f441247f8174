//go:build linux

package wire

// round are the connections for which something waits, in the order in which their turn comes.
type round struct {
	conns []*Conn
	at    int
}

func (r *round) empty() bool { return r.at == len(r.conns) }

func (r *round) add(c *Conn) {
	// The room of those whose turn was is used again, at a cost that is small beside theirs.
	if r.at > 0 && len(r.conns) == cap(r.conns) && r.at > len(r.conns)/2 {
		n := copy(r.conns, r.conns[r.at:])
		clear(r.conns[n:])
		r.conns, r.at = r.conns[:n], 0
	}
	r.conns = append(r.conns, c)
}

// next returns who is next and nil when nobody is.
func (r *round) next() *Conn {
	if r.empty() {
		return nil
	}
	c := r.conns[r.at]
	r.conns[r.at] = nil
	if r.at++; r.empty() {
		r.conns, r.at = r.conns[:0], 0
	}
	return c
}

// line is what waits for one connection: places in the [lines] of its worker.
type line struct{ first, last int32 }

const none = -1

func (l *line) empty() bool { return l.first == none }

// lines holds the lines of all connections of a worker, in one list, so that a connection for which nothing waits costs
// no memory.
type lines struct {
	places []place
	free   int32 // the first place that is free, or none
}

type place struct {
	bytes []byte
	next  int32 // the next in the line, or the next that is free, or none
	kind  kind
}

func (l *lines) add(to *line, bytes []byte, kind kind) {
	at := l.free
	if at != none {
		l.free = l.places[at].next
		l.places[at] = place{bytes, none, kind}
	} else {
		at = int32(len(l.places)) //nolint:gosec // What may wait in a process is bounded far below.
		l.places = append(l.places, place{bytes, none, kind})
	}
	if to.empty() {
		to.first = at
	} else {
		l.places[to.last].next = at
	}
	to.last = at
}

// pop takes the first of a line that is not empty.
func (l *lines) pop(from *line) ([]byte, kind) {
	at := from.first
	p := &l.places[at]
	bytes, kind := p.bytes, p.kind
	from.first = p.next
	*p = place{next: l.free}
	l.free = at
	return bytes, kind
}

// shrink gives back what a rare burst has taken. No line may have anything.
func (l *lines) shrink() {
	if cap(l.places) > keepItems {
		*l = lines{free: none}
	}
}
