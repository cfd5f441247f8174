package main

import (
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestClocksThatDiffer: a start says so in its log, and the doctor says so.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	env := cluster(t)
	for i, kv := range env {
		if path, ok := strings.CutPrefix(kv, "PEAL_REDIS_URL=unix://"); ok {
			env[i] = "PEAL_REDIS_URL=redis://" + slowClock(t, path, 10*time.Minute)
		}
	}
	runDoctor(t, env, exitOK).want(t, "redis", statusWarning, "differ by 10m0s", "NTP")
	p := startServe(t, env)
	waitFor(t, "the log tells of it", func() bool { return strings.Contains(p.stderr.String(), "differ by 10m0s") })
	if !strings.Contains(p.stderr.String(), `"level":"WARN","msg":"redis is not set up as it should be"`) {
		t.Errorf("it is no warning:\n%s", p.stderr)
	}
}

// slowClock puts a Redis whose clock is slow before one that is right, and returns its address. It turns back what TIME
// is answered with: two numbers, the seconds being the first.
func slowClock(t *testing.T, socket string, by time.Duration) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	answer := regexp.MustCompile(`^\*2\r\n\$10\r\n(\d{10})\r\n`)
	serve := func(client net.Conn) {
		defer client.Close()
		server, err := net.Dial("unix", socket)
		if err != nil {
			return
		}
		defer server.Close()
		go func() {
			io.Copy(server, client)
			server.Close()
		}()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if m := answer.FindSubmatchIndex(buf[:n]); m != nil {
				now, _ := strconv.ParseInt(string(buf[m[2]:m[3]]), 10, 64)
				copy(buf[m[2]:m[3]], strconv.FormatInt(now-int64(by.Seconds()), 10))
			}
			if _, e := client.Write(buf[:n]); err != nil || e != nil {
				return
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

func TestSkewOf(t *testing.T) {
	t.Parallel()
	from := time.Now()
	to := from.Add(3 * time.Second)
	for _, c := range []struct{ offset, want time.Duration }{
		{0, 0}, {3 * time.Second, 0}, {-time.Minute, time.Minute}, {time.Minute, 57 * time.Second},
	} {
		if got := skewOf(from.Add(c.offset), from, to); got != c.want {
			t.Errorf("a clock at %v: %v, want %v", c.offset, got, c.want)
		}
	}
}
