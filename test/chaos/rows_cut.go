package chaos

import (
	"context"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
	"github.com/pealhq/peal/test/chaos/proxy"
	"github.com/pealhq/peal/test/chaos/stack"
)

// cutRows cut one edge off from Redis, or its connections.
func cutRows() []Row {
	const gone = true
	cut := func(toServer, toClient bool, full time.Duration) func(context.Context, *Stage) error {
		return func(ctx context.Context, s *Stage) error {
			return s.cutOff(ctx, s.cfg.lasting(full, 7*time.Second), proxy.Fault{Swallow: toServer}, proxy.Fault{Swallow: toClient})
		}
	}
	return []Row{
		{Name: "R5a", Title: "one edge is cut off from Redis without a word for 10 s", Redis: stack.Single, Short: true, Run: cut(gone, gone, 10*time.Second)},
		{Name: "R5b", Title: "the same for 60 s", Redis: stack.Single, Run: cut(gone, gone, time.Minute)},
		{Name: "R6a", Title: "one edge can publish and hears nothing for 10 s", Redis: stack.Single, Run: cut(!gone, gone, 10*time.Second)},
		{Name: "R6b", Title: "one edge hears and cannot publish for 10 s", Redis: stack.Single, Run: cut(gone, !gone, 10*time.Second)},
	}
}

// cutEdge is the one that is cut off; the others must not notice.
const cutEdge = 0

func (s *Stage) cutOff(ctx context.Context, d time.Duration, toServer, toClient proxy.Fault) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	s.unsteady[cutEdge] = true
	network := s.platform.Edges[cutEdge].Redis
	from, healed, err := s.broken(ctx, d,
		func() error { network.Set(toServer, toClient); return nil },
		func() error { network.Heal(); return nil })
	if err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	run := s.ledgers()
	s.goesUnready(cutEdge, from, healed, notice, back)
	s.flowsAgain(run, healed, back)
	s.refusals(s.press.Tries(), from, healed)
	s.noLosses()
	s.unmoved(run)
	return nil
}

// unmoved asks that the sockets of the edges that were not cut off heard everything.
func (s *Stage) unmoved(run ledger.Run) {
	var others []ledger.Listening
	for _, l := range run.Listenings {
		if l.Edge != cutEdge {
			others = append(others, l)
		}
	}
	run.Listenings = others
	report := ledger.Check(run)
	s.count("lost by sockets on the other edges", report.LostPlain+report.LostTold, 0)
}

// retried asks that every event that was tried again came out in the end.
func (s *Stage) retried(run ledger.Run) {
	var unknown, again int
	for _, p := range run.Publishes {
		if p.Outcome == ledger.Unknown {
			if unknown++; unknown <= 3 {
				s.note("%s, published at %v, had %d tries in %s, the last answered with %d", p.ID, p.Invoked, p.Tries, show(p.Answered-p.Invoked), p.Status)
			}
		}
		if p.Tries > 1 && p.Outcome == ledger.OK {
			again++
		}
	}
	s.tell("published by a later try under the same key", "%d", again)
	s.count("publishes with an unknown outcome after all tries", unknown, 0)
}
