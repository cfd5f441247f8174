package chaos

import (
	"context"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
	"github.com/pealhq/peal/test/chaos/stack"
)

// steadyRows break nothing. What they find is what the others are held against.
func steadyRows() []Row {
	return []Row{
		{Name: "S1", Title: "nothing is broken, one Redis", Redis: stack.Single, Run: steady},
		{Name: "S2", Title: "nothing is broken, a Cluster of three masters", Redis: stack.Cluster, Run: steady},
	}
}

func steady(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.pass(ctx, s.cfg.lasting(10*time.Second, time.Second)); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.lossless()
	s.noLosses()
	s.latency(s.ledgers())
	return nil
}

// lossless asks that nothing at all is lost, on plain channels too, and that every publish is answered with 200 but for
// those that are wrong.
func (s *Stage) lossless() {
	report := ledger.Check(s.ledgers())
	s.count("lost", report.LostPlain+report.LostTold, 0)
	s.count("publishes with an unknown outcome", report.Outcomes[ledger.Unknown], 0)
}

// latency tells how long events took from the call to a socket, on the edge that took them and on another.
func (s *Stage) latency(run ledger.Run) {
	invoked := make(map[ledger.ID]ledger.Publish, len(run.Publishes))
	for _, p := range run.Publishes {
		invoked[p.ID] = p
	}
	var same, across []time.Duration
	for _, l := range run.Listenings {
		for _, h := range l.Heard {
			took := h.At - invoked[h.ID].Invoked
			if int(h.Publisher)%s.cfg.Publishers%s.cfg.Edges == l.Edge {
				same = append(same, took)
			} else {
				across = append(across, took)
			}
		}
	}
	s.tell("publish to delivery on one edge, p50 and p99", "%s, %s", show(percentile(same, 50)), show(percentile(same, 99)))
	s.tell("the same across edges", "%s, %s", show(percentile(across, 50)), show(percentile(across, 99)))
}
