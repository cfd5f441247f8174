package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestProxies(t *testing.T) {
	t.Parallel()
	list, err := parseProxies("10.0.0.0/8, 192.0.2.7,2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, peer, forwarded, proto, wantAddr, wantProto string }{
		{"nobody's proxy", "203.0.113.9:4000", "198.51.100.1", "https", "203.0.113.9:4000", "http"},
		{"nobody's proxy on this machine", "127.0.0.1:4000", "198.51.100.1", "https", "127.0.0.1:4000", "http"},
		{"nobody", "203.0.113.9:4000", "", "", "203.0.113.9:4000", ""},
		{"a proxy", "10.1.2.3:4000", "198.51.100.1", "https", "198.51.100.1:0", "https"},
		{"a proxy that says nothing", "10.1.2.3:4000", "", "", "10.1.2.3:4000", ""},
		{"two proxies", "192.0.2.7:4000", "198.51.100.1, 10.9.9.9", "http", "198.51.100.1:0", "http"},
		{"a client that lies", "10.1.2.3:4000", "127.0.0.1, 198.51.100.1", "https", "198.51.100.1:0", "https"},
		{"nonsense", "10.1.2.3:4000", "unknown", "https", "10.1.2.3:4000", "https"},
		{"IPv6", "[2001:db8::1]:4000", "2001:4860::1", "https", "[2001:4860::1]:0", "https"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:4000", "198.51.100.1", "https", "198.51.100.1:0", "https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = c.peer
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			list.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.RemoteAddr != c.wantAddr || r.Header.Get("X-Forwarded-Proto") != c.wantProto {
					t.Errorf("got %s by %q, want %s by %q", r.RemoteAddr, r.Header.Get("X-Forwarded-Proto"), c.wantAddr, c.wantProto)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	for _, bad := range []string{"10.0.0.0/33", "proxy.example.com", "10.0.0.1;10.0.0.2"} {
		if checkProxies(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
