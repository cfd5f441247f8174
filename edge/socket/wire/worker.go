//go:build linux

package wire

import (
	"runtime"
	"sync"
)

// kind says what an item is.
type kind uint8

const (
	textFrame     kind = iota // a message without its header, shared by all who get it
	rawBytes                  // whole frames
	lastWords                 // whole frames, after which nothing comes
	lastWordsOnly             // the same, in place of what waits
	hangUp                    // close when all before is written
)

// item is something to be written to a connection.
type item struct {
	conn  *Conn
	bytes []byte
	kind  kind
}

// worker writes for its share of the connections: to one after the other, in the order in which something came for
// them, and to each all that waits for it. What comes meanwhile for a connection whose turn is still to come joins what
// waits there. So the more there is to do, the more each write carries; nobody waits for longer than one round; and
// an idle server adds no delay.
type worker struct {
	writers *Writers

	mu      sync.Mutex
	ready   sync.Cond
	queue   []item // guarded by mu
	stopped bool   // guarded by mu
	asleep  bool   // guarded by mu

	// Of the worker's goroutine alone.
	round   round
	lines   lines
	frames  int // written in this turn
	scratch []byte
	// One write, as the runtime's poller wants it.
	write    func(fd uintptr) bool
	out      []byte
	n        int
	writeErr error
}

const (
	// scratchSize is how much one write carries at most. A socket's send buffer seldom takes more at once.
	scratchSize = 64 << 10
	// keepItems is the length of a queue that is kept for the next time; a longer one was a rare burst.
	keepItems = 64 << 10
	// turn is to how many connections the worker writes before it looks what has come. It is some half a millisecond.
	turn = 64
)

func newWorker(w *Writers) *worker {
	k := &worker{writers: w, scratch: make([]byte, 0, scratchSize), lines: lines{free: none}}
	k.ready.L = &k.mu
	k.write = k.writeTo
	return k
}

func (k *worker) put(it item) {
	k.mu.Lock()
	k.queue = append(k.queue, it)
	wake := k.asleep
	k.asleep = false
	k.mu.Unlock()
	if wake {
		k.ready.Signal()
	}
}

func (k *worker) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	k.asleep = false
	k.ready.Signal()
}

// run writes until it is stopped and nothing is left.
func (k *worker) run() {
	var batch []item
	for !k.round.empty() || k.wait() {
		// Whoever is publishing right now gets to finish first.
		runtime.Gosched()
		batch = k.take(batch)
		k.sort(batch)
		clear(batch)
		if cap(batch) > keepItems {
			batch = nil
		}
		k.writeTurn()
	}
}

// wait waits for something to do and tells whether there is more to come.
func (k *worker) wait() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) == 0 {
		if k.stopped {
			return false
		}
		k.asleep = true
		k.ready.Wait()
	}
	return true
}

func (k *worker) take(spare []item) []item {
	k.mu.Lock()
	defer k.mu.Unlock()
	batch := k.queue
	k.queue = spare[:0]
	return batch
}

// sort puts what has come into the lines of the connections.
func (k *worker) sort(batch []item) {
	for i := range batch {
		it := &batch[i]
		if it.conn.line.empty() {
			k.round.add(it.conn)
		}
		k.lines.add(&it.conn.line, it.bytes, it.kind)
	}
}

// writeTurn writes to the connections that are next.
func (k *worker) writeTurn() {
	for range turn {
		c := k.round.next()
		if c == nil {
			break
		}
		k.writeConn(c)
	}
	if k.frames > 0 {
		k.writers.cfg.Sent(k.frames)
		k.frames = 0
	}
	if k.round.empty() {
		k.lines.shrink()
	}
}

// writeConn writes what waits for a connection, joined into as few writes as may be.
func (k *worker) writeConn(c *Conn) {
	to := sink{k: k, c: c, buf: k.scratch[:0]}
	for !c.line.empty() {
		bytes, kind := k.lines.pop(&c.line)
		switch kind {
		case textFrame:
			k.frames++
			to.text(bytes)
		case rawBytes, lastWords:
			to.raw(bytes)
		case lastWordsOnly:
			to.instead(bytes)
		case hangUp:
			to.hangUp = true
		}
	}
	to.flush()
	if to.hangUp {
		c.closeWhenDrained()
	}
}
