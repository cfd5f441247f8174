package pusher

import (
	"iter"
	"strconv"
)

// The frames about people: who is on a presence channel, who has signed in, whom a user watches.

// PresenceSucceeded confirms a subscription of a presence channel with its n members, id and info, the subscriber
// among them. Ids are strings and unique; the info is JSON.
func PresenceSucceeded(channel string, n int, members iter.Seq2[string, string]) []byte {
	const room = 64 // for one member, by experience
	ids := make([]byte, 0, n*room/2)
	hash := make([]byte, 0, n*room)
	for id, info := range members {
		if len(hash) > 0 {
			ids = append(ids, ',')
			hash = append(hash, ',')
		}
		ids = appendQuoted(ids, id)
		hash = appendQuoted(hash, id)
		hash = append(hash, ':')
		hash = append(hash, info...)
	}
	data := make([]byte, 0, len(ids)+len(hash)+room)
	data = append(data, `{"presence":{"count":`...)
	data = strconv.AppendInt(data, int64(n), 10)
	data = append(data, `,"ids":[`...)
	data = append(data, ids...)
	data = append(data, `],"hash":{`...)
	data = append(data, hash...)
	data = append(data, "}}}"...)
	return eventFrame(EventSubscriptionSucceeded, channel, string(data))
}

// MemberAdded tells the others on a presence channel of a new member. The info is JSON.
func MemberAdded(channel, id, info string) []byte {
	data := append(userID(id), `,"user_info":`...)
	data = append(data, info...)
	return eventFrame(EventMemberAdded, channel, string(append(data, '}')))
}

// MemberRemoved tells those on a presence channel that a member has gone.
func MemberRemoved(channel, id string) []byte {
	return eventFrame(EventMemberRemoved, channel, string(append(userID(id), '}')))
}

// userID begins an object with a user's id, which is a string on the wire everywhere.
func userID(id string) []byte { return appendQuoted([]byte(`{"user_id":`), id) }

// ClientEventFrame returns the frame of a client's event. The sender's id as a member goes out with it on presence
// channels; empty, it is left out.
func ClientEventFrame(name, channel, data, sender string) []byte {
	f := eventFrame(name, channel, data)
	if sender == "" {
		return f
	}
	f = append(f[:len(f)-1], `,"user_id":`...)
	return append(appendQuoted(f, sender), '}')
}

// SigninSuccess confirms a sign-in. The user data goes back as it came, byte for byte.
func SigninSuccess(userData string) []byte {
	data := appendQuoted([]byte(`{"user_data":`), userData)
	return eventFrame(EventSigninSuccess, "", string(append(data, '}')))
}

// WatchlistEvents tells a watcher which users are there and which are not; an empty list is left out. It has no
// channel.
func WatchlistEvents(online, offline []string) []byte {
	data := []byte(`{"events":[`)
	for _, e := range []struct {
		name string
		ids  []string
	}{{"online", online}, {"offline", offline}} {
		if len(e.ids) == 0 {
			continue
		}
		if data[len(data)-1] == '}' {
			data = append(data, ',')
		}
		data = append(data, `{"name":"`+e.name+`","user_ids":[`...)
		for i, id := range e.ids {
			if i > 0 {
				data = append(data, ',')
			}
			data = appendQuoted(data, id)
		}
		data = append(data, "]}"...)
	}
	return eventFrame(EventWatchlist, "", string(append(data, "]}"...)))
}

// CacheMiss tells a newcomer on a cache channel that nothing is kept.
func CacheMiss(channel string) []byte { return eventFrame(EventCacheMiss, channel, "{}") }

// Gap tells those on a channel that messages were lost, so that what they know of it may be old. Its data is exactly {},
// which Java does not try to decrypt on an encrypted channel.
func Gap(channel string) []byte { return eventFrame(EventGap, channel, "{}") }

// SubscriptionCount tells those on a channel how many they are.
func SubscriptionCount(channel string, n int) []byte {
	return eventFrame(EventSubscriptionCount, channel, `{"subscription_count":`+strconv.Itoa(n)+"}")
}
