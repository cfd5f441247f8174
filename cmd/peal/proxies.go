package main

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the addresses of load balancers whose word on a client is taken.
type proxies []netip.Prefix

// parseProxies reads addresses and ranges with commas between them.
func parseProxies(text string) (proxies, error) {
	var list proxies
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			addr, addrErr := netip.ParseAddr(part)
			if addrErr != nil {
				return nil, errors.New("is not a list of addresses and ranges; it reads like 10.0.0.0/8,192.0.2.7")
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

func checkProxies(v string) error {
	_, err := parseProxies(v)
	return err
}

func (p proxies) contain(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// forwardedHeaders are what proxies tell of a client. From anybody else they are what the client likes to say.
var forwardedHeaders = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip"}

// wrap gives a request that came through a trusted proxy the address of the client behind it, and takes from any
// other what only a proxy may say. What is behind it need not know that there are proxies.
func (p proxies) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.contain(peer.Addr()) {
			forwarded := false
			for _, name := range forwardedHeaders {
				forwarded = forwarded || len(r.Header[name]) > 0
				r.Header.Del(name)
			}
			if forwarded {
				// Whoever passed it on is not known, so the way to there counts as open. Without a word of it, what comes
				// through a proxy on this machine would be taken for a call from the machine itself.
				r.Header.Set("X-Forwarded-Proto", "http")
			}
		} else if client, ok := p.client(r.Header.Values("X-Forwarded-For")); ok {
			r.RemoteAddr = net.JoinHostPort(client.String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// client returns the last address that no proxy of ours has: what stands before it, the client may have made up.
func (p proxies) client(values []string) (netip.Addr, bool) {
	hops := strings.Split(strings.Join(values, ","), ",")
	var client netip.Addr
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = addr
		if !p.contain(addr) {
			break
		}
	}
	return client, client.IsValid()
}
