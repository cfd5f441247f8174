// Package loop carries the connections of the load generator: many thousand of them on one thread, so that what is
// measured is the server.
//
// On Linux it is an epoll loop of its own with raw reads; elsewhere, and where asked for, a goroutine for each
// connection. In both a handler is never called while another one runs, so whoever handles needs no locks. It knows
// nothing of what the bytes mean. Start with [Loop].
package loop

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Handler hears what happens to one connection, while the loop is run. No two methods of any handlers of a loop run at
// the same time, and none may block.
type Handler interface {
	// Opened comes first, when the connection stands.
	Opened(c Conn)
	// Data brings what was read; the bytes are valid during the call.
	Data(c Conn, b []byte)
	// Closed comes last, and not after [Conn.Close]: the server, or what lies between, ended the connection.
	Closed(err error)
}

// Conn is one connection. Its methods are called by handlers and by steps.
type Conn interface {
	// Write sends b, of which it keeps nothing. What the system does not take at once goes out later.
	Write(b []byte)
	// Close resets the connection, so that its port is free again at once.
	Close()
}

// Step is asked between events what is to be done. It returns when it wants to be asked again at the latest, and whether
// the run is over.
type Step func(now time.Duration) (wake time.Duration, done bool)

// Loop runs connections.
type Loop interface {
	// Now is the time on the loop's clock, which began when the loop was made.
	Now() time.Duration
	// Dial opens a connection from a local address; the zero address leaves the choice to the system. It may be called
	// by handlers and steps. An error that is known at once is returned, any other goes to the handler.
	Dial(to netip.AddrPort, from netip.Addr, h Handler) error
	// Run carries the connections until the step says it is over or the context ends. It may be called again.
	Run(ctx context.Context, step Step) error
	// Waited is how long Run has waited for something to happen; the rest of its time it was busy.
	Waited() time.Duration
	// Close resets every connection.
	Close() error
}

// Config says how connections are carried.
type Config struct {
	// Portable asks for a goroutine for each connection even where there is a better way.
	Portable bool
}

// New returns a loop. The caller closes it.
func New(cfg Config) (Loop, error) {
	if cfg.Portable {
		return newPortable(), nil
	}
	return newNative()
}

// errEnded is what a handler hears when the server ends a connection in order.
var errEnded = errors.New("the server closed the connection")

// maxWait is how long a run waits at most before it looks at its context and asks its step.
const maxWait = 50 * time.Millisecond
