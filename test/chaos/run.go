package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/ledger"
)

// rowLimit ends a row that hangs.
const rowLimit = 6 * time.Minute

// Run runs rows, each as often as asked for, and returns what came of them. An error is of the suite itself; a row that
// fails is a result.
func Run(ctx context.Context, cfg Config) ([]Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	rows, err := choose(cfg.Rows)
	if err != nil {
		return nil, err
	}
	var results []Result
	for round := range cfg.Rounds {
		for _, row := range rows {
			if ctx.Err() != nil {
				return results, ctx.Err()
			}
			r := RunRow(ctx, cfg, row)
			r.Round = round + 1
			verdict := "passed"
			if !r.Passed() {
				verdict = "FAILED"
			}
			cfg.say("%s %s in %v, round %d of %d: %s", row.Name, verdict, r.Took.Round(time.Second), r.Round, cfg.Rounds, row.Title)
			for _, line := range Complaints(r) {
				cfg.say("  %s", line)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// RunRow runs a row once, on a platform of its own.
func RunRow(ctx context.Context, cfg Config, row Row) Result {
	cfg.say("%s: %s", row.Name, row.Title)
	began := time.Now()
	r := Result{Row: row}
	s := &Stage{cfg: cfg, row: row, clock: crowd.NewClock(), departed: map[string]bool{}, unsteady: map[int]bool{}, result: &r}
	limited, cancel := context.WithTimeout(ctx, rowLimit)
	defer cancel()
	r.Err = row.Run(limited, s)
	if r.Err == nil {
		r.Err = s.check(limited)
	}
	if !r.Passed() && s.platform != nil {
		r.Logs = s.logs()
	}
	ending, cancelEnding := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancelEnding()
	if err := s.close(ending); err != nil {
		r.Err = errors.Join(r.Err, fmt.Errorf("end what was started: %w", err))
	}
	r.Took = time.Since(began)
	return r
}

// check holds what was seen against the invariants.
func (s *Stage) check(ctx context.Context) error {
	if s.press == nil {
		return nil // a row that only measures
	}
	run := s.ledgers()
	s.result.Report = ledger.Check(run)
	for _, v := range s.result.Report.Violations {
		s.result.Violations = append(s.result.Violations, v.String())
	}
	s.sane()
	return s.converge(ctx)
}

// sane notes what an edge says when it is broken itself, and not only what it stands on.
func (s *Stage) sane() {
	for _, e := range s.platform.Edges {
		for _, line := range e.Alerts() {
			for _, word := range []string{"DATA RACE", "panic", "fatal error"} {
				if strings.Contains(line, word) {
					s.result.Violations = append(s.result.Violations, fmt.Sprintf("edge %d says: %.300s", e.Index, line))
				}
			}
		}
	}
}

// convergeWithin is how long the rooms have to come to rest once everything is mended and events have settled.
const convergeWithin = 5 * time.Second

// converge waits until the rooms are right, and notes what is wrong with them when they are not in time.
func (s *Stage) converge(ctx context.Context) error {
	deadline := time.Now().Add(time.Duration(float64(convergeWithin) * s.cfg.Slack))
	for {
		found := s.roomTroubles(ctx)
		if len(found) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			for _, v := range found[:min(len(found), 8)] {
				s.result.Violations = append(s.result.Violations, v.String())
			}
			return nil
		}
		if err := s.pass(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *Stage) roomTroubles(ctx context.Context) []ledger.Violation {
	return ledger.CheckRooms(s.rooms(ctx))
}

// rooms is what everybody says of the presence channels, by number of the channel.
func (s *Stage) rooms(ctx context.Context) []ledger.Room {
	byChannel := map[uint16]*ledger.Room{}
	var order []uint16
	for _, m := range s.crowd.Members() {
		r := byChannel[m.Seat.Channel]
		if r == nil {
			r = &ledger.Room{Name: m.Seat.Name, Listed: map[string][]string{}}
			byChannel[m.Seat.Channel] = r
			order = append(order, m.Seat.Channel)
		}
		if s.departed[m.Name] {
			r.Gone = append(r.Gone, m.Name)
			continue
		}
		r.Live = append(r.Live, m.Name)
		if !s.unsteady[m.Seat.Edge] {
			r.Steady = append(r.Steady, m.Name)
		}
		// Who came back in between has not been told of everything.
		if m.Sockets == 1 {
			r.Observers = append(r.Observers, m.Observer)
		}
	}
	var list []ledger.Room
	for _, channel := range order {
		r := byChannel[channel]
		for _, e := range s.platform.Edges {
			if !e.Alive() {
				continue
			}
			users, err := crowd.Users(ctx, s.apps[0], e.Addr().String(), r.Name)
			if err != nil {
				users = []string{"(" + err.Error() + ")"} // nobody has this name, so the list is wrong
			}
			r.Listed[fmt.Sprintf("edge %d", e.Index)] = users
		}
		list = append(list, *r)
	}
	return list
}

// logs are the last complaints of each edge.
func (s *Stage) logs() (all []string) {
	const lines = 40
	for _, e := range s.platform.Edges {
		alerts := e.Alerts()
		for _, line := range alerts[max(0, len(alerts)-lines):] {
			all = append(all, fmt.Sprintf("edge %d: %.500s", e.Index, line))
		}
	}
	return all
}

// Complaints are the lines that say why a result is no success, and what it measured.
func Complaints(r Result) (lines []string) {
	for _, m := range r.Measures {
		mark := ""
		if m.Failed {
			mark = "  <-- not met"
		}
		goal := ""
		if m.Goal != "" {
			goal = " (goal " + m.Goal + ")"
		}
		lines = append(lines, fmt.Sprintf("%s: %s%s%s", m.Name, m.Value, goal, mark))
	}
	if r.Report.Sockets > 0 {
		lines = append(lines, Summary(r))
	}
	for _, v := range r.Violations {
		lines = append(lines, "violated "+v)
	}
	lines = append(lines, r.Notes...)
	if r.Err != nil {
		lines = append(lines, strings.Split("error: "+r.Err.Error(), "\n")...)
	}
	return append(lines, r.Logs...)
}

// Summary is what the ledgers come to, in a line.
func Summary(r Result) string {
	p := r.Report
	return fmt.Sprintf("published %d ok, %d unknown, %d refused or not sent; %d deliveries, of %d due %d lost on plain channels, and %d on "+
		"those with a log, where %d sockets were told of a gap",
		p.Outcomes[ledger.OK], p.Outcomes[ledger.Unknown], p.Outcomes[ledger.Failed], p.Heard, p.Expected, p.LostPlain, p.LostTold, p.Gaps)
}
