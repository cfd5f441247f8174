package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pealhq/peal/test/chaos/stack"
)

// redisRows take Redis away.
func redisRows() []Row {
	return []Row{
		{Name: "R1", Title: "Redis is killed for 10 s and comes back with its append-only file", Redis: stack.Single, Keys: true, Short: true, Run: redisKilled},
		{Name: "R2", Title: "Redis is killed and comes back empty", Redis: stack.Single, Short: true, Run: redisEmptied},
		{Name: "R3s", Title: "Sentinel: the master is killed, a replica takes over", Redis: stack.Sentinel, Run: sentinelFailover},
		{Name: "R3c", Title: "Cluster: one of three masters is killed, its replica takes over", Redis: stack.Cluster, Run: clusterFailover},
	}
}

const (
	// back is how soon events must flow again once Redis takes commands.
	back = 3 * time.Second
	// notice is how soon an edge must say that it is deaf.
	notice = 4 * time.Second
	// failover is how long a row waits for another master.
	failover = stack.DownAfter + 6*time.Second
)

func redisKilled(ctx context.Context, s *Stage) error {
	return s.redisAway(ctx, s.cfg.lasting(10*time.Second, 4*time.Second), func() error { return nil })
}

func redisEmptied(ctx context.Context, s *Stage) error {
	return s.redisAway(ctx, s.cfg.lasting(3*time.Second, 2*time.Second), func() error { return s.platform.Redis[0].Empty() })
}

// redisAway kills Redis for a time, does something to its data, and starts it again.
func (s *Stage) redisAway(ctx context.Context, d time.Duration, meanwhile func() error) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	r := s.platform.Redis[0]
	from, healed, err := s.broken(ctx, d,
		func() error { r.Kill(); return meanwhile() },
		func() error { return r.Start(ctx) })
	if err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.redisGoals(from, healed, healed, back)
	if d > notice {
		for edge := range s.platform.Edges {
			s.goesUnready(edge, from, healed, notice, back)
		}
	}
	return nil
}

// redisGoals are those of every row in which Redis goes away for all, from a time to another. Events must flow again so
// long after a third.
func (s *Stage) redisGoals(from, to, since, goal time.Duration) {
	run := s.ledgers()
	s.flowsAgain(run, since, goal)
	s.refusals(s.press.Tries(), from, to)
	s.noLosses()
	if s.row.Keys {
		s.retried(run)
	}
}

func sentinelFailover(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	master := s.platform.Redis[0]
	killed := s.clock.Now()
	master.Kill()
	if err := s.pass(ctx, failover); err != nil {
		return err
	}
	now, err := s.platform.MasterAddr(ctx)
	if err != nil {
		return err
	}
	if now == master.Addr() {
		return errors.New("the Sentinels have not agreed on another master")
	}
	if err := master.Start(ctx); err != nil { // It comes back as a replica.
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.redisGoals(killed, killed+failover, killed, stack.DownAfter+back)
	return nil
}

func clusterFailover(ctx context.Context, s *Stage) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	// All of an app lies on one server.
	tag := fmt.Sprintf("{peal:%s}", s.apps[0].ID)
	master, err := s.platform.MasterOf(ctx, tag)
	if err != nil {
		return err
	}
	killed := s.clock.Now()
	master.Kill()
	elected, err := s.elected(ctx, tag, master)
	if err != nil {
		return err
	}
	s.tell("the Cluster has another master after", "%s", show(elected-killed))
	if err := s.pass(ctx, killed+failover-s.clock.Now()); err != nil {
		return err
	}
	if err := master.Start(ctx); err != nil { // It comes back as a replica.
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	// A Cluster votes when it has agreed that a master is gone, which takes it longer than the time after which each node
	// thinks so. What Peal can be asked is how soon it follows.
	s.redisGoals(killed, killed+failover, elected, back)
	return nil
}

// elected waits until somebody else holds what belongs to a tag.
func (s *Stage) elected(ctx context.Context, tag string, old *stack.Redis) (time.Duration, error) {
	for deadline := s.clock.Now() + 30*time.Second; s.clock.Now() < deadline; {
		if now, err := s.platform.MasterOf(ctx, tag); err == nil && now != old {
			return s.clock.Now(), nil
		}
		if err := s.pass(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the Cluster has not agreed on another master")
}
