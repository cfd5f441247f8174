package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/stack"
)

// edgeRows take an edge away from the others.
func edgeRows() []Row {
	return []Row{
		{Name: "R9", Title: "an edge with members of many presence channels is killed", Redis: stack.Single, Short: true, Run: edgeKilled},
		{Name: "R10", Title: "an edge stands still for 30 s and goes on (SIGSTOP, SIGCONT)", Redis: stack.Single, Run: edgePaused},
	}
}

const (
	// ghosts is how soon the members of an edge that died must be gone.
	ghosts = 15 * time.Second
	// rejoined is how soon those of an edge that was only away must be back.
	rejoined = 5 * time.Second
)

// edgeKilled kills the last edge. Each presence channel has members on it, and one on another edge who sees them go.
func edgeKilled(ctx context.Context, s *Stage) error {
	channels, each := 50, 10
	if s.cfg.Brief {
		channels, each = 8, 5
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	dying := s.cfg.Edges - 1
	for _, seat := range s.seats() {
		seat.Comeback = false
		s.crowd.Sit(seat)
	}
	for i := range channels {
		name := fmt.Sprintf("%sdying-%d", roomPrefix, i)
		seats := []crowd.Seat{{Edge: i % dying, Channel: elsewhere + uint16(i), Name: name, User: fmt.Sprintf("witness-%d", i)}}
		for j := range each {
			seats = append(seats, crowd.Seat{Edge: dying, Channel: elsewhere + uint16(i), Name: name, User: fmt.Sprintf("ghost-%d-%d", i, j)})
		}
		s.crowd.Sit(seats...)
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	for _, m := range s.crowd.Members() {
		if m.Seat.Edge == dying {
			s.departed[m.Name] = true
		}
	}
	killed := s.clock.Now()
	s.platform.Edges[dying].Kill()
	if err := s.pass(ctx, ghosts+2*time.Second); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	var last time.Duration
	for _, m := range s.crowd.Members() {
		if m.Seat.Edge != dying {
			last = max(last, m.LastGone)
		}
	}
	s.tell("members on the edge", "%d on %d channels", channels*each, channels)
	s.within("the last of its members gone after", last-killed, ghosts)
	s.othersStay(dying)
	return nil
}

// elsewhere numbers channels that nobody publishes to.
const elsewhere = 10_000

// othersStay asks that no socket of another edge was lost.
func (s *Stage) othersStay(edge int) {
	listenings := map[int]int{}
	for _, l := range s.crowd.Listenings() {
		listenings[l.Client] = l.Edge
	}
	n := 0
	for _, l := range s.crowd.Losses() {
		if listenings[l.Client] != edge {
			n++
		}
	}
	s.count("sockets lost on the other edges", n, 0)
}

// edgePaused stops the last edge for longer than its lease, so that the others take it for dead, and lets it go on.
func edgePaused(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	paused := s.cfg.Edges - 1
	s.unsteady[paused] = true
	e := s.platform.Edges[paused]
	from, healed, err := s.broken(ctx, s.cfg.lasting(30*time.Second, 14*time.Second), e.Stop, e.Continue)
	if err != nil {
		return err
	}
	if err := s.returned(ctx, paused, from, healed); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.flowsAgain(s.ledgers(), healed, rejoined)
	s.noLosses()
	s.flapping(paused)
	return nil
}

// returned waits until the members of the edge are known again everywhere.
func (s *Stage) returned(ctx context.Context, edge int, from, healed time.Duration) error {
	gone := time.Duration(0)
	for _, m := range s.crowd.Members() {
		if m.Seat.Edge != edge {
			gone = max(gone, m.LastGone)
		}
	}
	if gone > from {
		s.within("its members taken for gone after", gone-from, ghosts)
	} else {
		s.never("its members taken for gone after", ghosts)
	}
	for {
		if len(s.roomTroubles(ctx)) == 0 {
			s.within("its members are back after", s.clock.Now()-healed, rejoined)
			return nil
		}
		if s.clock.Now() > healed+4*rejoined {
			s.never("its members are back after", rejoined)
			return nil
		}
		if err := s.pass(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// flapping asks that each member of an edge was told gone once and back once.
func (s *Stage) flapping(edge int) {
	var users []string
	for _, m := range s.crowd.Members() {
		if m.Seat.Edge == edge {
			users = append(users, m.Name)
		}
	}
	wrong := 0
	for _, m := range s.crowd.Members() {
		if m.Seat.Edge == edge {
			continue
		}
		for _, u := range users {
			if sameRoom(u, m.Name) && (m.Removed[u] != 1 || m.Added[u] > 2) {
				wrong++
			}
		}
	}
	s.count("members who were told gone or back more than once", wrong, 0)
}

// sameRoom tells by their names whether two members of the usual rooms are in one.
func sameRoom(a, b string) bool {
	var roomA, roomB, edge, n int
	_, errA := fmt.Sscanf(a, "user-%d-%d-%d", &roomA, &edge, &n)
	_, errB := fmt.Sscanf(b, "user-%d-%d-%d", &roomB, &edge, &n)
	return errA == nil && errB == nil && roomA == roomB
}
