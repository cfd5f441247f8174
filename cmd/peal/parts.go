package main

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	adminapi "github.com/pealhq/peal/admin-api"
	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/dashboard"
	"github.com/pealhq/peal/edge/httpapi"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/edge/rpc"
	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/edge/socket"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/tenants/pgstore"
)

// build joins the parts, which all exist then.
func (p *platform) build() {
	log := p.cfg.log
	p.uses = tenants.NewKeyUses(tenants.KeyUsesConfig{Sink: p.store, Logger: log})
	p.cache = tenants.NewCache(tenants.CacheConfig{Loader: p.store, Uses: p.uses})
	p.hub = channels.NewHub(p.bus)
	limiter := limits.NewLimiter(p.rates, p.days)
	p.publish = publish.New(publish.Config{Bus: p.bus, Limiter: limiter, Usage: p.metering.meter})
	p.counts = session.NewCounts(session.CountsConfig{Bus: p.bus, Presence: p.bus, Logger: log})
	var share func(int) int
	if p.shared != nil {
		share = p.shared.Share
	}
	p.sessions = session.NewRegistry(session.RegistryConfig{
		Apps: p.cache, Current: p.cache.Current, Hub: p.hub, Presence: p.bus, Publisher: p.publish, Counts: p.counts, Limiter: limiter, Usage: p.metering.meter, Share: share, Logger: log,
		Arrivals: session.NewArrivals(session.ArrivalsConfig{
			Total: p.cfg.settings.count(setAcceptRate), PerAddress: p.cfg.settings.count(setAddressRate),
		}),
	})
	descriptors, refused := descriptorShares()
	sockets, sessions := fallbackShare(descriptors)
	memory := watchMemory(memoryLimit(p.cfg.settings.text(setMemoryLimit), log))
	p.sockets = socket.NewServer(socket.Config{
		Sessions: p.sessions, Logger: log,
		PathPrefix:  p.cfg.settings.text(setEdgePathPrefix),
		Portable:    p.cfg.settings.text(setPortableSockets) == "true",
		MaxSockets:  sockets,
		MaxRefused:  refused,
		Memory:      memory,
		DrainWindow: p.drainWindow(),
	})
	p.fallbacks = p.newFallbacks(sessions, memory)
	lists := new(tenants.Turns)
	p.httpAPI = httpapi.NewServer(httpapi.Config{
		Apps: p.cache, Publisher: p.publish, Presence: p.bus,
		Lists: lists, Usage: p.metering.meter, Logger: log,
		PathPrefix: p.cfg.settings.text(setEdgePathPrefix),
	})
	p.publishRPC = rpc.New(rpc.Config{
		Apps: p.cache, Publisher: p.publish, Presence: p.bus, Lists: lists, Usage: p.metering.meter, Logger: log,
	})
	p.listener = pgstore.NewListener(pgstore.ListenerConfig{
		URL: p.cfg.databaseURL, Logger: log,
		Changed: func(ctx context.Context, appID string) {
			p.cache.Drop(appID)
			p.sessions.Recheck(ctx, appID)
		},
		Reset: func(ctx context.Context) {
			p.store.db.Renew()
			p.cache.DropAll()
			p.sessions.RecheckAll(ctx)
		},
	})
	p.health.database, p.health.hearing = p.store.db.Ping, p.listener.Hearing
	if p.redis != nil {
		p.health.bus = p.redis.Healthy
	}
	for _, c := range [][]prometheus.Collector{
		p.hub.Collectors(), p.publish.Collectors(), p.sessions.Collectors(), p.sockets.Collectors(), p.fallbacks.Collectors(), p.httpAPI.Collectors(),
		p.publishRPC.Collectors(),
	} {
		p.metrics.MustRegister(c...)
	}
}

// edgeHandler splits the edge door between what answers there, by the path as it was sent. Whoever asks for a WebSocket
// gets one, and is told on it what is wrong with the path.
func (p *platform) edgeHandler() http.Handler {
	prefix := p.cfg.settings.text(setEdgePathPrefix)
	publishRPC := http.StripPrefix(prefix, p.publishRPC)
	fallbacks := requestid.Handler(p.fallbacks)
	plain := requestid.Handler(p.sockets) // who asks for no WebSocket there is told so
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		switch {
		case socket.IsUpgrade(r):
			p.sockets.ServeHTTP(w, r)
		case p.fallbacks.Serves(r.URL.EscapedPath()):
			fallbacks.ServeHTTP(w, r)
		case !ok:
			plain.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/apps/"), strings.HasPrefix(path, "/users/"):
			p.httpAPI.ServeHTTP(w, r)
		case strings.HasPrefix(path, rpc.Path):
			publishRPC.ServeHTTP(w, r)
		default:
			plain.ServeHTTP(w, r)
		}
	})
}

func (p *platform) controlHandler() (http.Handler, error) {
	api, err := adminapi.New(adminapi.Config{
		Store:      p.store.Store,
		People:     p.store.people,
		Audit:      p.store.audit,
		Usage:      p.metering.store,
		Tokens:     p.store.tokens,
		Passwords:  tenants.NewPasswords(runtime.GOMAXPROCS(0)),
		Publisher:  testPublisher{p.publish},
		Operations: p.store.platform,
		Live:       live{p},
		Logger:     p.cfg.log,
		ControlURL: p.addresses.dashboard,
		Edge:       p.edgeFor,
		Version:    buildVersion(),
		SendsMail:  p.mailing.sends,
	})
	if err != nil {
		return nil, err
	}
	pages := dashboard.Handler(dashboard.Config{
		ConnectTo: func(r *http.Request) []string {
			return edgeAddress(p.edgeFor((&url.URL{Host: r.Host}).Hostname())).origins()
		},
		TLS: p.addresses.dashboard.Scheme == "https",
	})
	mux := http.NewServeMux()
	mux.Handle(adminapi.Prefix+"/", api)
	mux.Handle("/", pages)
	return mux, nil
}
