package session

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/limits"
	"github.com/pealhq/peal/usage"
)

// RegistryConfig is what a [Registry] needs.
type RegistryConfig struct {
	Apps      Apps
	Hub       *channels.Hub
	Presence  channels.Presence
	Publisher *publish.Publisher
	// Current tells whether what Apps answer for an app holds now; nil is that it always does. While it does not, the app's
	// conversations are checked again and again.
	Current func(appID string) bool
	// Counts tells subscribers how many they are.
	Counts *Counts
	// Arrivals bounds how fast visitors come in; nil is no bound.
	Arrivals *Arrivals
	// Usage counts for each app; nil is for nobody.
	Usage *usage.Meter
	// Limiter bounds how fast clients of an app come in, over all edges; nil is no bound.
	Limiter *limits.Limiter
	// Share returns which part of a limit is this edge's while it cannot be known what the others have; nil where there are no
	// others.
	Share func(limit int) int
	// Logger is for trouble of ours, never for what a client did wrong.
	Logger *slog.Logger
}

// Registry is what all conversations of an edge share, by whatever door they came: it decides who may come in, knows
// who is there, and has those leave that lost their right. All methods may be called at the same time.
type Registry struct {
	cfg         RegistryConfig
	full        fullness
	retirements *retirements
	newKeys     *rate.Limiter  // of questions whether a key is one that this edge has not heard of yet
	troubles    rate.Sometimes // when to log them
	tooFast     prometheus.Counter

	mu        sync.Mutex
	apps      map[string]map[*Session]struct{} // guarded by mu; by the app's id
	tenants   map[uuid.UUID]int                // guarded by mu; how many are there of each tenant
	uncounted map[*Session]struct{}            // guarded by mu; those who are in and still to be counted
	unchecked map[string]struct{}              // guarded by mu; the apps whose conversations are to be checked again
}

// newKeysPerSecond bounds how often it is asked whether a key that a known app does not have has been made meanwhile.
const newKeysPerSecond = 100

// NewRegistry returns a registry without conversations.
func NewRegistry(cfg RegistryConfig) *Registry {
	tooFast := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "peal_connections_too_fast_total", Help: "Clients that were refused because more of their app were connecting than may in a second.",
	})
	return &Registry{
		tooFast: tooFast, retirements: newRetirements(), newKeys: rate.NewLimiter(newKeysPerSecond, newKeysPerSecond),
		cfg: cfg, troubles: rate.Sometimes{First: 20, Interval: time.Second},
		apps: make(map[string]map[*Session]struct{}), tenants: make(map[uuid.UUID]int),
		uncounted: make(map[*Session]struct{}), unchecked: make(map[string]struct{}),
	}
}

// Collectors returns the registry's metrics.
func (r *Registry) Collectors() []prometheus.Collector { return []prometheus.Collector{r.tooFast} }

// enter registers a conversation, unless its app has as many as it may have, here or on all edges. Looking again after that finds a
// change that was told only to those who were there by then.
func (r *Registry) enter(ctx context.Context, s *Session) *Ending {
	was := s.App()
	// First of all, so that a crowd that comes too fast costs as little as it can.
	if r.cfg.Limiter != nil && !r.cfg.Limiter.Connection(ctx, was).OK {
		r.tooFast.Inc()
		s.tally.Rejected(usage.ConnectionRate)
		return &Ending{pusher.CloseOverCapacity, "Too many clients of this app are connecting, try again in a moment"}
	}
	if !r.add(s) {
		s.tally.Rejected(usage.ConnectionLimit)
		return EndWith(pusher.CloseQuota)
	}
	if end := r.count(ctx, s); end != nil {
		s.tally.Rejected(usage.ConnectionLimit)
		r.remove(s) // Who is only being told why takes no place.
		r.part(ctx, s)
		return end
	}
	app, end := r.lookUp(ctx, s.key)
	why := whyNoKey
	if end == nil {
		end, why = s.mayGoOn(app), whyEnded
	}
	if end == nil {
		s.app.CompareAndSwap(was, app) // A recheck that came since has settings at least as new.
		r.recount(s)
		if !app.NextRetirement(time.Now()).IsZero() {
			r.retirements.note(app)
		}
	}
	if end.Final() {
		s.tally.Rejected(why(end))
		return end
	}
	return nil
}

func (r *Registry) add(s *Session) bool {
	app := s.App()
	r.mu.Lock()
	defer r.mu.Unlock()
	sessions := r.apps[app.ID]
	if most := app.Limits.Connections; most > 0 && len(sessions) >= most {
		return false
	}
	if sessions == nil {
		sessions = make(map[*Session]struct{})
		r.apps[app.ID] = sessions
	}
	sessions[s] = struct{}{}
	r.tenants[app.TenantID]++
	return true
}

func (r *Registry) remove(s *Session) {
	app := s.App()
	r.mu.Lock()
	defer r.mu.Unlock()
	sessions := r.apps[app.ID]
	if _, there := sessions[s]; !there {
		return
	}
	delete(sessions, s)
	if len(sessions) == 0 {
		delete(r.apps, app.ID)
	}
	if r.tenants[app.TenantID]--; r.tenants[app.TenantID] == 0 {
		delete(r.tenants, app.TenantID)
	}
}

// Recheck asks again for every key by which an app has conversations under way. It ends those that lost their right
// and gives the others the app's new settings; where the answer cannot be had they stay as they are, and it is asked for again.
func (r *Registry) Recheck(ctx context.Context, appID string) {
	r.recheck(ctx, appID)
}

// recheck is Recheck, and tells whether the answer could be had.
func (r *Registry) recheck(ctx context.Context, appID string) bool {
	for key, sessions := range r.byKey(appID) {
		app, end := r.lookUp(ctx, key)
		if end == nil {
			r.retirements.note(app)
		}
		for _, s := range sessions {
			why := end
			if why == nil {
				why = s.mayGoOn(app)
			}
			if why == nil {
				s.setApp(app)
				r.recount(s)
			} else if why.Final() {
				s.carrier.End(why)
			}
		}
	}
	current := r.cfg.Current == nil || r.cfg.Current(appID)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.unchecked, appID)
	if !current && len(r.apps[appID]) > 0 {
		r.unchecked[appID] = struct{}{}
	}
	return current
}

// recheckLate checks the apps again whose answer could not be had, until one cannot be.
func (r *Registry) recheckLate(ctx context.Context) {
	r.mu.Lock()
	list := slices.Collect(maps.Keys(r.unchecked))
	r.mu.Unlock()
	for _, id := range list {
		if ctx.Err() != nil || !r.recheck(ctx, id) {
			return
		}
	}
}

// RecheckAll does the same for every app.
func (r *Registry) RecheckAll(ctx context.Context) {
	// Several at a time: after the database was away there is a look-up for each app, and the next change waits.
	const atOnce = 16
	var all errgroup.Group
	all.SetLimit(atOnce)
	for _, id := range r.appIDs() {
		all.Go(func() error {
			r.Recheck(ctx, id)
			return nil
		})
	}
	_ = all.Wait() // None returns an error.
}

// mayGoOn tells why the app that a conversation's key opens now keeps it out, nil when it does not. A key that has come to
// another app opens nothing to those who came by it before: what they hear is the first one's.
func (s *Session) mayGoOn(app *tenants.App) *Ending {
	if app.ID != s.App().ID {
		return &Ending{pusher.CloseUnknownApp, "App key " + shortenKey(s.key) + " belongs to another app now"}
	}
	return mayUse(app, s.origin, s.tls)
}

// byKey returns an app's conversations by the key that they came in with.
func (r *Registry) byKey(appID string) map[string][]*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make(map[string][]*Session)
	for s := range r.apps[appID] {
		keys[s.key] = append(keys[s.key], s)
	}
	return keys
}

func (r *Registry) appIDs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.apps))
}

// Total returns how many conversations are under way here.
func (r *Registry) Total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, sessions := range r.apps {
		n += len(sessions)
	}
	return n
}
