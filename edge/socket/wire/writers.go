//go:build linux

package wire

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Config bounds what connections may cost. All fields must be set.
type Config struct {
	// Workers is how many goroutines write; one for each core.
	Workers int
	// MaxQueued bounds the bytes that wait for one connection anywhere.
	MaxQueued int64
	// MaxBacklog bounds those of them that the kernel refused because the peer does not read. A burst that the
	// worker has not come to yet is no fault of the peer's, so this is the tighter bound.
	MaxBacklog int
	// WriteTimeout is how long a peer that does not read may take to read something.
	WriteTimeout time.Duration
	// CloseTimeout is how long what is left may take to be written once a connection is to close.
	CloseTimeout time.Duration
	// ReadTimeout is how long a message that has begun may take to go on.
	ReadTimeout time.Duration
	// Sent is told how many messages a round handed to the kernel or a backlog. It is called by all workers.
	Sent func(messages int)
	// Stalled is told of each time that the kernel did not take all at once, because a peer does not read.
	Stalled func()
}

// Writers write for all connections. A connection belongs to one worker, which is the only one that writes to it.
type Writers struct {
	cfg     Config
	workers []*worker
	next    atomic.Uint32
	backlog atomic.Int64

	drains   sync.WaitGroup
	mu       sync.Mutex
	draining map[*Conn]struct{} // guarded by mu; those with a backlog
	stopped  bool               // guarded by mu
}

// NewWriters returns writers that write once they run.
func NewWriters(cfg Config) *Writers {
	w := &Writers{cfg: cfg, draining: make(map[*Conn]struct{})}
	for range cfg.Workers {
		k := &worker{writers: w}
		k.ready.L = &k.mu
		k.write = k.writeTo
		w.workers = append(w.workers, k)
	}
	return w
}

// Run writes until ctx ends. What is queued by then is written, as far as the peers take it at once: whoever
// does not read by then has had the time to.
func (w *Writers) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, k := range w.workers {
		all.Go(k.run)
	}
	<-ctx.Done()
	for _, k := range w.workers {
		k.stop()
	}
	all.Wait()
	w.giveUpDrains()
	w.drains.Wait()
	return nil
}

// drain starts writing a connection's backlog.
func (w *Writers) drain(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		_ = c.Conn.Close()
	}
	w.draining[c] = struct{}{}
	w.drains.Go(c.drain)
}

// drained forgets a connection that has no backlog any more.
func (w *Writers) drained(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.draining, c)
}

func (w *Writers) giveUpDrains() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	for c := range w.draining {
		_ = c.Conn.Close()
	}
}

// Backlog returns the bytes that wait for all peers that do not read.
func (w *Writers) Backlog() int64 { return w.backlog.Load() }

// pick returns the worker for a new connection.
func (w *Writers) pick() *worker {
	return w.workers[int(w.next.Add(1))%len(w.workers)]
}

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
	next  int32 // the connection's next item in the batch, or none
	kind  kind
}

const none = -1

// worker writes for its share of the connections.
type worker struct {
	writers *Writers

	mu      sync.Mutex
	ready   sync.Cond
	queue   []item // guarded by mu
	stopped bool   // guarded by mu
	waiting bool   // guarded by mu; the worker sleeps

	// Of the worker's goroutine alone.
	dirty   []*Conn
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
	// keepItems is the length of a queue that is kept for the next batch; a longer one was a rare burst.
	keepItems = 64 << 10
)

func (k *worker) put(it item) {
	k.mu.Lock()
	k.queue = append(k.queue, it)
	wake := k.waiting
	k.waiting = false
	k.mu.Unlock()
	if wake {
		k.ready.Signal()
	}
}

func (k *worker) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	k.waiting = false
	k.ready.Signal()
}

// run takes the whole queue, again and again. While it writes the next messages gather: the more there is to do, the
// more each write carries, and an idle server waits for nothing.
func (k *worker) run() {
	k.scratch = make([]byte, 0, scratchSize)
	var batch []item
	for {
		if !k.wait() {
			return
		}
		// Whoever is publishing right now gets to finish first.
		runtime.Gosched()
		batch = k.take(batch)
		k.writeBatch(batch)
		clear(batch)
		if cap(batch) > keepItems {
			batch = nil
		}
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
		k.waiting = true
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

// writeBatch sorts a batch by connection, as lists through the batch itself, and writes to each once.
func (k *worker) writeBatch(batch []item) {
	k.dirty = k.dirty[:0]
	frames := 0
	for i := range batch {
		it := &batch[i]
		it.next = none
		c := it.conn
		at := int32(i)
		if c.first == none {
			c.first = at
			k.dirty = append(k.dirty, c)
		} else {
			batch[c.last].next = at
		}
		c.last = at
		if it.kind == textFrame {
			frames++
		}
	}
	for i, c := range k.dirty {
		k.writeConn(c, batch)
		c.first = none
		k.dirty[i] = nil
	}
	if frames > 0 {
		k.writers.cfg.Sent(frames)
	}
}

// writeConn writes a connection's items, joined into as few writes as may be.
func (k *worker) writeConn(c *Conn, batch []item) {
	to := sink{k: k, c: c, buf: k.scratch[:0]}
	for at := c.first; at != none; at = batch[at].next {
		it := &batch[at]
		switch it.kind {
		case textFrame:
			to.text(it.bytes)
		case rawBytes, lastWords:
			to.raw(it.bytes)
		case lastWordsOnly:
			to.instead(it.bytes)
		case hangUp:
			to.hangUp = true
		}
	}
	to.flush()
	if to.hangUp {
		c.closeWhenDrained()
	}
}
