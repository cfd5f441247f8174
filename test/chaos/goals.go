package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/ledger"
)

// tell notes a figure that nothing is asked of.
func (s *Stage) tell(name, format string, args ...any) {
	s.result.Measures = append(s.result.Measures, Measure{Name: name, Value: fmt.Sprintf(format, args...)})
}

// within asks that a time is no longer than the goal, with the slack of the run.
func (s *Stage) within(name string, d, goal time.Duration) {
	allowed := time.Duration(float64(goal) * s.cfg.Slack)
	text := "≤ " + goal.String()
	if s.cfg.Slack != 1 {
		text += fmt.Sprintf(" (×%g)", s.cfg.Slack)
	}
	s.result.Measures = append(s.result.Measures, Measure{name, show(d), text, d > allowed})
}

// never notes that what was waited for did not come.
func (s *Stage) never(name string, goal time.Duration) {
	s.result.Measures = append(s.result.Measures, Measure{name, "never", "≤ " + goal.String(), true})
}

// count asks that something happens just so often.
func (s *Stage) count(name string, n, goal int) {
	s.result.Measures = append(s.result.Measures, Measure{name, fmt.Sprint(n), fmt.Sprint(goal), n != goal})
}

// atMost asks that something happens no more often.
func (s *Stage) atMost(name string, n, goal int) {
	s.result.Measures = append(s.result.Measures, Measure{name, fmt.Sprint(n), fmt.Sprintf("≤ %d", goal), n > goal})
}

func (s *Stage) note(format string, args ...any) {
	s.result.Notes = append(s.result.Notes, fmt.Sprintf(format, args...))
}

// show writes a time in the precision that matters.
func show(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// percentile is the value that p of 100 do not exceed, 0 for none.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[(len(values)-1)*p/100]
}

// flowsAgain asks how long after the healing each socket heard something that was published after it.
func (s *Stage) flowsAgain(run ledger.Run, healed, goal time.Duration) {
	const name = "every socket hears again after"
	invoked := make(map[ledger.ID]time.Duration, len(run.Publishes))
	for _, p := range run.Publishes {
		invoked[p.ID] = p.Invoked
	}
	var worst time.Duration
	for _, l := range run.Listenings {
		if l.Until != 0 || strings.HasPrefix(s.names[l.Channel], roomPrefix) {
			continue
		}
		i := slices.IndexFunc(l.Heard, func(h ledger.Heard) bool { return h.At > healed && invoked[h.ID] > healed })
		if i < 0 {
			s.never(name, goal)
			return
		}
		worst = max(worst, l.Heard[i].At-max(healed, l.From))
	}
	s.within(name, worst, goal)
}

// refusals asks that publishes that fail do so fast, and say when to come again.
func (s *Stage) refusals(tries []crowd.Try, from, to time.Duration) {
	var took []time.Duration
	var slowest crowd.Try
	mute := 0
	for _, t := range tries {
		if t.At < from-time.Second || t.At > to+time.Second || t.Status == 200 || t.Status >= 400 && t.Status < 500 {
			continue
		}
		took = append(took, t.Took)
		if t.Took > slowest.Took {
			slowest = t
		}
		if t.Status == 503 && !t.RetryAfter {
			mute++
		}
	}
	if len(took) == 0 {
		s.tell("publishes that failed", "0")
		return
	}
	s.tell("publishes that failed", "%d", len(took))
	s.within("they failed within, p99", percentile(took, 99), time.Second)
	s.count("503 without Retry-After", mute, 0)
	s.note("the slowest publish that failed was sent %s after the fault began, which lasted %s, and took %s: %s",
		show(slowest.At-from), show(to-from), show(slowest.Took), slowest.Err)
}

// noLosses asks that no socket was lost.
func (s *Stage) noLosses() {
	losses := s.crowd.Losses()
	s.count("sockets lost", len(losses), 0)
	if len(losses) > 0 {
		s.note("the first socket was lost at %v: %s", losses[0].At, losses[0].Reason)
	}
}

// goesUnready asks how soon an edge says that it is not ready after something broke, and ready after it was mended.
func (s *Stage) goesUnready(edge int, broke, healed, detect, again time.Duration) {
	down := fmt.Sprintf("edge %d: /readyz 503 after", edge)
	at, ok := s.watch.notReady(edge, broke)
	if !ok {
		s.never(down, detect)
		return
	}
	s.within(down, at-broke, detect)
	up := fmt.Sprintf("edge %d: ready again after", edge)
	if at, ok = s.watch.ready(edge, max(at, healed)); !ok {
		s.never(up, again)
		return
	}
	s.within(up, at-healed, again)
}
