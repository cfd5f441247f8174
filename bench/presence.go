package bench

import (
	"context"
	"fmt"
	"time"
)

// pause is how long a server is left to note that the members of one join have gone, before the next.
const pause = 300 * time.Millisecond

// runPresence lets members join a presence channel all at once, again and again with new sockets and a new channel.
// Only the joining is measured: it ends when each member knows of every other, by its list or by a notice.
func (r *round) runPresence(ctx context.Context) error {
	var took, cpu time.Duration
	_, _, err := r.measure(func() error {
		for i, end := 0, r.loop.Now()+r.cfg.Duration; i == 0 || r.loop.Now() < end; i++ {
			from, to, err := r.join(ctx, fmt.Sprintf("presence-bench-%04x-%04x", r.number, i))
			if err != nil {
				return err
			}
			took += to.at - from.at
			cpu += to.server.cpu() - from.server.cpu()
		}
		return nil
	})
	if err != nil {
		return err
	}
	notices := r.tally.notices
	r.out.Rates.Notices = float64(notices) / took.Seconds()
	u, err := readUsage(r.target.PIDs)
	if err != nil {
		return err
	}
	if u.known {
		r.out.Server = &ServerUse{CPUSeconds: cpu.Seconds(), CPUShare: cpu.Seconds() / took.Seconds(), RSSAfter: u.rss, RSSPeak: u.peak}
		r.out.Server.CPUPerMillion = cpu.Seconds() / float64(max(1, notices)) * 1e6
	}
	r.settleCounts()
	return nil
}

func (r *round) join(ctx context.Context, channel string) (from, to mark, err error) {
	r.audience = r.newAudience([]string{channel})
	a := r.audience
	a.invite(audienceConfig{sockets: r.cfg.Subscribers, perChannel: r.cfg.Subscribers, presence: true})
	defer a.hangUp()
	if err := r.openSockets(ctx); err != nil {
		return from, to, err
	}
	if from, err = r.mark(); err != nil {
		return from, to, err
	}
	for _, s := range a.sockets {
		s.subscribe()
	}
	done := func() bool { return a.knowing == len(a.sockets) }
	end := from.at + r.cfg.Drain
	err = r.loop.Run(ctx, func(now time.Duration) (time.Duration, bool) {
		r.report.progress("joining", r)
		return end, done() || now >= end || a.failed != nil
	})
	if err == nil && a.failed != nil {
		err = fmt.Errorf("join a presence channel: %w", a.failed)
	}
	if err != nil {
		return from, to, err
	}
	if to, err = r.mark(); err != nil {
		return from, to, err
	}
	for _, s := range a.sockets {
		r.countMeetings(s.present)
	}
	a.hangUp()
	return from, to, r.pass(ctx, "between joins", pause)
}

// countMeetings counts the members that one of them has heard of, itself among them, as deliveries.
func (r *round) countMeetings(present int) {
	c, n := &r.tally.counts, int64(r.cfg.Subscribers)
	c.expected += n
	c.delivered += min(n, int64(present))
	c.duplicates += max(0, int64(present)-n)
}
