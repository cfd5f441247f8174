package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pealhq/peal/test/chaos/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo returns a proxy before a server that repeats each line, and after the end of the input says "bye".
func echo(t *testing.T) *proxy.Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				for in := bufio.NewScanner(c); in.Scan(); {
					if _, err := c.Write([]byte(in.Text() + "\n")); err != nil {
						return
					}
				}
				_, _ = c.Write([]byte("bye\n"))
			})
		}
	})
	p, err := proxy.New(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		l.Close()
		serving.Wait()
	})
	return p
}

type client struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dial(t *testing.T, p *proxy.Proxy) *client {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &client{c, t, bufio.NewReader(c)}
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := c.Write([]byte(line + "\n")); err != nil {
		c.t.Fatal(err)
	}
}

// hear returns the next line, how long it took, and an error where none came in time.
func (c *client) hear(limit time.Duration) (string, time.Duration, error) {
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(limit))
	line, err := c.in.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), time.Since(began), err
}

const patience = 10 * time.Second

func (c *client) wants(want string) time.Duration {
	c.t.Helper()
	got, took, err := c.hear(patience)
	if got != want || err != nil {
		c.t.Fatalf("heard %q, %v, want %q", got, err, want)
	}
	return took
}

func (c *client) silent() {
	c.t.Helper()
	got, _, err := c.hear(200 * time.Millisecond)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		c.t.Fatalf("heard %q, %v, want silence", got, err)
	}
}

func TestWhatIsDelayedComesLater(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	const delay = 150 * time.Millisecond
	p.Both(proxy.Fault{Delay: delay})
	c.say("a")
	c.say("b")
	if took := c.wants("a"); took < 2*delay {
		t.Errorf("it took %v", took)
	}
	if took := c.wants("b"); took > 2*delay {
		t.Errorf("what was sent together comes %v apart", took)
	}
}

func TestWhatIsSwallowedComesAfterTheHealing(t *testing.T) {
	t.Parallel()
	for name, f := range map[string][2]proxy.Fault{
		"both":      {{Swallow: true}, {Swallow: true}},
		"to server": {{Swallow: true}, {}},
		"to client": {{}, {Swallow: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := echo(t)
			c := dial(t, p)
			c.say("before")
			c.wants("before")
			p.Set(f[0], f[1])
			c.say("a")
			c.silent()
			late := dial(t, p)
			late.say("new")
			late.silent()
			p.Heal()
			c.wants("a")
			late.wants("new")
		})
	}
}

func TestForgottenConnectionsStaySilent(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	c.say("before")
	c.wants("before")
	p.Forget()
	c.say("after")
	c.silent()
	p.Heal()
	c.silent()
	late := dial(t, p)
	late.say("new")
	late.wants("new")
}

func TestSlicesArriveWhole(t *testing.T) {
	t.Parallel()
	p := echo(t)
	p.Both(proxy.Fault{Slice: 3})
	c := dial(t, p)
	long := strings.Repeat("0123456789", 50)
	c.say(long)
	c.wants(long)
}

func TestHalfCloseLeavesTheOtherDirection(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	c.say("a")
	c.wants("a")
	if n := p.HalfClose(); n != 1 {
		t.Errorf("%d connections", n)
	}
	c.wants("bye")
}

func TestResetAndRefuse(t *testing.T) {
	t.Parallel()
	p := echo(t)
	c := dial(t, p)
	c.say("a")
	c.wants("a")
	p.Refuse(true)
	p.Reset()
	if _, _, err := c.hear(patience); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ends with %v", err)
	}
	if err := refusal(t, p); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("who is refused hears %v", err)
	}
	p.Heal()
	again := dial(t, p)
	again.say("b")
	again.wants("b")
}

func TestAServerThatIsAwayResets(t *testing.T) {
	t.Parallel()
	p, err := proxy.New(context.WithoutCancel(t.Context()), "unix", t.TempDir()+"/nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if refusal(t, p) == nil {
		t.Error("somebody answers")
	}
}

// refusal is how a connection ends that the proxy does not want: the reset may come before the dial is done, or after.
func refusal(t *testing.T, p *proxy.Proxy) error {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, err = conn.Read(make([]byte, 1))
	return err
}
