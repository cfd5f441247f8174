// Package proxy is a TCP proxy that treats what passes through it badly, as networks do: it delays, cuts into small pieces,
// swallows in one direction or both without a word, ends one half of a connection, or resets it.
//
// While it swallows, nothing is lost from the middle of a connection: TCP would send it again. What waits goes on when the
// network heals, unless the connection has ended by then. One thing differs from a network that is cut: whoever connects
// meanwhile is accepted, and then hears nothing.
package proxy

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Fault is what happens to the bytes of one direction. The zero Fault lets them pass.
type Fault struct {
	// Delay is how much later bytes arrive; they keep their order.
	Delay time.Duration
	// Slice is the most bytes that are passed on at once, with a pause after each; 0 leaves them as they are.
	Slice int
	// Swallow holds everything back until the fault is lifted.
	Swallow bool
}

// slicePause is between two slices.
const slicePause = 200 * time.Microsecond

// Proxy passes connections on to one server.
type Proxy struct {
	network, address string
	listener         net.Listener
	running          sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{}      // guarded by mu; closed when a fault changes
	toServer Fault              // guarded by mu
	toClient Fault              // guarded by mu
	refuse   bool               // guarded by mu
	ended    bool               // guarded by mu
	flows    map[*flow]struct{} // guarded by mu
}

// New listens on a port of its own of the loopback, and passes on to the server at an address: "tcp" and host:port, or
// "unix" and a path.
func New(ctx context.Context, network, address string) (*Proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &Proxy{network: network, address: address, listener: l, changed: make(chan struct{}), flows: map[*flow]struct{}{}}
	p.running.Go(func() { p.accept(context.WithoutCancel(ctx)) })
	return p, nil
}

// Addr is where the proxy listens, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set says what happens to what clients send and to what the server sends.
func (p *Proxy) Set(toServer, toClient Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toServer, p.toClient = toServer, toClient
	close(p.changed)
	p.changed = make(chan struct{})
}

// Both sets one fault for both directions.
func (p *Proxy) Both(f Fault) { p.Set(f, f) }

// Heal lets everything pass again.
func (p *Proxy) Heal() {
	p.Set(Fault{}, Fault{})
	p.Refuse(false)
}

// Refuse resets whoever connects from now on, or no more.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// Reset ends every connection with a reset, and tells how many there were.
func (p *Proxy) Reset() int { return p.each((*flow).reset) }

// HalfClose tells the server, for every connection, that the client will send no more. The other direction goes on.
func (p *Proxy) HalfClose() int { return p.each((*flow).halfClose) }

func (p *Proxy) each(do func(*flow)) int {
	p.mu.Lock()
	var all []*flow
	for f := range p.flows {
		all = append(all, f)
	}
	p.mu.Unlock()
	for _, f := range all {
		do(f)
	}
	return len(all)
}

// Forget swallows for good what passes on the connections that are open now, as a firewall does that has forgotten them.
// Those that come later are not touched.
func (p *Proxy) Forget() int {
	return p.each(func(f *flow) { f.forget.Do(func() { close(f.forgotten) }) })
}

// Close ends all connections and waits until nothing of the proxy is left.
func (p *Proxy) Close() {
	_ = p.listener.Close() // It is closed once, and says so if twice.
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.Reset()
	p.running.Wait()
}

func (p *Proxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.carry(ctx, client) })
	}
}

// carry passes one connection on until both its directions have ended.
func (p *Proxy) carry(ctx context.Context, client net.Conn) {
	p.mu.Lock()
	refuse := p.refuse || p.ended
	p.mu.Unlock()
	var server net.Conn
	if !refuse {
		var err error
		if server, err = (&net.Dialer{Timeout: time.Second}).DialContext(ctx, p.network, p.address); err != nil {
			refuse = true
		}
	}
	if refuse {
		reset(client)
		return
	}
	f := &flow{client: client, server: server, gone: make(chan struct{}), forgotten: make(chan struct{})}
	p.mu.Lock()
	ended := p.ended
	p.flows[f] = struct{}{}
	p.mu.Unlock()
	if ended {
		f.reset()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(f, server, client, func() Fault { return p.toServer }) })
	both.Go(func() { p.pass(f, client, server, func() Fault { return p.toClient }) })
	both.Wait()
	f.reset()
	p.mu.Lock()
	delete(p.flows, f)
	p.mu.Unlock()
}

// state returns a fault as it is now, and what is closed when it changes.
func (p *Proxy) state(of func() Fault) (Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return of(), p.changed
}
