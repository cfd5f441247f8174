package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/ledger"
	"github.com/pealhq/peal/test/chaos/stack"
)

// Stage is where a row happens: a platform, its clients, and what is written down of it.
type Stage struct {
	cfg      Config
	row      Row
	clock    crowd.Clock
	platform *stack.Platform
	crowd    *crowd.Crowd
	press    *crowd.Press
	watch    *watch
	apps     []crowd.App
	names    []string // of the channels, rooms last
	// binaries gives the first edges programs of their own.
	binaries []string
	// balancer stands before the edges where the row wants one.
	balancer stack.Balancer
	// departed are users who left for good.
	departed map[string]bool
	// unsteady are edges whose members others may take for gone while something is broken.
	unsteady map[int]bool
	result   *Result
}

const (
	rooms       = 4
	roomPrefix  = "presence-"
	roomMembers = 3 // of each edge, in each room
)

// seed is the manifest of the apps.
func seed(apps []crowd.App) string {
	var b strings.Builder
	b.WriteString("tenants:\n  - name: Chaos\n    apps:\n")
	for _, a := range apps {
		fmt.Fprintf(&b, "      - id: %q\n        name: app %s\n        keys: [{key: %s, secret: %s}]\n", a.ID, a.ID, a.Key, a.Secret)
		b.WriteString("        limits: {presence_members: 2000}\n")
		b.WriteString(channelRules)
	}
	return b.String()
}

// channelRules give the channels with the prefix a log that holds more than is published while anything is broken.
const channelRules = "        channel_rules: [{pattern: " + logPrefix + "*, log: {size: 10000, ttl_seconds: 600}}]\n"

// open starts the platform and seats the clients; publishing begins when all of them listen.
func (s *Stage) open(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	s.crowd.Sit(s.seats()...)
	s.crowd.Sit(s.roomSeats()...)
	return s.begin(ctx)
}

// start starts the platform, and a crowd with nobody in it.
func (s *Stage) start(ctx context.Context) (err error) {
	s.apps = []crowd.App{{ID: "1", Key: "chaos-1", Secret: "secret-1"}, {ID: "2", Key: "chaos-2", Secret: "secret-2"}}
	s.names = s.cfg.channelNames()
	for i := range rooms {
		s.names = append(s.names, fmt.Sprintf("%s%d", roomPrefix, i))
	}
	s.platform, err = stack.Start(ctx, stack.Config{
		Binary: s.cfg.Binary, Binaries: s.binaries, Edges: s.cfg.Edges, Redis: s.row.Redis, Seed: seed(s.apps), Env: s.row.Env,
	})
	if err != nil {
		return err
	}
	s.crowd, err = crowd.New(context.WithoutCancel(ctx), crowd.Config{
		Clock: s.clock, Apps: s.apps, Channels: s.names, Addr: s.clientAddr,
	})
	if err != nil {
		return err
	}
	s.watch = startWatch(ctx, s.clock, s.platform.Edges)
	return nil
}

func (s *Stage) clientAddr(edge int) netip.AddrPort {
	if s.balancer != nil {
		return s.balancer.Addr()
	}
	return s.platform.Edges[edge].Addr()
}

// begin waits until all listen, and publishes.
func (s *Stage) begin(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.crowd.Seated(limited); err != nil {
		return err
	}
	channels := map[uint16]string{}
	for i, name := range s.names {
		if !strings.HasPrefix(name, roomPrefix) {
			channels[uint16(i)] = name
		}
	}
	s.press = crowd.Start(ctx, crowd.PressConfig{
		Clock: s.clock, Apps: s.apps, Channels: channels, Publishers: s.cfg.Publishers, Rate: s.cfg.Rate, Keys: s.row.Keys, BadEvery: 50,
		Addr: func(publisher int) string { return s.clientAddr(publisher % s.cfg.Edges).String() },
	})
	return s.pass(ctx, s.cfg.Warmup)
}

// seats spreads the sockets over edges, channels and apps.
func (s *Stage) seats() (seats []crowd.Seat) {
	for i := range s.cfg.Sockets {
		edge, turn := i%s.cfg.Edges, i/s.cfg.Edges
		app := 0
		if turn/s.cfg.Channels%5 == 4 || s.cfg.Sockets < 10*s.cfg.Channels && turn/s.cfg.Channels%2 == 1 {
			app = 1
		}
		channel := turn % s.cfg.Channels
		seats = append(seats, crowd.Seat{
			App: app, Edge: edge, Channel: uint16(channel), Name: s.names[channel], Comeback: s.row.Comeback,
		})
	}
	return seats
}

// roomSeats are a few members of presence channels on each edge.
func (s *Stage) roomSeats() (seats []crowd.Seat) {
	for room := range rooms {
		for edge := range s.cfg.Edges {
			for i := range roomMembers {
				seats = append(seats, s.member(room, edge, fmt.Sprintf("user-%d-%d-%d", room, edge, i)))
			}
		}
	}
	return seats
}

func (s *Stage) member(room, edge int, user string) crowd.Seat {
	channel := s.cfg.Channels + room
	return crowd.Seat{Edge: edge, Channel: uint16(channel), Name: s.names[channel], User: user, Comeback: s.row.Comeback}
}

// pass lets time go by.
func (s *Stage) pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// broken does something, lets it be so for a time, and undoes it. It returns when it was done and undone.
func (s *Stage) broken(ctx context.Context, d time.Duration, do, undo func() error) (from, to time.Duration, err error) {
	from = s.clock.Now()
	if err := do(); err != nil {
		return from, from, err
	}
	err = s.pass(ctx, d)
	err = errors.Join(err, undo())
	return from, s.clock.Now(), err
}

// settle lets events flow for a time after everything was mended, and then stops publishing and waits for what is under way.
func (s *Stage) settle(ctx context.Context) error {
	if err := s.pass(ctx, s.cfg.Settle); err != nil {
		return err
	}
	return s.quiet(ctx)
}

// quiet stops publishing and waits until nothing comes any more.
func (s *Stage) quiet(ctx context.Context) error {
	s.press.Stop()
	const still = 500 * time.Millisecond
	last := -1
	for n := s.crowd.Heard(); n != last; n = s.crowd.Heard() {
		last = n
		if err := s.pass(ctx, still); err != nil {
			return err
		}
	}
	return nil
}

// ledgers is what was seen.
func (s *Stage) ledgers() ledger.Run {
	return ledger.Run{
		Publishes: s.press.Publishes(), Listenings: s.crowd.Listenings(), Ended: s.clock.Now(),
		Logged: func(_, channel uint16) bool { return isLogged(s.names[channel]) },
	}
}

// close ends all that the stage has started.
func (s *Stage) close(ctx context.Context) error {
	var err error
	if s.watch != nil {
		s.watch.stop()
	}
	if s.press != nil {
		s.press.Stop()
	}
	if s.crowd != nil {
		err = s.crowd.Close()
	}
	if s.balancer != nil {
		s.balancer.Close()
	}
	if s.platform != nil {
		err = errors.Join(err, s.platform.Close(ctx))
	}
	return err
}
