package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/pealhq/peal/bench/loop"
	"github.com/pealhq/peal/bench/wire"
)

// round is one measurement of one target, with sockets of its own.
type round struct {
	cfg      Config
	target   Target
	loop     loop.Loop
	number   uint16
	signer   *wire.Signer
	tally    *tally
	audience *audience
	press    *press
	report   *reporter
	out      Round
}

// runRound measures a target once. The number tells its messages and channels from those of other rounds.
func runRound(ctx context.Context, cfg Config, t Target, number uint16, report *reporter) (_ Round, err error) {
	l, err := loop.New(loop.Config{Portable: cfg.Portable})
	if err != nil {
		return Round{}, err
	}
	r := newRound(cfg, t, l, number, report)
	defer func() {
		r.audience.hangUp()
		r.press.hangUp()
		err = errors.Join(err, l.Close())
	}()
	if err := r.run(ctx); err != nil {
		return r.out, fmt.Errorf("target %s: %w", t.Name, err)
	}
	return r.out, nil
}

func newRound(cfg Config, t Target, l loop.Loop, number uint16, report *reporter) *round {
	r := &round{cfg: cfg, target: t, loop: l, number: number, tally: newTally(), report: report}
	r.signer = wire.NewSigner(t.App, t.Host)
	var names []string
	for i := range cfg.Channels {
		names = append(names, fmt.Sprintf("bench-%04x-%04x", number, i))
	}
	r.press = &press{
		loop: l, tally: r.tally, signer: r.signer, addr: t.Addr, run: number, names: names, size: cfg.Size,
		batch: 1, window: cfg.Window, rate: cfg.Rate, limit: cfg.Messages,
	}
	r.audience = r.newAudience(names)
	return r
}

func (r *round) newAudience(names []string) *audience {
	return &audience{
		loop: r.loop, tally: r.tally, signer: r.signer, addr: r.target.sockets(), host: r.target.Host, key: r.target.App.Key,
		run: r.number, names: names, concurrency: r.cfg.Concurrency, completed: r.press.advance,
	}
}

func (r *round) run(ctx context.Context) error {
	switch r.cfg.Scenario {
	case Fanout, Channels, Cluster:
		return r.runTraffic(ctx)
	case Publish:
		return r.runPublish(ctx)
	case Connect:
		return r.runConnect(ctx)
	case Idle:
		return r.runIdle(ctx)
	case Presence:
		return r.runPresence(ctx)
	}
	return fmt.Errorf("there is no scenario %q", r.cfg.Scenario)
}

// openTimeout bounds how long nothing may happen while connections are being opened.
const openTimeout = 10 * time.Second

// until runs the loop until a condition holds, something fails, or there was no progress for a time.
func (r *round) until(ctx context.Context, what string, progress func() int, done func() bool) error {
	last, since := -1, r.loop.Now()
	stalled := false
	err := r.loop.Run(ctx, func(now time.Duration) (time.Duration, bool) {
		if p := progress(); p != last {
			last, since = p, now
		}
		stalled = now-since > openTimeout
		r.report.progress(what, r)
		return now + time.Second, done() || stalled || r.failed() != nil
	})
	switch {
	case err != nil:
		return err
	case r.failed() != nil:
		return fmt.Errorf("%s: %w", what, r.failed())
	case stalled:
		return fmt.Errorf("%s: nothing has happened for %s, after %d", what, openTimeout, last)
	}
	return nil
}

func (r *round) failed() error {
	if r.press.failed != nil {
		return r.press.failed
	}
	return r.audience.failed
}

// pass runs the loop for a time, or until there is nothing left to send.
func (r *round) pass(ctx context.Context, what string, d time.Duration) error {
	end := r.loop.Now() + d
	looked := time.Duration(0)
	err := r.loop.Run(ctx, func(now time.Duration) (time.Duration, bool) {
		r.press.advance(now)
		if now-looked > lostAfter/10 {
			looked = now
			r.tally.abandonBefore(now - lostAfter)
			r.press.advance(now)
		}
		r.report.progress(what, r)
		return min(end, r.press.wake(now)), now >= end || r.press.failed != nil || r.press.running && r.press.spent()
	})
	if err == nil {
		err = r.press.failed
	}
	return err
}

// lostAfter is when a closed loop gives a message up and goes on.
const lostAfter = 5 * time.Second

// mark is a moment to measure from, or to.
type mark struct {
	at, waited, own time.Duration
	server          usage
	counts          counts
}

func (r *round) mark() (mark, error) {
	u, err := readUsage(r.target.PIDs)
	return mark{at: r.loop.Now(), waited: r.loop.Waited(), own: ownCPU(), server: u, counts: r.tally.counts}, err
}

// measure runs what is to be measured between two marks, and notes what the server and the generator used.
func (r *round) measure(body func() error) (from, to mark, err error) {
	if from, err = r.mark(); err != nil {
		return from, to, err
	}
	r.tally.latency.Reset()
	r.press.lag = 0
	if err = body(); err != nil {
		return from, to, err
	}
	to, err = r.mark()
	r.out.Seconds = (to.at - from.at).Seconds()
	r.out.Latency = quantiles(r.tally.latency)
	r.out.Generator = generator(from, to, r.press.lag)
	return from, to, err
}

// serverUse notes what the server used for each million of something.
func (r *round) serverUse(from, to mark, units int64) {
	if !to.server.known {
		return
	}
	cpu := to.server.cpu() - from.server.cpu()
	s := &ServerUse{
		CPUSeconds:    cpu.Seconds(),
		CPUShare:      cpu.Seconds() / (to.at - from.at).Seconds(),
		SystemSeconds: (to.server.system - from.server.system).Seconds(),
		RSSBefore:     from.server.rss,
		RSSAfter:      to.server.rss,
		RSSPeak:       to.server.peak,
	}
	if units > 0 {
		s.CPUPerMillion = cpu.Seconds() / float64(units) * 1e6
	}
	r.out.Server = s
}

func quantiles(h *hdrhistogram.Histogram) *Latency {
	if h.TotalCount() == 0 {
		return nil
	}
	return &Latency{
		Count: h.TotalCount(), Min: h.Min(), P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90), P99: h.ValueAtQuantile(99),
		P999: h.ValueAtQuantile(99.9), Max: h.Max(),
	}
}
