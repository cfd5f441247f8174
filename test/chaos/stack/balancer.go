package stack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Balancer sends clients to edges that are ready.
type Balancer interface {
	Addr() netip.AddrPort
	Close()
}

// Backend is what a balancer must know of an edge: where clients go, and where it is asked whether they may.
type Backend interface {
	Addr() netip.AddrPort
	Ready(ctx context.Context) bool
}

// healthEvery is how often each edge is asked.
const healthEvery = 500 * time.Millisecond

// roundRobin is a balancer of connections, such as a network's own is: what has been connected stays where it is.
type roundRobin struct {
	listener net.Listener
	backends []Backend
	running  sync.WaitGroup
	end      context.CancelFunc

	mu    sync.Mutex
	ready []bool                // guarded by mu; by backend
	next  int                   // guarded by mu
	open  map[net.Conn]struct{} // guarded by mu
}

// NewBalancer listens on a port of its own. The backends count as ready until they are asked.
func NewBalancer(ctx context.Context, backends ...Backend) (Balancer, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("balancer: %w", err)
	}
	b := &roundRobin{listener: l, backends: backends, ready: make([]bool, len(backends)), open: map[net.Conn]struct{}{}}
	ctx, b.end = context.WithCancel(context.WithoutCancel(ctx))
	for i := range backends {
		b.ready[i] = true
		b.running.Go(func() { b.watch(ctx, i) })
	}
	b.running.Go(func() { b.accept(ctx) })
	return b, nil
}

func (b *roundRobin) Addr() netip.AddrPort {
	return netip.MustParseAddrPort(b.listener.Addr().String())
}

func (b *roundRobin) watch(ctx context.Context, i int) {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		ready := b.backends[i].Ready(ctx)
		b.mu.Lock()
		b.ready[i] = ready
		b.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (b *roundRobin) accept(ctx context.Context) {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.running.Go(func() { b.carry(ctx, client) })
	}
}

// carry connects a client to the next backend that is ready and takes it.
func (b *roundRobin) carry(ctx context.Context, client net.Conn) {
	defer b.drop(client)
	if !b.hold(client) {
		return
	}
	for range b.backends {
		to, ok := b.choose()
		if !ok {
			return
		}
		server, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", to.Addr().String())
		if err != nil {
			continue
		}
		defer b.drop(server)
		if !b.hold(server) {
			return
		}
		var both sync.WaitGroup
		both.Go(func() { relay(server, client) })
		both.Go(func() { relay(client, server) })
		both.Wait()
		return
	}
}

// relay passes bytes on, and the end.
func relay(dst, src net.Conn) {
	_, _ = io.Copy(dst, src) // However it ends, it has ended.
	if tcp, ok := dst.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // as above
	}
}

func (b *roundRobin) choose() (Backend, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.backends {
		i := b.next % len(b.backends)
		b.next++
		if b.ready[i] {
			return b.backends[i], true
		}
	}
	return nil, false
}

// hold notes a connection, so that Close ends it; false after Close.
func (b *roundRobin) hold(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		return false
	}
	b.open[c] = struct{}{}
	return true
}

func (b *roundRobin) drop(c net.Conn) {
	_ = c.Close() // It may have ended already.
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, c)
}

func (b *roundRobin) Close() {
	b.end()
	_ = b.listener.Close() // It is closed once.
	b.mu.Lock()
	open := b.open
	b.open = nil
	var all []net.Conn
	for c := range open {
		all = append(all, c)
	}
	b.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // as in drop
	}
	b.running.Wait()
}
