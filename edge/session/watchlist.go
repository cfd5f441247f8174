package session

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// watch makes the client hear of these users, in place of those it heard of before, and first tells it who is there.
// A list that is too long is cut.
func (s *Session) watch(ctx context.Context, app *tenants.App, ids []string) {
	s.unwatch(ctx)
	if !app.Features.Watchlist || len(ids) == 0 {
		return
	}
	most := app.Limits.WatchlistUsers
	if len(ids) > most {
		ids = ids[:most]
		s.carrier.Tell(pusher.Error(pusher.ErrorWatchlist,
			"The watchlist is over its limit; the first "+strconv.Itoa(most)+" users are watched"))
	}
	// Who comes or goes while the list is made is told after it. That may tell what the list says already.
	g := &gate{to: s.carrier}
	s.user.gate = g
	var online, offline []string
	for _, id := range ids {
		there, err := s.watchOne(ctx, app, id, g)
		switch {
		case err != nil:
			s.trouble(ctx, "watch", "", err)
		case there:
			online = append(online, id)
		default:
			offline = append(offline, id)
		}
	}
	if len(online)+len(offline) > 0 {
		s.carrier.Tell(pusher.WatchlistEvents(online, offline))
	}
	g.open()
}

func (s *Session) watchOne(ctx context.Context, app *tenants.App, id string, g *gate) (online bool, err error) {
	nothing := func() (channels.Greeting, error) { return channels.Greeting{}, nil }
	w, err := s.registry.cfg.Hub.Subscribe(ctx, channels.WatchTopic(app.ID, id), channels.Log{}, g, nothing)
	if err != nil {
		return false, err
	}
	s.user.watching = append(s.user.watching, w)
	o, err := s.registry.cfg.Presence.Channel(ctx, channels.UserTopic(app.ID, id))
	return o.Subscribers > 0 || o.Vacating, err
}

func (s *Session) unwatch(ctx context.Context) {
	if s.user.gate != nil {
		s.user.gate.shut() // What it still holds back is of a list that does not count any more.
	}
	for _, w := range s.user.watching {
		if err := s.registry.cfg.Hub.Unsubscribe(ctx, w); err != nil {
			s.trouble(ctx, "unwatch", "", err)
		}
	}
	s.user.watching, s.user.gate = nil, nil
}

// gate holds frames back until it is opened.
type gate struct {
	to channels.Subscriber

	mu     sync.Mutex
	opened bool     // guarded by mu
	closed bool     // guarded by mu; for good
	held   [][]byte // guarded by mu; not many, as each watched user comes and goes but so often
}

// ID implements [channels.Subscriber].
func (g *gate) ID() string { return g.to.ID() }

// Send implements [channels.Subscriber].
func (g *gate) Send(frame []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
	case g.opened:
		g.to.Send(frame)
	default:
		g.held = append(g.held, frame)
	}
}

// Terminate implements [channels.Subscriber]. Nobody is terminated for whom they watch.
func (g *gate) Terminate() {}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = true
	for _, frame := range g.held {
		g.to.Send(frame)
	}
	g.held = nil
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.held = true, nil
}

// awayGrace is how long a user may be gone before those who watch are told, so that going from one page to the next
// is no absence.
const awayGrace = 3 * time.Second

// Notices returns what a [channels.Presence] is to tell in the protocol's words.
func Notices() channels.Notices {
	return channels.Notices{
		Added:   func(channel string, m channels.Member) []byte { return pusher.MemberAdded(channel, m.ID, m.Info) },
		Removed: func(channel string, m channels.Member) []byte { return pusher.MemberRemoved(channel, m.ID) },
		Occupied: func(topic channels.Topic) (channels.Message, bool) {
			return userNotice(topic, func(id []string) []byte { return pusher.WatchlistEvents(id, nil) })
		},
		Vacated: func(topic channels.Topic) (channels.Message, bool) {
			return userNotice(topic, func(id []string) []byte { return pusher.WatchlistEvents(nil, id) })
		},
		Lost:  pusher.Gap,
		Grace: awayGrace,
	}
}

// userNotice tells those who watch a user that it has come or gone.
func userNotice(topic channels.Topic, frame func(id []string) []byte) (channels.Message, bool) {
	id, ok := topic.User()
	if !ok {
		return channels.Message{}, false
	}
	return channels.Message{Topic: channels.WatchTopic(topic.App, id), Frame: frame([]string{id})}, true
}
