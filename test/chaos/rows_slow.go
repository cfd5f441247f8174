package chaos

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/proxy"
	"github.com/pealhq/peal/test/chaos/stack"
)

// slowRows make Redis slow, for all edges.
func slowRows() []Row {
	return []Row{
		{Name: "R4a", Title: "Redis answers 200 ms late", Redis: stack.Single, Run: func(ctx context.Context, s *Stage) error {
			return s.slow(ctx, 200*time.Millisecond)
		}},
		{Name: "R4b", Title: "Redis answers 2 s late", Redis: stack.Single, Run: func(ctx context.Context, s *Stage) error {
			return s.slow(ctx, 2*time.Second)
		}},
		{Name: "R4c", Title: "Redis stands still for 4 s (SIGSTOP)", Redis: stack.Single, Short: true, Run: func(ctx context.Context, s *Stage) error {
			r := s.platformRedis
			return s.standing(ctx, 4*time.Second, func() error { return r().Stop() }, func() error { return r().Continue() })
		}},
	}
}

func (s *Stage) platformRedis() *stack.Redis { return s.platform.Redis[0] }

// slow delays the bytes of every edge, half of the time in each direction.
func (s *Stage) slow(ctx context.Context, by time.Duration) error {
	set := func(f proxy.Fault) func() error {
		return func() error {
			for _, e := range s.platform.Edges {
				e.Redis.Both(f)
			}
			return nil
		}
	}
	return s.standing(ctx, s.cfg.lasting(10*time.Second, 5*time.Second), set(proxy.Fault{Delay: by / 2}), set(proxy.Fault{}))
}

// standing is a time in which Redis is there and does not keep up: publishes end within a second whichever way, and
// nothing piles up.
func (s *Stage) standing(ctx context.Context, d time.Duration, do, undo func() error) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	before, err := s.goroutines(ctx)
	if err != nil {
		return err
	}
	most := 0
	counting, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for counting.Err() == nil {
			if n, err := s.goroutines(counting); err == nil {
				most = max(most, n)
			}
			_ = s.pass(counting, 200*time.Millisecond) // It ends when we say so.
		}
	}()
	from, healed, err := s.broken(ctx, d, do, undo)
	stop()
	<-done
	if err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	run := s.ledgers()
	var took []time.Duration
	for _, t := range s.press.Tries() {
		if t.At >= from && t.At <= healed {
			took = append(took, t.Took)
		}
	}
	s.within("a publish ends within, p99", percentile(took, 99), time.Second)
	s.flowsAgain(run, healed, back)
	s.refusals(s.press.Tries(), from, healed)
	s.noLosses()
	// Each publisher has a request under way, which has goroutines of its own; beyond that nothing may grow.
	s.atMost(fmt.Sprintf("goroutines of all edges (%d before)", before), most, before*12/10+4*len(s.apps)*s.cfg.Publishers)
	return nil
}

// goroutines adds up those of all edges.
func (s *Stage) goroutines(ctx context.Context) (sum int, err error) {
	for _, e := range s.platform.Edges {
		n, err := metric(ctx, e, "go_goroutines")
		if err != nil {
			return 0, err
		}
		sum += int(n)
	}
	return sum, nil
}

// metric reads a number from an edge, the sum where it has labels.
func metric(ctx context.Context, e *stack.Edge, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Ops()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("read metrics of edge %d: %w", e.Index, err)
	}
	defer func() { _ = resp.Body.Close() }() // It has been read.
	sum, found := 0.0, false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s of edge %d: %w", name, e.Index, err)
		}
		sum, found = sum+value, true
	}
	if !found {
		return 0, fmt.Errorf("edge %d has no metric %s", e.Index, name)
	}
	return sum, nil
}
