package channels

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A signed-in user has three topics, whose names no channel can have because of the sign they begin with. Clients know
// one of them; see [ServerToUser].
const (
	serverToUser = "#server-to-user-"
	signedIn     = "#user-"
	watched      = "#watch-"
)

// MaxUserID is the longest id of a user that any server library signs, in characters, and MaxMemberID that of a member
// of a presence channel (Pusher protocol, names and types).
const (
	MaxUserID   = 200
	MaxMemberID = 128
)

// ServerToUser tells whether a channel is the one on which servers speak to a single user, and to whom.
func ServerToUser(channel string) (user string, ok bool) {
	return strings.CutPrefix(channel, serverToUser)
}

// UserTopic is where every socket is that has signed in as a user.
func UserTopic(app, user string) Topic { return Topic{App: app, Channel: signedIn + user} }

// WatchTopic is where those are told who watch a user.
func WatchTopic(app, user string) Topic { return Topic{App: app, Channel: watched + user} }

// SocketsTopic is where every socket of an app is, so that they are counted over all edges. Nothing is said there.
func SocketsTopic(app string) Topic { return Topic{App: app, Channel: "#sockets"} }

// User tells whether the topic is a [UserTopic], and whose.
func (t Topic) User() (user string, ok bool) { return strings.CutPrefix(t.Channel, signedIn) }

// Internal tells whether a topic is none of the customers' channels: lists leave it out.
func (t Topic) Internal() bool { return strings.HasPrefix(t.Channel, "#") }

// CheckUserID tells whether an id may be a signed-in user's. Which characters it holds is the customer's affair.
func CheckUserID(id string) error {
	switch {
	case id == "":
		return &NameError{"a user id must not be empty"}
	case !utf8.ValidString(id):
		return &NameError{"a user id must be valid UTF-8"}
	case utf8.RuneCountInString(id) > MaxUserID:
		return &NameError{"a user id may have at most " + strconv.Itoa(MaxUserID) + " characters"}
	}
	return nil
}
