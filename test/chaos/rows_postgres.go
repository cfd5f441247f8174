package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/pealhq/peal/test/chaos/crowd"
	"github.com/pealhq/peal/test/chaos/stack"
)

// postgresRows break what tells edges of changes.
func postgresRows() []Row {
	return []Row{
		{Name: "R8a", Title: "the sessions that listen for changes are ended, and a key is revoked", Redis: stack.Single, Short: true, Run: func(ctx context.Context, s *Stage) error {
			return s.revoke(ctx, 2*time.Second, func() error {
				n, err := s.platform.EndListeners(ctx)
				s.count("sessions ended", n, s.cfg.Edges)
				return err
			})
		}},
		{Name: "R8b", Title: "the connections of one edge to PostgreSQL go silent, and a key is revoked through another", Redis: stack.Single, Run: func(ctx context.Context, s *Stage) error {
			return s.revoke(ctx, 35*time.Second, func() error {
				// The first edge is the one through which the key is revoked.
				for _, e := range s.platform.Edges[1:] {
					e.Postgres.Forget()
				}
				return nil
			})
		}},
	}
}

// revoke has a key revoked right after something broke, and asks how soon its sockets are closed on every edge. The other
// apps must not notice.
func (s *Stage) revoke(ctx context.Context, goal time.Duration, breaks func() error) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	admin, err := s.platform.Edges[0].SignUp(ctx, "chaos")
	if err != nil {
		return err
	}
	id, key, err := admin.CreateApp(ctx, "revoked")
	if err != nil {
		return err
	}
	secret, err := admin.Reveal(ctx, id, key)
	if err != nil {
		return err
	}
	// The app is told to the crowd, and published to by nobody but us.
	doomed := crowd.App{ID: id, Key: key, Secret: secret}
	app := s.crowd.AddApp(doomed)
	s.crowd.Sit(s.seats()...)
	s.crowd.Sit(s.roomSeats()...)
	for edge := range s.platform.Edges {
		s.crowd.Sit(crowd.Seat{App: app, Edge: edge, Channel: 0, Name: s.names[0]})
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := breaks(); err != nil {
		return err
	}
	if err := admin.Revoke(ctx, id, key); err != nil {
		return err
	}
	revoked := s.clock.Now()
	if err := s.closedEverywhere(ctx, revoked, goal); err != nil {
		return err
	}
	for _, e := range s.platform.Edges {
		status, err := crowd.PublishOnce(ctx, doomed, e.Addr().String(), s.names[0])
		if err != nil {
			return err
		}
		s.count(fmt.Sprintf("edge %d: a publish with the key gets", e.Index), status, 401)
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.lossless()
	return nil
}

// closedEverywhere waits until the key's sockets were closed with 4001 on every edge, and no others.
func (s *Stage) closedEverywhere(ctx context.Context, revoked, goal time.Duration) error {
	const code = 4001
	name := "sockets of the key closed on every edge after"
	deadline := revoked + time.Duration(float64(goal)*s.cfg.Slack)
	for {
		losses := s.crowd.Losses()
		if len(losses) >= s.cfg.Edges {
			var last time.Duration
			right := 0
			for _, l := range losses {
				last = max(last, l.At)
				if l.Code == code {
					right++
				}
			}
			s.within(name, last-revoked, goal)
			s.count("closed with 4001", right, s.cfg.Edges)
			s.count("sockets lost", len(losses), s.cfg.Edges)
			return nil
		}
		if s.clock.Now() > deadline {
			s.never(name, goal)
			return nil
		}
		if err := s.pass(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}
