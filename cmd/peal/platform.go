package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/redisbus"
	"github.com/pealhq/peal/edge/fallback"
	"github.com/pealhq/peal/edge/httpapi"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/rpc"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/edge/socket"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/tenants/pgstore"
	"github.com/pealhq/peal/tenants/redislimits"
)

// platformConfig is what a platform is built from.
type platformConfig struct {
	settings settings
	// databaseURL and keys stand apart from the settings because `peal dev` makes its own.
	databaseURL string
	keys        keyring
	log         *slog.Logger
	// dev says that this is somebody's own machine.
	dev bool
	// ready is called once every door answers.
	ready func(addresses)
}

// addresses are where a running platform is reached.
type addresses struct {
	edge, dashboard, ops *url.URL
}

// platform is one running process of Peal: its three doors and what is behind them.
type platform struct {
	cfg platformConfig

	edgeDoor, controlDoor, opsDoor *door
	addresses                      addresses

	store  *stores
	cache  *tenants.Cache
	uses   *tenants.KeyUses
	bus    bus
	redis  *redisbus.Bus // the same, where it is on Redis; nil otherwise
	rates  limits.Rates
	days   *limits.Days
	shared *redislimits.Rates // the same, where it is on Redis; nil otherwise
	// limitsClient is what shared asks Redis through.
	limitsClient redis.UniversalClient
	hub          *channels.Hub
	publish      *publish.Publisher
	counts       *session.Counts
	sessions     *session.Registry
	sockets      *socket.Server
	fallbacks    *fallback.Server
	httpAPI      *httpapi.Server
	publishRPC   *rpc.Server
	metering     metering
	mailing      mailing
	listener     *pgstore.Listener
	health       health
	metrics      *prometheus.Registry
	started      time.Time
	cpu          cpuMeter
	leaving      sync.Once
	evicting     sync.Once
	drainAsked   func() // has the edge send its sockets elsewhere; it may be called any number of times
}

// runPlatform builds a platform, runs it until ctx ends and stops it in the order of the flow. It returns nil
// after an orderly stop.
func runPlatform(ctx context.Context, cfg platformConfig) error {
	p := &platform{cfg: cfg, started: time.Now()}
	asked, ask := context.WithCancel(context.WithoutCancel(ctx))
	defer ask()
	p.drainAsked = ask
	if err := p.open(ctx); err != nil {
		p.closeDoors()
		return err
	}
	defer p.store.Close()
	if p.redis != nil {
		defer p.redis.Close()        //nolint:errcheck // It has an error only for what never ran.
		defer p.limitsClient.Close() //nolint:errcheck // It returns what nobody can do anything about.
	}
	control, err := p.controlHandler()
	if err != nil {
		p.closeDoors()
		return err
	}

	// What the doors stand on ends after them, so it has a context of its own.
	base, endBase := context.WithCancel(context.WithoutCancel(ctx))
	defer endBase()
	below, broken := errgroup.WithContext(base)
	below.Go(func() error { return p.bus.Run(base, p.hub.Deliver) })
	if p.shared != nil {
		below.Go(func() error { return p.shared.Run(base) })
	}
	below.Go(func() error { return p.days.Run(base) })
	below.Go(func() error { return p.sweepDays(base) })
	below.Go(func() error { return p.counts.Run(base) })
	below.Go(func() error { return p.sessions.Run(base) })
	below.Go(func() error { return p.sockets.Run(base) })
	below.Go(func() error { return p.runMetering(base) })
	below.Go(func() error { return p.mailing.worker.Run(base) })
	below.Go(func() error { return p.listener.Run(base) })
	below.Go(func() error { return p.sweepSessions(base) })
	below.Go(func() error { return p.uses.Run(base) })
	below.Go(func() error { return p.revokeRetired(base) })

	doors, stopping := errgroup.WithContext(ctx)
	trusted, _ := parseProxies(cfg.settings.text(setTrustedProxies)) // It has been checked.
	doors.Go(func() error { return p.edgeDoor.serve(trusted.wrap(p.edgeHandler()), cfg.log) })
	doors.Go(func() error { return p.controlDoor.serve(trusted.wrap(control), cfg.log) })
	doors.Go(func() error { return p.opsDoor.serve(p.opsHandler(), cfg.log) })
	doors.Go(func() error {
		select {
		case <-asked.Done():
			return p.drain(context.WithoutCancel(ctx))
		case <-stopping.Done():
			return nil
		}
	})
	doors.Go(func() error {
		<-stopping.Done()
		return p.stop(context.WithoutCancel(ctx))
	})
	doors.Go(func() error {
		select {
		case <-broken.Done():
			// What the doors stand on has failed, and nobody would hear anything any more.
			return errors.New("a part of the edge ended; stopping")
		case <-stopping.Done():
			return nil
		}
	})
	cfg.ready(p.addresses)
	err = doors.Wait()
	endBase()
	return errors.Join(err, below.Wait())
}

// open makes everything that can fail for want of something outside.
func (p *platform) open(ctx context.Context) error {
	var err error
	if p.store, err = newStores(ctx, p.cfg.databaseURL, p.cfg.keys); err != nil {
		return err
	}
	if err := p.openDoors(ctx); err != nil {
		p.store.Close()
		return err
	}
	if err := p.store.db.CheckSchema(ctx); err != nil {
		p.store.Close()
		return err
	}
	if err := p.store.seals.Check(ctx); err != nil {
		p.store.Close()
		return err
	}
	id, err := p.store.PlatformID(ctx)
	if err == nil {
		err = p.openBus(ctx, id.String())
	}
	if err == nil {
		err = p.openMail()
	}
	if err != nil {
		p.store.Close()
		return err
	}
	p.openDays()
	p.openMetering()
	p.build()
	return nil
}

func (p *platform) openDoors(ctx context.Context) (err error) {
	s := p.cfg.settings
	if p.edgeDoor, err = openDoor(ctx, "edge", s.text(setEdgeAddr)); err != nil {
		return err
	}
	if p.controlDoor, err = openDoor(ctx, "control", s.text(setControlAddr)); err != nil {
		return err
	}
	if p.opsDoor, err = openDoor(ctx, "ops", s.text(setOpsAddr)); err != nil {
		return err
	}
	p.addresses = addresses{
		edge:      orURL(s.url(setEdgeURL), p.edgeDoor.url()),
		dashboard: orURL(s.url(setDashboardURL), p.controlDoor.url()),
		ops:       p.opsDoor.url(),
	}
	return nil
}

func orURL(u, def *url.URL) *url.URL {
	if u != nil {
		return u
	}
	return def
}

// sweep removes what is too old of something, at once and then every so often.
func (p *platform) sweep(ctx context.Context, what string, every time.Duration, remove func(context.Context) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := remove(ctx); err != nil && ctx.Err() == nil {
			p.cfg.log.WarnContext(ctx, "what is too old was not removed; trying again later", "what", what, "in", every.String(), "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *platform) sweepSessions(ctx context.Context) error {
	return p.sweep(ctx, "sessions", time.Hour, func(ctx context.Context) error {
		_, err := p.store.people.DeleteEndedSessions(ctx)
		return errors.Join(err, p.store.people.RemoveEnded(ctx), p.store.tokens.RemoveEnded(ctx))
	})
}

func (p *platform) sweepDays(ctx context.Context) error {
	return p.sweep(ctx, "days of messages", time.Hour, func(ctx context.Context) error {
		return p.store.MessageDays().Sweep(ctx, time.Now())
	})
}

// revokeRetired writes down that keys have retired. Edges do not wait for it.
func (p *platform) revokeRetired(ctx context.Context) error {
	return p.sweep(ctx, "keys that retire", 30*time.Second, func(ctx context.Context) error {
		for {
			if found, err := p.store.RevokeRetired(ctx); found == 0 || err != nil {
				return err
			}
		}
	})
}

// drain sends the sockets elsewhere and lets no more come, while everything else goes on until the process is stopped.
func (p *platform) drain(ctx context.Context) error {
	p.cfg.log.InfoContext(ctx, "draining, as was asked for")
	p.beUnready()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.settings.duration(setShutdownTimeout))
	defer cancel()
	if err := p.evict(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("drain: %w", err)
	}
	p.cfg.log.InfoContext(ctx, "drained; this edge has no sockets and takes no more")
	return nil
}

// beUnready says that this edge is not ready and, where there are others, gives load balancers the time to notice, once.
// Whoever asks again waits for the rest of it.
func (p *platform) beUnready() {
	p.leaving.Do(func() {
		p.health.draining.Store(true)
		if p.redis != nil {
			p.redis.Renew()
			time.Sleep(p.cfg.settings.duration(setDrainPause))
		}
	})
}

// evict closes all sockets so that clients reconnect elsewhere, once. Whoever asks again waits for it.
func (p *platform) evict(ctx context.Context) (err error) {
	p.evicting.Do(func() {
		var edge errgroup.Group
		edge.Go(func() error { return p.sockets.Shutdown(ctx) })
		edge.Go(func() error { return p.fallbacks.Shutdown(ctx) })
		err = edge.Wait()
	})
	return err
}

// stop ends the platform in the order of the flow: not ready, nobody new, sockets closed so that clients
// reconnect elsewhere, requests finished. What is left after the time for it is cut off.
func (p *platform) stop(ctx context.Context) error {
	p.health.stopping.Store(true)
	p.cfg.log.InfoContext(ctx, "stopping")
	p.beUnready()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.settings.duration(setShutdownTimeout))
	defer cancel()
	// Shutting the door first keeps clients that were just told to reconnect from coming back here.
	var edge errgroup.Group
	edge.Go(func() error { return p.edgeDoor.server.Shutdown(ctx) })
	edge.Go(func() error { return p.evict(ctx) })
	err := errors.Join(edge.Wait(), p.controlDoor.server.Shutdown(ctx), p.opsDoor.server.Shutdown(ctx))
	if errors.Is(err, context.DeadlineExceeded) {
		// That a client is slow is no failure of ours.
		p.cfg.log.WarnContext(ctx, "time to stop is over; what is left is cut off")
		err = nil
		for _, d := range []*door{p.edgeDoor, p.controlDoor, p.opsDoor} {
			err = errors.Join(err, d.server.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	p.cfg.log.InfoContext(ctx, "stopped")
	return nil
}

func (p *platform) closeDoors() {
	for _, d := range []*door{p.edgeDoor, p.controlDoor, p.opsDoor} {
		if d != nil {
			d.listener.Close() //nolint:errcheck // Nothing was served through it.
		}
	}
}
