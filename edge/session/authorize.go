package session

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// authorizeSubscription tells whether the customer's server has signed what the client asks for, and on a presence channel as
// whom the client comes. It is checked before anything else about the channel, so that who has no signature learns nothing.
func (s *Session) authorizeSubscription(ctx context.Context, app *tenants.App, asked pusher.Subscription) (*channels.Member, *refusal) {
	kind := channels.KindOf(asked.Channel)
	if !kind.Authorized() {
		return nil, nil
	}
	if asked.Auth == "" {
		return nil, unauthorized("Auth info required to subscribe to " + asked.Channel)
	}
	auth, key, ok := s.parseAuth(ctx, app, asked.Auth)
	if !ok {
		return nil, unauthorized("Invalid key in subscription auth data: '" + shorten(asked.Auth) + "'")
	}
	member, r := s.verifySubscription(app, asked, auth, key.Secret.Reveal())
	if r != nil {
		return nil, r
	}
	key.Use.Touch()
	// Only who has the secret is told what the key is for.
	if err := key.Need(tenants.ScopeSubscribe); err != nil {
		return nil, &refusal{usage.NotAllowed, typeAuthError, http.StatusForbidden, err.Error()}
	}
	return member, nil
}

// verifySubscription tells whether a secret signed what the client asks for.
func (s *Session) verifySubscription(app *tenants.App, asked pusher.Subscription, auth pusher.Authorization, secret string) (*channels.Member, *refusal) {
	kind, id := channels.KindOf(asked.Channel), s.carrier.ID()
	if !kind.Members() {
		// Whether a private channel's data belongs to what is signed is not settled, so both ways are right.
		if !auth.VerifyChannel(secret, id, asked.Channel) &&
			(asked.ChannelData == "" || !auth.VerifyChannelData(secret, id, asked.Channel, asked.ChannelData)) {
			return nil, wrongSignature(id+":"+asked.Channel, asked.Auth)
		}
		return nil, nil
	}
	if asked.ChannelData == "" {
		return s.signedInMember(auth, secret, asked)
	}
	if !auth.VerifyChannelData(secret, id, asked.Channel, asked.ChannelData) {
		return nil, wrongSignature(id+":"+asked.Channel+":"+asked.ChannelData, asked.Auth)
	}
	member, info, err := pusher.ParseMember(asked.ChannelData)
	if err != nil {
		return nil, unauthorized("Invalid subscription: " + err.Error() + ": " + asked.Channel)
	}
	return checkMember(app, asked.Channel, &channels.Member{ID: member, Info: info})
}

// signedInMember is who comes to a presence channel without channel data: the user who has signed in.
func (s *Session) signedInMember(auth pusher.Authorization, secret string, asked pusher.Subscription) (*channels.Member, *refusal) {
	if !auth.VerifyChannel(secret, s.carrier.ID(), asked.Channel) {
		return nil, wrongSignature(s.carrier.ID()+":"+asked.Channel, asked.Auth)
	}
	if s.user == nil {
		return nil, unauthorized(asked.Channel + " is a presence channel and subscription must include channel_data")
	}
	return checkMember(s.App(), asked.Channel, &channels.Member{ID: s.user.id, Info: s.user.info})
}

func checkMember(app *tenants.App, channel string, m *channels.Member) (*channels.Member, *refusal) {
	tooLong := func(what string, most int, unit string) *refusal {
		return &refusal{
			usage.MemberLimit, typeLimitReached, int(pusher.ErrorClientEvent),
			what + " may have at most " + strconv.Itoa(most) + " " + unit + ": " + channel,
		}
	}
	if utf8.RuneCountInString(m.ID) > channels.MaxMemberID {
		return nil, tooLong("The user_id of a member", channels.MaxMemberID, "characters")
	}
	if len(m.Info) > app.Limits.MemberInfoBytes {
		return nil, tooLong("The user_info of a member", app.Limits.MemberInfoBytes, "bytes")
	}
	return m, nil
}

// parseAuth returns an authorization and the key that it must be signed with. Any key of the app that works will do.
func (s *Session) parseAuth(ctx context.Context, app *tenants.App, text string) (auth pusher.Authorization, key tenants.Key, ok bool) {
	auth, ok = pusher.ParseAuthorization(text)
	if !ok {
		return auth, key, false
	}
	if key, ok = app.Key(auth.Key); ok {
		return auth, key, true
	}
	// A key may be used before this edge has heard that it was made. Whoever guesses keys must not take the database's time.
	if !s.registry.newKeys.Allow() {
		return auth, key, false
	}
	newer, err := s.registry.cfg.Apps.ByKey(ctx, auth.Key)
	if err != nil || newer.ID != app.ID {
		return auth, key, false
	}
	key, ok = newer.Key(auth.Key)
	return auth, key, ok
}

func wrongSignature(signed, got string) *refusal {
	_, digest, _ := strings.Cut(got, ":")
	return unauthorized("Invalid signature: Expected HMAC SHA256 hex digest of " + shorten(signed) + ", but got " + shorten(digest))
}
