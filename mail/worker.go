package mail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Waiting is a mail that somebody has claimed.
type Waiting struct {
	Message
	// Attempt counts the tries, this one included.
	Attempt int
}

// Outbox is where mails wait.
type Outbox interface {
	// Claim gives the mail that has waited longest to nobody else for the time of the lease. It returns nil where none is due.
	// A mail whose claimant died is due again when the lease is over.
	Claim(ctx context.Context, lease time.Duration) (*Waiting, error)
	// Remove takes a mail out: it is sent, or given up.
	Remove(ctx context.Context, id string) error
	// Delay has a mail wait for another try.
	Delay(ctx context.Context, id string, wait time.Duration) error
	// RemoveLate takes out the mails that are no longer worth sending, and returns how many.
	RemoveLate(ctx context.Context) (int64, error)
}

// How a worker goes about it.
const (
	pollEvery  = 2 * time.Second
	sweepEvery = 10 * time.Minute
	// sendLimit bounds one try. The lease is longer, so that no other worker sends the same mail meanwhile.
	sendLimit = 45 * time.Second
	lease     = 2 * time.Minute
	// A mail is tried again after half a minute, then after twice as long each time, up to an hour.
	firstWait = 30 * time.Second
	mostWait  = time.Hour
)

// WorkerConfig is what a [Worker] needs.
type WorkerConfig struct {
	Outbox Outbox
	Sender Sender
	Logger *slog.Logger
}

// Worker sends what waits in the outbox. Any number of them may work on one.
type Worker struct {
	WorkerConfig
	mails *prometheus.CounterVec
}

// NewWorker returns a worker. Run it.
func NewWorker(cfg WorkerConfig) *Worker {
	return &Worker{WorkerConfig: cfg, mails: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "peal_mails_total",
		Help: "Mails that were tried, by result: sent, delayed until another try, refused by the mail server, or late and given up.",
	}, []string{"result"})}
}

// Collectors returns the metrics.
func (w *Worker) Collectors() []prometheus.Collector { return []prometheus.Collector{w.mails} }

// Run sends mail until ctx ends. A mail that is being sent then is sent to its end.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var swept time.Time
	for {
		if err := w.sendDue(ctx); err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "the outbox of mail cannot be read; trying again", "err", err)
		}
		if time.Since(swept) > sweepEvery {
			swept = time.Now()
			w.sweep(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// sendDue sends one mail after the other until none is due.
func (w *Worker) sendDue(ctx context.Context) error {
	for ctx.Err() == nil {
		m, err := w.Outbox.Claim(ctx, lease)
		if err != nil || m == nil {
			return err
		}
		if err := w.send(context.WithoutCancel(ctx), *m); err != nil {
			return err
		}
	}
	return nil
}

// send tries a mail once. Its error is one of the outbox.
func (w *Worker) send(ctx context.Context, m Waiting) error {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	err := w.Sender.Send(ctx, m.Message)
	switch {
	case err == nil:
		w.mails.WithLabelValues("sent").Inc()
		return w.Outbox.Remove(ctx, m.ID)
	case errors.Is(err, ErrRefused):
		w.mails.WithLabelValues("refused").Inc()
		w.Logger.ErrorContext(ctx, "a mail was refused and is given up", "mail", m.Message, "err", err)
		return w.Outbox.Remove(ctx, m.ID)
	default:
		wait := backOff(m.Attempt)
		w.mails.WithLabelValues("delayed").Inc()
		w.Logger.WarnContext(ctx, "a mail could not be sent; trying again", "mail", m.Message, "attempt", m.Attempt, "in", wait.String(), "err", err)
		// The time for sending may be over, and that is why.
		again, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
		defer cancel()
		return w.Outbox.Delay(again, m.ID, wait)
	}
}

// backOff is how long a mail waits after its n-th try, give or take a fifth so that many do not come back at once.
func backOff(n int) time.Duration {
	wait := mostWait
	if n < 8 { // 30 s × 2⁷ is more than the most
		wait = min(mostWait, firstWait<<(max(n, 1)-1))
	}
	spread := rand.Int64N(int64(wait / 5 * 2)) //nolint:gosec // It keeps no secret.
	return (wait - wait/5 + time.Duration(spread)).Round(time.Second)
}

func (w *Worker) sweep(ctx context.Context) {
	n, err := w.Outbox.RemoveLate(ctx)
	if err != nil && ctx.Err() == nil {
		w.Logger.WarnContext(ctx, "late mails were not removed; trying again later", "err", err)
	}
	if n > 0 {
		w.mails.WithLabelValues("late").Add(float64(n))
		w.Logger.ErrorContext(ctx, "mails were not sent in time and are given up", "mails", n)
	}
}
