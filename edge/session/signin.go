package session

import (
	"context"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// user is who has signed in on a socket. There is no signing out: it ends with the socket.
type user struct {
	id, info string
	// here is where the socket is counted among the user's, and hears when they are to end.
	here *channels.Subscription
	// watching are the users whose coming and going the socket hears of, and gate is what holds that back until the
	// socket knows who is there.
	watching []*channels.Subscription
	gate     *gate
}

// signin answers pusher:signin, always: pusher-js keeps presence subscriptions waiting for it.
func (s *Session) signin(ctx context.Context, frame pusher.ClientFrame) {
	auth, userData, err := frame.Signin()
	if err != nil {
		s.refuse(usage.Invalid, "Invalid sign-in: "+err.Error())
		return
	}
	app := s.App()
	if !s.mayWish(app) {
		s.refuse(usage.SubscriptionLimit, "Too many sign-ins in a short time, try again in a moment")
		return
	}
	u, why, problem := s.authenticate(ctx, app, auth, userData)
	if problem != "" {
		s.refuse(why, problem)
		return
	}
	if s.user == nil {
		if err := s.signIn(ctx, app, u); err != nil {
			s.trouble(ctx, "sign in", "", err)
			s.refuse(usage.Unavailable, "Signing in is unavailable at the moment, try again")
			return
		}
	}
	s.authorize()
	s.carrier.Tell(pusher.SigninSuccess(userData))
	s.watch(ctx, app, u.Watchlist)
}

// authenticate reads who a client is by its server's word, or says what is wrong with that word.
func (s *Session) authenticate(ctx context.Context, app *tenants.App, auth, userData string) (u pusher.User, why usage.Reason, problem string) {
	if auth == "" {
		return u, usage.Unauthorized, "Auth info required to sign in"
	}
	signed, key, ok := s.parseAuth(ctx, app, auth)
	if !ok {
		return u, usage.Unauthorized, "Invalid key in sign-in auth data: '" + shorten(auth) + "'"
	}
	if !signed.VerifyUser(key.Secret.Reveal(), s.carrier.ID(), userData) {
		return u, usage.Unauthorized, wrongSignature(s.carrier.ID()+"::user::"+userData, auth).text
	}
	key.Use.Touch()
	if err := key.Need(tenants.ScopeSubscribe); err != nil {
		return u, usage.NotAllowed, err.Error()
	}
	u, err := pusher.ParseUser(userData)
	if err != nil {
		return u, usage.Unauthorized, "Invalid sign-in: " + err.Error()
	}
	if err := channels.CheckUserID(u.ID); err != nil {
		return u, usage.Unauthorized, "Invalid sign-in: " + err.Error()
	}
	if s.user != nil && s.user.id != u.ID {
		return u, usage.Unauthorized, "The connection is already signed in as another user"
	}
	return u, 0, ""
}

// signIn counts the socket among the user's.
func (s *Session) signIn(ctx context.Context, app *tenants.App, u pusher.User) error {
	a := channels.Arrival{Topic: channels.UserTopic(app.ID, u.ID)}
	here, err := s.arrive(ctx, a, func(w channels.Welcome) channels.Greeting { return channels.Greeting{Offset: w.Offset} })
	if err != nil {
		return err
	}
	s.user = &user{id: u.ID, info: u.Info, here: here}
	return nil
}

// signOut takes back what signing in did, when the socket has gone.
func (s *Session) signOut(ctx context.Context) {
	s.unwatch(ctx)
	s.depart(ctx, "sign out", s.user.here, channels.Departure{Topic: channels.UserTopic(s.App().ID, s.user.id)})
	s.user = nil
}
