package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Run measures each target in each round: A B, A B, and so on, so that what changes on the machine meanwhile falls on
// all of them. What was measured before an error is returned with it.
func Run(ctx context.Context, cfg Config) (Result, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return Result{}, err
	}
	if err := enoughFiles(cfg); err != nil {
		return Result{}, err
	}
	res := Result{Scenario: cfg.Scenario, Settings: settings(cfg)}
	for _, t := range cfg.Targets {
		res.Targets = append(res.Targets, TargetResult{Name: t.Name, Address: t.Addr.String(), Rounds: []Round{}})
	}
	report := &reporter{w: cfg.Progress, terminal: cfg.Terminal}
	defer report.end()
	number := uint16(rand.Uint32()) //nolint:gosec // It tells rounds apart, and is no secret.
	for i := range cfg.Rounds {
		for j, t := range cfg.Targets {
			if i+j > 0 {
				if err := rest(ctx, cfg.Settle); err != nil {
					return res, err
				}
			}
			report.begin(i+1, cfg.Rounds, t.Name)
			number++
			out, err := runRound(ctx, cfg, t, number, report)
			if err != nil {
				res.compare()
				return res, err
			}
			res.Targets[j].Rounds = append(res.Targets[j].Rounds, out)
		}
	}
	res.compare()
	return res, nil
}

// spareFiles are for what a process opens besides its connections.
const spareFiles = 64

func enoughFiles(cfg Config) error {
	need := uint64(cfg.sockets() + cfg.Publishers + spareFiles) //nolint:gosec // both are bounded
	limit, err := raiseFileLimit()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	if need > limit {
		return &InvalidError{"subscribers", fmt.Sprintf("needs %d open files, and this process may have %d: raise the hard limit "+
			"(ulimit -Hn) or ask for less", need, limit)}
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func settings(c Config) Settings {
	return Settings{
		Subscribers: c.Subscribers, Channels: c.Channels, Sockets: c.sockets(), DataBytes: c.Size, Window: c.Window,
		RatePerSecond: c.Rate, Publishers: c.Publishers, Batch: c.Batch, Concurrency: c.Concurrency,
		WarmupSeconds: c.Warmup.Seconds(), DurationSeconds: c.Duration.Seconds(), Rounds: c.Rounds,
	}
}
