//go:build unix

package httpapi_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/pealhq/peal/usage"
)

// BenchmarkLoopback holds a publish against the bare handler, both over real HTTP on connections that are kept
// open. There are several for each processor: with a single one, both ends would mostly sleep, and waking them
// would be what is measured. cpu-ns/op is what the whole process used; the client is part of it, the same in
// both, and writes a request that was made once. Of interest is the ratio of the two: what our part costs on
// top of net/http.
func BenchmarkLoopback(b *testing.B) {
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{{"bare", bare}, {"publish", server(usage.NewMeter(usage.Config{}))}} {
		b.Run(c.name, func(b *testing.B) {
			web := httptest.NewServer(c.handler)
			defer web.Close()
			request := rawPublish("/apps/3/events", eventBody(1))
			b.ReportAllocs()
			b.SetParallelism(8)
			start := cpuTime(b)
			b.RunParallel(func(pb *testing.PB) {
				if err := exchange(web.Listener.Addr().String(), request, pb.Next); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// exchange sends the request on a connection of its own and waits for its answer, for as long as next says.
func exchange(address string, request []byte, next func() bool) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	answer := make([]byte, 4096)
	for next() {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		// The answer is small and written at once, so that one read gets all of it.
		n, err := conn.Read(answer)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200")) || !bytes.HasSuffix(answer[:n], []byte("{}")) {
			return fmt.Errorf("answer %q", answer[:n])
		}
	}
	return nil
}

// rawPublish returns a signed request as it is on the wire.
func rawPublish(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s?%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, signedQuery("POST", path, body, "key3", "secret3", time.Now()), len(body), body)
}

// cpuTime returns how much CPU this process has used.
func cpuTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
