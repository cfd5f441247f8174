package redisbus

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between an edge and Redis, and can swallow what passes without a word, as a network does that is cut.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	flows   *sync.Cond
	cut     bool                  // guarded by mu
	ended   bool                  // guarded by mu
	open    map[net.Conn]struct{} // guarded by mu
	running sync.WaitGroup
}

// newProxy returns a proxy before the Redis at a unix:// address, and its own address.
func newProxy(t testing.TB, redisURL string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Path, open: make(map[net.Conn]struct{})}
	p.flows = sync.NewCond(&p.mu)
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p, "redis://" + p.listener.Addr().String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.running.Go(func() { p.copy(client, server) })
		p.running.Go(func() { p.copy(server, client) })
	}
}

func (p *proxy) copy(dst, src net.Conn) {
	defer func() { _, _ = dst.Close(), src.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := src.Read(buffer)
		if err != nil {
			return
		}
		if !p.pass() {
			_, _ = io.Copy(io.Discard, src) // What was on its way when the network was cut never arrives.
			return
		}
		if _, err := dst.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// pass waits while the network is cut, and tells whether what waits may still arrive.
func (p *proxy) pass() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.cut && !p.ended {
		p.flows.Wait()
	}
	return !p.ended
}

// set cuts the network, or heals it.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	p.flows.Broadcast()
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.ended = true
	p.flows.Broadcast()
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}
