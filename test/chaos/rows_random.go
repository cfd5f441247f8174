package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/proxy"
	"github.com/pealhq/peal/test/chaos/stack"
)

// randomRows break things by lot. The seed is told, and --seed draws the same again.
func randomRows() []Row {
	return []Row{
		{Name: "R20a", Title: "200 connections to Redis are killed at random", Redis: stack.Single, Keys: true, Run: connectionsKilled},
		{Name: "R20b", Title: "faults of all kinds at random, one over the other", Redis: stack.Single, Keys: true, Run: faultsOverlap},
	}
}

// lots draws from the seed of the run, or from one of its own.
func (s *Stage) lots() *rand.Rand {
	seed := s.cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	s.note("drawn with --seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

func connectionsKilled(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	kills := 200
	if s.cfg.Brief {
		kills = 40
	}
	lots := s.lots()
	killed := 0
	for range kills {
		ok, err := s.platform.Redis[0].KillClients(ctx, lots.IntN(1<<30))
		if err != nil {
			return err
		}
		if ok {
			killed++
		}
		if err := s.pass(ctx, time.Duration(lots.IntN(200))*time.Millisecond); err != nil {
			return err
		}
	}
	healed := s.clock.Now()
	if err := s.settle(ctx); err != nil {
		return err
	}
	run := s.ledgers()
	s.count("connections killed", killed, kills)
	s.flowsAgain(run, healed, back)
	s.noLosses()
	s.retried(run)
	return nil
}

// faultsOverlap draws what happens to the network of each edge and to Redis, every so often, without waiting for what went
// before to be mended.
func faultsOverlap(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for edge := range s.platform.Edges {
		s.unsteady[edge] = true // A lease may run out when one cut follows another.
	}
	lots := s.lots()
	r := s.platform.Redis[0]
	var drawn []string
	for began := s.clock.Now(); s.clock.Now()-began < s.cfg.lasting(30*time.Second, 8*time.Second); {
		what, err := s.draw(ctx, lots, r)
		drawn = append(drawn, what)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := s.pass(ctx, time.Duration(100+lots.IntN(700))*time.Millisecond); err != nil {
			return err
		}
	}
	for _, e := range s.platform.Edges {
		e.Redis.Heal()
	}
	if err := r.Continue(); err != nil {
		return err
	}
	healed := s.clock.Now()
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.note("drawn: %s", strings.Join(drawn, ", "))
	run := s.ledgers()
	s.flowsAgain(run, healed, back)
	s.noLosses()
	s.retried(run)
	return nil
}

// draw does one thing to one edge's connections, or to Redis.
func (s *Stage) draw(ctx context.Context, lots *rand.Rand, r *stack.Redis) (string, error) {
	edge := lots.IntN(len(s.platform.Edges))
	network := s.platform.Edges[edge].Redis
	on := func(what string) string { return fmt.Sprintf("%s edge %d", what, edge) }
	switch lots.IntN(9) {
	case 0:
		network.Reset()
		return on("reset"), nil
	case 1:
		network.HalfClose()
		return on("half close"), nil
	case 2:
		network.Both(proxy.Fault{Delay: time.Duration(lots.IntN(400)) * time.Millisecond})
		return on("delay"), nil
	case 3:
		network.Both(proxy.Fault{Slice: 1 + lots.IntN(20)})
		return on("slice"), nil
	case 4:
		network.Set(proxy.Fault{}, proxy.Fault{Swallow: true})
		return on("deafen"), nil
	case 5:
		network.Set(proxy.Fault{Swallow: true}, proxy.Fault{})
		return on("mute"), nil
	case 6:
		_, err := r.KillClients(ctx, lots.IntN(1<<30))
		return "kill a connection", err
	case 7:
		if err := r.Stop(); err != nil {
			return "stop Redis", err
		}
		err := s.pass(ctx, time.Duration(lots.IntN(1500))*time.Millisecond)
		if more := r.Continue(); err == nil {
			err = more
		}
		return "stop Redis for a while", err
	default:
		network.Heal()
		return on("heal"), nil
	}
}
