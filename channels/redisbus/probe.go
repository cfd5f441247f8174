package redisbus

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	probeEvery = time.Second
	lookEvery  = probeEvery / 4
	// deafAfter is how long nothing may come on a connection.
	deafAfter = 3 * time.Second
)

// probe publishes to this edge itself, once a second over every connection, and replaces those on which nothing comes
// back. A pub/sub connection has no other sign of life: a subscriber whom nothing reaches looks like one to whom nobody
// speaks.
func (b *Bus) probe(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		b.look(ctx)
		if n%int(probeEvery/lookEvery) == 0 {
			b.sendProbes(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look ends connections that are deaf and notes whether the edge hears itself. A connection on which messages come but no
// probes is behind, or Redis takes no publishes; a new one would not help.
func (b *Bus) look(ctx context.Context) {
	healthy := true
	b.mu.Lock()
	for key, p := range b.places {
		silent := time.Since(p.proven) > deafAfter
		switch {
		case p.link != nil:
			healthy = healthy && !silent
			if p.link.deaf() {
				p.link.kill(errDeaf)
			}
		case silent:
			delete(b.places, key) // Its topics have moved to another server.
		}
	}
	b.mu.Unlock()
	if b.healthy.Swap(healthy) == healthy {
		return
	}
	if healthy {
		b.cfg.Logger.InfoContext(ctx, "the bus carries messages again")
	} else {
		b.cfg.Logger.ErrorContext(ctx, "the bus is degraded: this edge does not hear what it publishes",
			slog.Duration("for", deafAfter))
	}
}

func (b *Bus) sendProbes(ctx context.Context) {
	var names []string
	b.mu.Lock()
	for _, p := range b.places {
		if p.link != nil {
			names = append(names, p.link.probe)
		}
	}
	b.mu.Unlock()
	if len(names) == 0 {
		b.home(ctx)
		return
	}
	// Longer than a tick would put off the next look.
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	now := strconv.FormatInt(int64(time.Since(b.started)), 10)
	_, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.SPublish(ctx, name, now)
		}
		return nil
	})
	if err != nil {
		b.metrics.failures.WithLabelValues("probe").Inc()
	}
}

// proven notes that a probe has come back.
func (b *Bus) proven(l *link, sent string) {
	if at, err := strconv.ParseInt(sent, 10, 64); err == nil {
		b.metrics.probe.Observe((time.Since(b.started) - time.Duration(at)).Seconds())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.places[l.key]; p != nil && p.link == l {
		p.proven = time.Now()
	}
}
