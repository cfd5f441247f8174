package session

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// ArrivalsConfig says how many may come in a second; 0 is no bound. Ten times as many may come at once.
type ArrivalsConfig struct {
	Total int
	// PerAddress is for one address, or one network of 64 bits where it is IPv6. Addresses of private networks are
	// proxies or our own machines, and not bounded.
	PerAddress int
}

// Arrivals bounds how fast visitors come in, so that a herd that returns, or one that never should have come, leaves
// time for those who are there. All methods may be called at the same time.
type Arrivals struct {
	cfg   ArrivalsConfig
	total *rate.Limiter // nil where there is no bound

	mu        sync.Mutex
	addresses map[netip.Prefix]*rate.Limiter // guarded by mu
}

const (
	arrivalBurst = 10
	// maxAddresses is how many addresses are remembered before those that were quiet are forgotten.
	maxAddresses = 100_000
)

// NewArrivals returns arrivals that have seen nobody.
func NewArrivals(cfg ArrivalsConfig) *Arrivals {
	a := &Arrivals{cfg: cfg, addresses: make(map[netip.Prefix]*rate.Limiter)}
	if cfg.Total > 0 {
		a.total = rate.NewLimiter(rate.Limit(cfg.Total), arrivalBurst*cfg.Total)
	}
	return a
}

// Admit tells whether one more may come from an address now. An address that cannot be read is bounded in total only.
func (a *Arrivals) Admit(addr string) bool {
	now := time.Now()
	// Its own bound first: who is over it must not use up what belongs to all.
	if one := a.of(addr, now); one != nil && !one.AllowN(now, 1) {
		return false
	}
	return a.total == nil || a.total.AllowN(now, 1)
}

// of returns the bucket of an address, nil where it has none.
func (a *Arrivals) of(addr string, now time.Time) *rate.Limiter {
	if a.cfg.PerAddress == 0 {
		return nil
	}
	ip, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil
	}
	at := ip.Addr().Unmap()
	if at.IsPrivate() || at.IsLoopback() || at.IsLinkLocalUnicast() {
		return nil
	}
	bits := at.BitLen()
	if at.Is6() {
		bits = 64
	}
	network, err := at.Prefix(bits)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.addresses[network]
	if one == nil {
		if len(a.addresses) >= maxAddresses {
			a.forgetTheQuiet(now)
		}
		one = rate.NewLimiter(rate.Limit(a.cfg.PerAddress), arrivalBurst*a.cfg.PerAddress)
		a.addresses[network] = one
	}
	return one
}

// forgetTheQuiet forgets the addresses that have all their tokens back, and when that are none, all: an attacker who
// has that many addresses is not bounded by them. The caller holds mu.
func (a *Arrivals) forgetTheQuiet(now time.Time) {
	for network, one := range a.addresses {
		if one.TokensAt(now) >= float64(one.Burst()) {
			delete(a.addresses, network)
		}
	}
	if len(a.addresses) >= maxAddresses {
		clear(a.addresses)
	}
}
