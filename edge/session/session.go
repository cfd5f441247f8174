package session

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// Config is what a [Session] needs.
type Config struct {
	Hub *channels.Hub
	// Socket is who carries the conversation. Its id is the socket id.
	Socket channels.Subscriber
	App    *tenants.App
	// Client is the name that the client's library gave itself, such as "js", or empty.
	Client string
	// Logger is for trouble of ours, never for what a client did wrong.
	Logger *slog.Logger
}

// Session is one client's conversation. But for [Session.SetApp] its methods must not be called at the same
// time: a conversation has one thread.
type Session struct {
	hub           *channels.Hub
	socket        channels.Subscriber
	app           atomic.Pointer[tenants.App]
	client        string
	log           *slog.Logger
	subscriptions map[string]*channels.Subscription // by channel
}

// New returns a session that has not begun.
func New(cfg Config) *Session {
	s := &Session{
		hub:           cfg.Hub,
		socket:        cfg.Socket,
		client:        cfg.Client,
		log:           cfg.Logger,
		subscriptions: make(map[string]*channels.Subscription),
	}
	s.app.Store(cfg.App)
	return s
}

// Open says hello: the socket's id, and after how much silence the client should ping.
func (s *Session) Open(activityTimeout time.Duration) {
	s.socket.Send(pusher.ConnectionEstablished(s.socket.ID(), activityTimeout))
}

// SetApp makes changed settings of the app hold from now on. It may be called at any time.
func (s *Session) SetApp(app *tenants.App) { s.app.Store(app) }

// App returns the app with the settings that hold now.
func (s *Session) App() *tenants.App { return s.app.Load() }

// Handle answers one frame. Whatever a client sends, the conversation goes on. The text is not kept.
func (s *Session) Handle(ctx context.Context, text []byte) {
	frame, err := pusher.ParseClientFrame(text)
	if err != nil {
		s.refuse("Invalid message: " + err.Error())
		return
	}
	switch frame.Event {
	case pusher.EventPing:
		s.socket.Send(pusher.Pong())
	case pusher.EventPong:
		// An answer needs none. That it came at all is what counts, and the carrier has seen that.
	case pusher.EventSubscribe:
		s.subscribe(ctx, frame)
	case pusher.EventUnsubscribe:
		s.unsubscribe(ctx, frame)
	default:
		s.refuse("Unsupported event received on socket: '" + shorten(frame.Event) + "'")
	}
}

// RefuseBinary answers a binary frame, which the protocol does not have.
func (s *Session) RefuseBinary() {
	s.refuse("Invalid message: binary frames are not part of the protocol")
}

// Close ends the conversation and all its subscriptions.
func (s *Session) Close(ctx context.Context) {
	for channel := range s.subscriptions {
		s.leave(ctx, channel)
	}
}

// refuse sends an error frame that closes nothing and has no code, as Pusher does (Pusher protocol, errors).
func (s *Session) refuse(message string) { s.socket.Send(pusher.Error(0, message)) }

// shorten cuts what a client sent to a length that is worth repeating to it.
func shorten(text string) string {
	const enough = 200
	if utf8.RuneCountInString(text) <= enough {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > enough {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}
