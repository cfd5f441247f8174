package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/redisbus"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/tenants/redislimits"
)

// bus joins the edges of a platform: the sockets of this process, or all edges on one Redis.
type bus interface {
	channels.Bus
	channels.Presence
}

// openBus makes the bus that the settings ask for, of the platform with this id. What is wrong with Redis is told now,
// unless it is only away: the edge then starts, is not ready, and goes on trying.
func (p *platform) openBus(ctx context.Context, platformID string) (err error) {
	p.metrics = newMetrics()
	url := p.cfg.settings.text(setRedisURL)
	if url == "" {
		p.bus = channels.NewMemoryBus(channels.MemoryConfig{Notices: session.Notices()})
		p.rates = limits.NewMemoryRates()
		return nil
	}
	redisbus.LogTo(p.cfg.log)
	p.redis, err = redisbus.New(redisbus.Config{
		URL: url, Prefix: p.cfg.settings.text(setRedisPrefix), ClusterID: platformID,
		Node: p.node(), Load: p.load, Drain: p.drainAsked,
		Notices: session.Notices(), Logger: p.cfg.log,
	})
	if err != nil {
		return redisURLError(err)
	}
	p.bus = p.redis
	if err := p.openLimits(url); err != nil {
		return errors.Join(err, p.redis.Close())
	}
	p.metrics.MustRegister(p.redis.Collectors()...)
	// Its warnings are for Run to log.
	if _, err := p.redis.Check(ctx); err != nil && !errors.Is(err, channels.ErrUnavailable) {
		return errors.Join(err, p.redis.Close())
	}
	return nil
}

// openLimits makes what the edges share of limits, on the same Redis as the bus and with connections of its own.
func (p *platform) openLimits(url string) (err error) {
	if p.limitsClient, err = redisbus.Connect(redisbus.Config{URL: url}); err != nil {
		return redisURLError(err)
	}
	p.shared = redislimits.New(redislimits.Config{
		Client: p.limitsClient, Prefix: p.cfg.settings.text(setRedisPrefix), Edges: p.liveEdges, Logger: p.cfg.log,
	})
	p.rates = p.shared
	p.metrics.MustRegister(p.shared.Collectors()...)
	return nil
}

// openDays makes the bounds of days, on the same Redis where there is one.
func (p *platform) openDays() {
	cfg := limits.DaysConfig{Ledger: new(limits.MemoryLedger), Book: p.store.MessageDays(), Logger: p.cfg.log}
	if p.shared != nil {
		cfg.Ledger, cfg.Share = p.shared.Ledger(), p.shared.Share
	}
	p.days = limits.NewDays(cfg)
}

// liveEdges returns how many edges have been heard of lately.
func (p *platform) liveEdges(ctx context.Context) (int, error) {
	list, err := p.redis.Nodes(ctx)
	return len(list), err
}

func redisURLError(err error) error {
	return usagef("setting %s ($%s): %w; it reads like redis://user:password@host:6379", setRedisURL, envPrefix+"REDIS_URL", err)
}

// node is how the others know this edge.
func (p *platform) node() redisbus.Node {
	host, err := os.Hostname()
	if err != nil {
		host = "edge"
	}
	at := net.JoinHostPort(host, strconv.Itoa(p.edgeDoor.port()))
	return redisbus.Node{ID: at, Address: at, Version: buildVersion(), Started: time.Now()}
}

// load is what the registry of nodes tells of this edge.
func (p *platform) load() redisbus.Load {
	return redisbus.Load{Sockets: p.sessions.Total(), CPU: p.cpu.read(time.Now()), Draining: p.health.draining.Load()}
}

// nodeReport is an edge as the ops door shows it.
type nodeReport struct {
	ID      string    `json:"id"`
	Address string    `json:"address"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Seen is when the edge was heard of last, by Redis's clock, and Clock what its own clock showed then.
	Seen     time.Time `json:"seen"`
	Clock    time.Time `json:"clock,omitzero"`
	Sockets  int       `json:"sockets"`
	CPU      float64   `json:"cpu"`
	Draining bool      `json:"draining"`
	// Self says that it is the edge that was asked.
	Self bool `json:"self"`
}

// nodes lists the edges of the platform.
func (p *platform) nodes(ctx context.Context) ([]nodeReport, error) {
	self := p.node().ID
	if p.redis == nil {
		l := p.load()
		return []nodeReport{{
			ID: self, Address: self, Version: buildVersion(), Started: p.started, Seen: time.Now(),
			Sockets: l.Sockets, CPU: l.CPU, Draining: l.Draining, Self: true,
		}}, nil
	}
	list, err := p.redis.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	reports := make([]nodeReport, 0, len(list))
	for _, n := range list {
		reports = append(reports, nodeReport{
			ID: n.ID, Address: n.Address, Version: n.Version, Started: n.Started, Seen: n.Seen, Clock: n.Clock,
			Sockets: n.Sockets, CPU: n.CPU, Draining: n.Draining, Self: n.ID == self,
		})
	}
	return reports, nil
}

// drainNode has an edge send its sockets elsewhere.
func (p *platform) drainNode(ctx context.Context, id string) error {
	switch {
	case id == p.node().ID:
		p.drainAsked()
		return nil
	case p.redis == nil:
		return redisbus.ErrNoNode
	}
	return p.redis.AskDrain(ctx, id)
}

// drainWindow is over which time this edge sends its sockets elsewhere. A single node has nowhere to send them.
func (p *platform) drainWindow() time.Duration {
	if p.redis == nil {
		return 0
	}
	return p.cfg.settings.duration(setDrainWindow)
}
