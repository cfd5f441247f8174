package session

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// Carrier is what a conversation runs over.
type Carrier interface {
	// Subscriber is how messages get to the client. Its id is the socket id.
	channels.Subscriber
	// Tell is Send for what the conversation itself answers: it is no message of a channel, and not counted as one.
	Tell(frame []byte)
	// End ends the conversation with a code and says why. Like Send it never blocks and may be called at any time.
	End(end *Ending)
}

// Terminated is why a socket ends whose user the app has disconnected.
func Terminated() *Ending {
	return &Ending{pusher.CloseUnauthorized, "The connection was ended by the app"}
}

// Session is one client's conversation. Unless it says otherwise its methods must not be called at the same
// time: a conversation has one thread.
type Session struct {
	registry *Registry
	carrier  Carrier
	app      atomic.Pointer[tenants.App]
	key      string // the public key that it came in with
	client   string // the name that the client's library gave itself, such as "js", or empty
	origin   string
	tls      bool
	tally    *usage.Tally // of the app; nil where nobody counts

	subscriptions map[string]subscription // by channel
	user          *user                   // who has signed in, nil while nobody has
	clientEvents  *rate.Limiter           // nil until the first client event
	wishes        *rate.Limiter           // of subscriptions and sign-ins; nil until the first
	counted       counting                // guarded by the registry's mu
	inApp         bool                    // counted with the app; whoever counts may touch it, see Registry.join
	inTenant      bool                    // counted with the tenant; likewise
	connected     bool                    // and in the tally

	mu         sync.Mutex
	authorized bool        // guarded by mu; somebody's server has vouched for this client
	deadline   *time.Timer // guarded by mu; ends a conversation that must be authorized and is not
	over       bool        // guarded by mu; the conversation has ended
}

// subscription is one channel that the client is on.
type subscription struct {
	*channels.Subscription
	// member is whom the client stands for, on a presence channel.
	member string
}

// New returns a conversation with a guest that has not begun.
func (r *Registry) New(g Guest, c Carrier) *Session {
	s := &Session{registry: r, carrier: c, key: g.Key, client: g.Client, origin: g.Origin, tls: g.TLS}
	s.app.Store(g.App)
	s.tally = r.cfg.Usage.Tally(g.App.TenantID, g.App.ID)
	return s
}

// Lane is where the carrier counts what its queue takes by Send.
func (s *Session) Lane() *usage.Lane { return s.tally.Lane() }

// Open lets the conversation begin: it says hello, or returns why there is no place for it. After either, Close
// belongs to its end.
func (s *Session) Open(ctx context.Context) *Ending {
	if end := s.registry.enter(ctx, s); end != nil {
		return end
	}
	s.connected = true
	s.tally.Connected()
	app := s.App()
	s.carrier.Tell(pusher.ConnectionEstablished(s.carrier.ID(), app.Limits.ActivityTimeout))
	s.mindDeadline(app)
	return nil
}

// mindDeadline gives a client that must be authorized the time for it, from now, and takes that back where it need not be
// any more. It may be called at any time.
func (s *Session) mindDeadline(app *tenants.App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch wanted := app.Features.AuthorizedConnections && !s.authorized && !s.over; {
	case wanted && s.deadline == nil:
		s.deadline = time.AfterFunc(app.Limits.AuthorizationTimeout, s.tooLate)
	case !wanted && s.deadline != nil:
		s.deadline.Stop()
		s.deadline = nil
	}
}

func (s *Session) tooLate() {
	s.mu.Lock()
	late := !s.authorized && !s.over && s.deadline != nil
	s.mu.Unlock()
	if late {
		s.tally.Rejected(usage.Unauthorized)
		s.carrier.End(&Ending{pusher.CloseUnauthorized, "The connection was not authorized within the time for it"})
	}
}

// authorize notes that a server has vouched for the client.
func (s *Session) authorize() {
	s.mu.Lock()
	s.authorized = true
	s.mu.Unlock()
	s.mindDeadline(s.App())
}

// setApp makes changed settings of the app hold from now on. It may be called at any time.
func (s *Session) setApp(app *tenants.App) {
	s.app.Store(app)
	s.mindDeadline(app)
}

// App returns the app with the settings that hold now. It may be called at any time.
func (s *Session) App() *tenants.App { return s.app.Load() }

// Handle answers one frame. Whatever a client sends, the conversation goes on. The text is not kept.
func (s *Session) Handle(ctx context.Context, text []byte) {
	s.tally.Received(len(text))
	frame, err := pusher.ParseClientFrame(text)
	if err != nil {
		s.refuse(usage.Invalid, "Invalid message: "+err.Error())
		return
	}
	switch frame.Event {
	case pusher.EventPing:
		s.carrier.Tell(pusher.Pong())
	case pusher.EventPong:
		// An answer needs none. That it came at all is what counts, and the carrier has seen that.
	case pusher.EventSubscribe:
		s.subscribe(ctx, frame)
	case pusher.EventUnsubscribe:
		s.unsubscribe(ctx, frame)
	case pusher.EventSignin:
		s.signin(ctx, frame)
	default:
		if strings.HasPrefix(frame.Event, pusher.ClientPrefix) {
			s.clientEvent(ctx, frame)
			return
		}
		s.refuse(usage.Invalid, "Unsupported event received on socket: '"+shorten(frame.Event)+"'")
	}
}

// RefuseBinary answers a binary frame, which the protocol does not have.
func (s *Session) RefuseBinary() {
	s.refuse(usage.Invalid, "Invalid message: binary frames are not part of the protocol")
}

// Close ends the conversation and leaves nothing of it behind.
func (s *Session) Close(ctx context.Context) {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.mindDeadline(s.App())
	if s.connected {
		s.connected = false
		s.tally.Disconnected()
	}
	// Its place first: the client may be coming back already.
	s.registry.remove(s)
	s.registry.discount(ctx, s)
	for channel := range s.subscriptions {
		s.leave(ctx, channel)
	}
	if s.user != nil {
		s.signOut(ctx)
	}
}

// wishesPerSecond is how many subscriptions and sign-ins a client may ask for in the long run. At once it may ask for as
// many as it may have: that is what a page does when it comes back. Each costs everybody else on a presence channel a
// notice, so nobody may come and go as fast as it can send.
const wishesPerSecond = 50

// mayWish tells whether the client may ask for one more now.
func (s *Session) mayWish(app *tenants.App) bool {
	if s.wishes == nil {
		s.wishes = rate.NewLimiter(wishesPerSecond, wishesPerSecond+app.Limits.ChannelsPerSocket)
	}
	return s.wishes.Allow()
}

// refuse says what is wrong, and counts it.
func (s *Session) refuse(why usage.Reason, message string) {
	s.tally.Rejected(why)
	s.say(message)
}

// say sends an error frame that closes nothing and has no code, as Pusher does (Pusher protocol, errors).
func (s *Session) say(message string) { s.carrier.Tell(pusher.Error(0, message)) }

// trouble logs what a client can do nothing about.
func (s *Session) trouble(ctx context.Context, doing, channel string, err error) {
	// While the bus is away there is one for each client.
	s.registry.troubles.Do(func() {
		s.registry.cfg.Logger.WarnContext(ctx, "a client's wish was not carried out", slog.String("wish", doing), slog.String("app", s.App().ID),
			slog.String("socket", s.carrier.ID()), slog.String("channel", channel), slog.Any("error", err))
	})
}

// shorten cuts what a client sent to a length that is worth repeating to it.
func shorten(text string) string { return pusher.Shorten(text, 200) }
