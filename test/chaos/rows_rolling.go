package chaos

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/stack"
)

// rollingRows replace edges while they are in use.
func rollingRows() []Row {
	return []Row{
		{
			Name: "R16a", Title: "every edge is restarted in turn under load, behind a balancer of connections", Redis: stack.Single, Keys: true,
			Comeback: true, Env: []string{"PEAL_DRAIN_PAUSE=2s"}, Run: func(ctx context.Context, s *Stage) error {
				return s.rolling(ctx, s.connectionBalancer)
			},
		},
		{
			Name: "R16b", Title: "the same behind HAProxy with the configuration that we ship", Redis: stack.Single, Keys: true,
			Comeback: true, Env: []string{"PEAL_TRUSTED_PROXIES=127.0.0.1"}, Run: func(ctx context.Context, s *Stage) error {
				s.cfg.Edges = 2 // The configuration is for two.
				return s.rolling(ctx, func(ctx context.Context) (stack.Balancer, error) {
					return stack.NewHAProxy(ctx, filepath.Join(s.cfg.Source, "deploy", "haproxy.cfg"), s.platform.Dir(), s.platform.Edges...)
				})
			},
		},
	}
}

// exitGrace is what an edge may take to end, as orchestrators give it.
const exitGrace = 60 * time.Second

func (s *Stage) connectionBalancer(ctx context.Context) (stack.Balancer, error) {
	var backends []stack.Backend
	for _, e := range s.platform.Edges {
		backends = append(backends, e)
	}
	return stack.NewBalancer(ctx, backends...)
}

func (s *Stage) rolling(ctx context.Context, balance func(context.Context) (stack.Balancer, error)) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	var err error
	if s.balancer, err = balance(ctx); err != nil {
		return err
	}
	s.crowd.Sit(s.seats()...)
	s.crowd.Sit(s.roomSeats()...)
	if err := s.begin(ctx); err != nil {
		return err
	}
	rounds := 2
	if s.cfg.Brief {
		rounds = 1
	}
	for round := range rounds {
		for edge := range s.platform.Edges {
			if err := s.restart(ctx, round, edge); err != nil {
				return err
			}
			if err := s.pass(ctx, 3*time.Second); err != nil {
				return err
			}
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.rollingGoals()
	return nil
}

// restart ends an edge in order and starts it again.
func (s *Stage) restart(ctx context.Context, round, edge int) error {
	for e := range s.platform.Edges {
		s.unsteady[e] = true // Clients change edges, and with them their members.
	}
	e := s.platform.Edges[edge]
	began := s.clock.Now()
	limited, cancel := context.WithTimeout(ctx, exitGrace)
	defer cancel()
	if err := e.End(limited); err != nil {
		return fmt.Errorf("edge %d did not exit with 0 in time: %w", edge, err)
	}
	s.within(fmt.Sprintf("round %d: edge %d exits with 0 after", round+1, edge), s.clock.Now()-began, exitGrace)
	return e.Start(ctx)
}

func (s *Stage) rollingGoals() {
	run := s.ledgers()
	s.retried(run)
	losses := s.crowd.Losses()
	var took []time.Duration
	lost := 0
	for _, l := range losses {
		if l.Back == 0 {
			lost++
			continue
		}
		took = append(took, l.Back-l.At)
	}
	s.tell("sockets moved", "%d", len(losses))
	s.count("clients that did not come back", lost, 0)
	s.within("back after, p99", percentile(took, 99), 5*time.Second)
	// What the server did while the clients did not look, they see in one moment.
	clients, stall := s.cfg.Sockets+rooms*roomMembers*s.cfg.Edges, s.crowd.Stall()
	allowed := math.Ceil(float64(clients) / 10 * float64(busyOver+stall) / float64(busyOver))
	s.atMost(fmt.Sprintf("clients moved by the second, over any two seconds (the clients stood still for at most %s)", show(stall)),
		busiest(losses), int(allowed))
	s.count("closed in another way than with 4200", notAsked(losses), 0)
}

// busyOver is the time over which a second's losses are counted: in one second alone a machine that is late for a moment,
// and then catches up, counts as much as a drain that is too fast.
const busyOver = 2 * time.Second

// busiest is the most losses by the second.
func busiest(losses []crowd.Loss) (most int) {
	from := 0
	for i, l := range losses {
		for losses[from].At < l.At-busyOver {
			from++
		}
		most = max(most, (i-from)/int(busyOver/time.Second))
	}
	return most
}

func notAsked(losses []crowd.Loss) (n int) {
	for _, l := range losses {
		if l.Code != 4200 {
			n++
		}
	}
	return n
}
