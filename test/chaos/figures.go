package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/stack"
)

// Figure is something that was measured while nothing was broken.
type Figure struct{ Name, Value string }

// Figures measures what it costs that there is more than one edge.
func Figures(ctx context.Context, cfg Config) (_ []Figure, err error) {
	cfg.say("figures")
	r := Result{}
	s := &Stage{cfg: cfg, row: Row{Name: "figures", Redis: stack.Single}, clock: crowd.NewClock(), result: &r}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, s.close(ending))
	}()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	var all []Figure
	for _, part := range []func(context.Context, *Stage) ([]Figure, error){latencyFigures, busFigures, commandFigures, joinFigures} {
		some, err := part(ctx, s)
		if err != nil {
			return all, err
		}
		for _, f := range some {
			cfg.say("  %s: %s", f.Name, f.Value)
		}
		all = append(all, some...)
	}
	return all, nil
}

// latencyRounds is how often each is measured, in turn, so that what else the machine does falls on both.
const latencyRounds = 3

// latencyFigures compare a publish on the edge of the sockets with one on another.
func latencyFigures(ctx context.Context, s *Stage) ([]Figure, error) {
	first, second := s.platform.Edges[0].Addr().String(), s.platform.Edges[1].Addr().String()
	kinds := []struct{ name, scenario, target string }{
		{"publish to delivery, sockets on the edge that takes the publish", "fanout", first},
		{"publish to delivery, sockets on another edge", "cluster", first + ",subscribe=" + second},
	}
	rounds := make([][]string, len(kinds))
	for range latencyRounds {
		for i, k := range kinds {
			b, err := s.bench(ctx, k.scenario, "--target", k.target,
				"--rate", "200", "--subscribers", "20", "--duration", "5s", "--publishers", "8")
			if err != nil {
				return nil, err
			}
			rounds[i] = append(rounds[i], fmt.Sprintf("%.2f and %.2f", b.Latency.P50/1000, b.Latency.P99/1000))
		}
	}
	var figures []Figure
	for i, k := range kinds {
		figures = append(figures, Figure{k.name, "p50 and p99 in ms, of each round: " + strings.Join(rounds[i], "; ") + " (200 publishes/s to 20 sockets)"})
	}
	return figures, nil
}

// busFigures are what a message through Redis costs an edge: published here, heard there.
func busFigures(ctx context.Context, s *Stage) ([]Figure, error) {
	first, second := s.platform.Edges[0], s.platform.Edges[1]
	target := first.Addr().String() + ",subscribe=" + second.Addr().String()
	var figures []Figure
	for _, c := range []struct {
		name string
		pid  int
	}{
		{"messages published through Redis by a CPU second of the edge that takes the HTTP call", first.PID()},
		{"messages from Redis to one socket by a CPU second of the edge that has it", second.PID()},
	} {
		b, err := s.bench(ctx, "cluster", "--target", fmt.Sprintf("%s,pid=%d", target, c.pid),
			"--channels", "16", "--subscribers", "1", "--window", "64", "--publishers", "32", "--duration", "8s")
		if err != nil {
			return nil, err
		}
		if b.Server.PerMillion == 0 {
			return nil, fmt.Errorf("bench tells nothing of the CPU time of process %d", c.pid)
		}
		figures = append(figures, Figure{c.name, fmt.Sprintf("%.0f (%.0f messages/s passed, %d of %d lost)",
			1e6/b.Server.PerMillion, b.Rates.Deliveries, b.Counts.Lost, b.Counts.Expected)})
	}
	return figures, nil
}

// joinMembers is how many join one presence channel.
const joinMembers = 1000

// joinFigures have many members join one channel from two edges at once.
func joinFigures(ctx context.Context, s *Stage) ([]Figure, error) {
	var seats []crowd.Seat
	for i := range joinMembers {
		seats = append(seats, crowd.Seat{
			Edge: i % s.cfg.Edges, Channel: elsewhere, Name: roomPrefix + "crowded", User: fmt.Sprintf("member-%d", i),
		})
	}
	began := s.clock.Now()
	s.crowd.Sit(seats...)
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := s.crowd.Seated(limited); err != nil {
		return nil, err
	}
	seated := s.clock.Now()
	for {
		knowing, last := 0, time.Duration(0)
		for _, m := range s.crowd.Members() {
			if m.Seat.Channel == elsewhere && m.Most == joinMembers {
				knowing++
				last = max(last, m.MostAt)
			}
		}
		if knowing == joinMembers {
			return []Figure{{
				fmt.Sprintf("%d members join one presence channel from two edges", joinMembers),
				fmt.Sprintf("the last is in after %s, and each knows all others after %s", show(seated-began), show(last-began)),
			}}, nil
		}
		if err := s.pass(limited, 50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("%d of %d members know of all: %w", knowing, joinMembers, err)
		}
	}
}

// commandFigures count what Redis is asked.
func commandFigures(ctx context.Context, s *Stage) ([]Figure, error) {
	r := s.platform.Redis[0]
	idle, err := counted(ctx, r, func() error { return s.pass(ctx, 10*time.Second) })
	if err != nil {
		return nil, err
	}
	perSecond := idle.scaled(1.0 / 10)
	figures := []Figure{{fmt.Sprintf("Redis commands a second for %d idle edges", s.cfg.Edges), perSecond.String()}}
	for _, c := range []struct {
		name, channel string
		keys          bool
	}{
		{"Redis commands for a publish to a plain channel", s.names[1], false},
		{"the same under an idempotency key", s.names[1], true},
		{"Redis commands for a publish to a channel with a log", s.names[0], false},
	} {
		f, err := s.publishCommands(ctx, r, perSecond, c.channel, c.keys)
		if err != nil {
			return nil, err
		}
		figures = append(figures, Figure{c.name, f.String()})
	}
	for _, c := range []struct {
		name, prefix, user string
	}{
		{"Redis commands to connect and be the first of an edge on a channel", "first-", ""},
		{"Redis commands to connect and be one more on a channel", "first-", ""},
		{"Redis commands to connect and join a presence channel as its first member", roomPrefix + "first-", "user"},
	} {
		f, err := s.seatCommands(ctx, r, perSecond, c.prefix, c.user)
		if err != nil {
			return nil, err
		}
		figures = append(figures, Figure{c.name, f.String()})
	}
	return figures, nil
}

// publishCommands is what one publish costs, when an edge listens.
func (s *Stage) publishCommands(ctx context.Context, r *stack.Redis, idle commands, channel string, keys bool) (commands, error) {
	listener := s.crowd.Sit(crowd.Seat{Edge: 1, Channel: elsewhere, Name: channel})
	defer s.crowd.Leave(listener...)
	if err := s.crowd.Seated(ctx); err != nil {
		return nil, err
	}
	began := s.clock.Now()
	n := 0
	c, err := counted(ctx, r, func() error {
		press := crowd.Start(ctx, crowd.PressConfig{
			Clock: s.clock, Apps: s.apps[:1], Channels: map[uint16]string{0: channel}, Publishers: 4, Rate: 200, Keys: keys,
			Addr: func(int) string { return s.platform.Edges[0].Addr().String() },
		})
		err := s.pass(ctx, 5*time.Second)
		press.Stop()
		n = len(press.Publishes())
		return err
	})
	if err != nil || n == 0 {
		return nil, fmt.Errorf("%d publishes: %w", n, err)
	}
	return c.without(idle.scaled((s.clock.Now() - began).Seconds())).scaled(1 / float64(n)), nil
}

// seatCommands is what one socket costs.
func (s *Stage) seatCommands(ctx context.Context, r *stack.Redis, idle commands, prefix, user string) (commands, error) {
	const n = 200
	var seats []crowd.Seat
	for i := range n {
		seat := crowd.Seat{Edge: i % s.cfg.Edges, Channel: elsewhere, Name: fmt.Sprintf("%s%d", prefix, i)}
		if user != "" {
			seat.User = fmt.Sprintf("%s-%d", user, i)
		}
		seats = append(seats, seat)
	}
	began := s.clock.Now()
	c, err := counted(ctx, r, func() error {
		s.crowd.Sit(seats...)
		return s.crowd.Seated(ctx)
	})
	if err != nil {
		return nil, err
	}
	return c.without(idle.scaled((s.clock.Now() - began).Seconds())).scaled(1.0 / n), nil
}

// counted returns what Redis is asked while something is done.
func counted(ctx context.Context, r *stack.Redis, do func() error) (commands, error) {
	before, err := r.Commands(ctx)
	if err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	after, err := r.Commands(ctx)
	if err != nil {
		return nil, err
	}
	c := commands{}
	for name, n := range after {
		// The question itself is not what the platform asks.
		if d := n - before[name]; d > 0 && !strings.HasPrefix(name, "info") {
			c[name] = d
		}
	}
	return c, nil
}
