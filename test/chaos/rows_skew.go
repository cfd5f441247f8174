package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pealhq/peal/test/chaos/stack"
)

// skewRows run two versions side by side.
func skewRows() []Row {
	return []Row{{
		Name: "R24", Title: "the previous version beside the current one, upgraded edge by edge and back again", Redis: stack.Single, Keys: true,
		Comeback: true, Env: []string{"PEAL_DRAIN_PAUSE=0s"}, Run: skew,
	}}
}

// previousBack is how many commits are looked at for one that knows Redis.
const previousBack = 200

func skew(ctx context.Context, s *Stage) error {
	commit, why, err := stack.Previous(ctx, s.cfg.Source, s.cfg.Previous, previousBack)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "peal-skew-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // A temporary folder is no reason to fail.
	previous := filepath.Join(dir, "peal")
	if err := stack.BuildCommit(ctx, s.cfg.Source, commit, previous); err != nil {
		return err
	}
	s.note("previous: %s (%s); current: %s", stack.Describe(ctx, s.cfg.Source, commit), why, stack.Describe(ctx, s.cfg.Source, "HEAD"))
	for range s.cfg.Edges {
		s.binaries = append(s.binaries, previous)
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	// The first edge is ahead, then all are, then the first is behind: each direction with both as publisher and listener.
	for _, step := range []struct {
		edge   int
		binary string
	}{{0, s.cfg.Binary}, {1, s.cfg.Binary}, {0, previous}} {
		if err := s.replace(ctx, step.edge, step.binary); err != nil {
			return err
		}
		if err := s.pass(ctx, s.cfg.lasting(8*time.Second, 3*time.Second)); err != nil {
			return err
		}
		if _, err := s.platform.Redis[0].KillClients(ctx, step.edge); err != nil {
			return err
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	run := s.ledgers()
	s.retried(run)
	s.tell("sockets moved", "%d", len(s.crowd.Losses()))
	for _, e := range s.platform.Edges {
		n, err := metric(ctx, e, "peal_bus_envelope_errors_total")
		if err != nil {
			n = 0 // A counter with labels is not there before it counts.
		}
		s.tell(fmt.Sprintf("edge %d: messages or parts of them that it did not understand", e.Index), "%g", n)
	}
	return nil
}

// replace ends an edge in order and starts another program in its place.
func (s *Stage) replace(ctx context.Context, edge int, binary string) error {
	for e := range s.platform.Edges {
		s.unsteady[e] = true
	}
	e := s.platform.Edges[edge]
	limited, cancel := context.WithTimeout(ctx, exitGrace)
	defer cancel()
	if err := e.End(limited); err != nil {
		return err
	}
	e.Use(binary)
	return e.Start(ctx)
}
