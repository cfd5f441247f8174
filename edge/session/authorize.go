package session

import (
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
func (s *Session) authorizeSubscription(app *tenants.App, asked pusher.Subscription) (*channels.Member, *refusal) {
	kind := channels.KindOf(asked.Channel)
	if !kind.Authorized() {
		return nil, nil
	}
	if asked.Auth == "" {
		return nil, unauthorized("Auth info required to subscribe to " + asked.Channel)
	}
	auth, secret, ok := parseAuth(app, asked.Auth)
	if !ok {
		return nil, unauthorized("Invalid key in subscription auth data: '" + shorten(asked.Auth) + "'")
	}
	id := s.carrier.ID()
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

// parseAuth returns an authorization and the secret that it must be signed with. Any active key of the app will do.
func parseAuth(app *tenants.App, text string) (auth pusher.Authorization, secret string, ok bool) {
	auth, ok = pusher.ParseAuthorization(text)
	if !ok {
		return auth, "", false
	}
	key, ok := app.Key(auth.Key)
	return auth, key.Secret.Reveal(), ok
}

func wrongSignature(signed, got string) *refusal {
	_, digest, _ := strings.Cut(got, ":")
	return unauthorized("Invalid signature: Expected HMAC SHA256 hex digest of " + shorten(signed) + ", but got " + shorten(digest))
}
