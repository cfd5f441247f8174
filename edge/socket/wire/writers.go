//go:build linux

package wire

import (
	"context"
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
		w.workers = append(w.workers, newWorker(w))
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
