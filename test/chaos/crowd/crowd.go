package crowd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
)

// Seat is one client, and where it listens.
type Seat struct {
	App int
	// Edge is which edge it connects to, by the number that the crowd's Addr knows.
	Edge int
	// Channel is a number among the channels of the run, and Name the channel's name.
	Channel uint16
	Name    string
	// User makes it a member of a presence channel.
	User string
	// Comeback has it connect again when its socket is lost.
	Comeback bool
}

// Config is what a crowd needs.
type Config struct {
	Clock Clock
	Apps  []App
	// Addr says where an edge is, each time that a client connects.
	Addr func(edge int) netip.AddrPort
	// Channels are the names of the run's channels, by number.
	Channels []string
	// AtOnce bounds how many sockets are being opened at any time (64).
	AtOnce int
}

// Crowd is many clients. Its methods may be called from any goroutine.
type Crowd struct {
	cfg     Config
	loop    loop.Loop
	numbers map[string]uint16
	running sync.WaitGroup
	end     context.CancelFunc

	// What follows belongs to the goroutine of the loop; others come in by do.
	clients []*client
	waiting []*client // for their turn to connect
	opening int
	scratch []byte
	stepped time.Duration // when the loop was last seen alive
	stall   time.Duration // the longest that it was not

	mu    sync.Mutex
	tasks []func() // guarded by mu; what the loop is to do
	ended bool     // guarded by mu
	err   error    // guarded by mu; of the loop
}

// New starts a crowd without clients. The caller closes it.
func New(ctx context.Context, cfg Config) (*Crowd, error) {
	if cfg.AtOnce == 0 {
		cfg.AtOnce = 64
	}
	l, err := loop.New(loop.Config{})
	if err != nil {
		return nil, err
	}
	c := &Crowd{cfg: cfg, loop: l, numbers: map[string]uint16{}}
	for i, name := range cfg.Channels {
		c.numbers[name] = uint16(i)
	}
	ctx, c.end = context.WithCancel(ctx)
	c.running.Go(func() {
		err := l.Run(ctx, c.step)
		c.mu.Lock()
		c.ended = true
		if ctx.Err() == nil {
			c.err = err
		}
		late := c.tasks
		c.tasks = nil
		c.mu.Unlock()
		for _, task := range late { // They only look, or work on connections that are closed below.
			task()
		}
	})
	return c, nil
}

// Close hangs up everywhere and returns what broke the loop, if anything did.
func (c *Crowd) Close() error {
	c.do(func() {
		for _, one := range c.clients {
			one.retired = true
		}
	})
	c.end()
	c.running.Wait()
	return errors.Join(c.err, c.loop.Close())
}

// do has the loop do something and waits for it.
func (c *Crowd) do(task func()) {
	done := make(chan struct{})
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		task()
		return
	}
	c.tasks = append(c.tasks, func() { task(); close(done) })
	c.mu.Unlock()
	<-done
}

// patient is how often the loop looks whether somebody wants something of it.
const patient = 10 * time.Millisecond

func (c *Crowd) step(now time.Duration) (time.Duration, bool) {
	if c.stepped > 0 {
		c.stall = max(c.stall, now-c.stepped)
	}
	c.stepped = now
	c.mu.Lock()
	tasks := c.tasks
	c.tasks = nil
	c.mu.Unlock()
	for _, task := range tasks {
		task()
	}
	c.admit()
	return now + patient, false
}

// admit connects whose turn it is.
func (c *Crowd) admit() {
	now := c.cfg.Clock.Now()
	kept := c.waiting[:0]
	for _, one := range c.waiting {
		switch {
		case one.retired:
		case c.opening >= c.cfg.AtOnce || one.due > now:
			kept = append(kept, one)
		default:
			c.connect(one)
			if one.state == absent { // the dial failed at once
				kept = append(kept, one)
			}
		}
	}
	c.waiting = kept
}

func (c *Crowd) connect(one *client) {
	one.begin()
	c.opening++
	if err := c.loop.Dial(c.cfg.Addr(one.seat.Edge), netip.Addr{}, one); err != nil {
		one.state, one.due = absent, c.cfg.Clock.Now()+time.Second
		c.opening--
	}
}

// Sit adds clients, which connect and subscribe, and returns their numbers.
func (c *Crowd) Sit(seats ...Seat) []int {
	var numbers []int
	c.do(func() {
		for _, s := range seats {
			one := &client{crowd: c, seat: s, number: len(c.clients), signer: c.signer(s.App)}
			one.lastLoss = -1
			c.clients = append(c.clients, one)
			c.waiting = append(c.waiting, one)
			numbers = append(numbers, one.number)
		}
	})
	return numbers
}

// AddApp makes another app known, and returns its number.
func (c *Crowd) AddApp(a App) (number int) {
	c.do(func() {
		number = len(c.cfg.Apps)
		c.cfg.Apps = append(slices.Clone(c.cfg.Apps), a)
	})
	return number
}

func (c *Crowd) signer(app int) *wire.Signer {
	a := c.cfg.Apps[app]
	return wire.NewSigner(wire.Credentials{AppID: a.ID, Key: a.Key, Secret: a.Secret}, "")
}

// errLeft is the end of a socket whose client wanted it so.
var errLeft = errors.New("it left")

// Leave hangs up clients for good, with a reset, and forgets no line of what they have heard.
func (c *Crowd) Leave(numbers ...int) {
	c.do(func() {
		for _, n := range numbers {
			one := c.clients[n]
			one.retired = true
			if one.conn != nil {
				one.conn.Close()
				one.lost(errLeft)
			}
		}
	})
}

// Seated waits until every client that has not left listens.
func (c *Crowd) Seated(ctx context.Context) error {
	for {
		missing, why := 0, ""
		c.do(func() {
			for _, one := range c.clients {
				if !one.retired && one.state != listening {
					missing++
					if one.why != "" {
						why = one.why
					}
				}
			}
		})
		if missing == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d clients do not listen (one of them: %s): %w", missing, why, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
