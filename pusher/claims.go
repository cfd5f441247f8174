package pusher

import "errors"

// Claims are what a customer's server says of a client and signs: the client's part in a presence channel, or who it
// is. They come as JSON in a string, and the signature is over that string.

// The ways in which claims can be wrong. Their texts go to the client.
var (
	ErrBadChannelData = errors.New("channel_data must be a JSON object in a string")
	ErrBadUserData    = errors.New("user_data must be a JSON object in a string")
	ErrNoUserID       = errors.New("channel_data must have a user_id, which is a string or a number and not empty")
	ErrNoSigninID     = errors.New("user_data must have an id, which is a string and not empty")
	ErrBadWatchlist   = errors.New("the watchlist of user_data must be an array of strings")
)

// NoInfo is what stands for the info of a member that tells nothing of itself.
const NoInfo = "{}"

// ParseMember reads the channel data of a presence channel. The id is the text of a number too, never its value,
// because large numbers lose digits; the info is JSON, [NoInfo] where there is none.
func ParseMember(channelData string) (id, info string, err error) {
	root, err := ParseJSON([]byte(channelData))
	if err != nil || root.Kind() != KindObject {
		return "", "", ErrBadChannelData
	}
	info = NoInfo
	for m := root.Members(); m.Next(); {
		switch string(m.Name()) {
		case "user_id":
			id = idText(m.Value())
		case "user_info":
			info = m.Value().JSON()
		}
	}
	if id == "" {
		return "", "", ErrNoUserID
	}
	return id, info, nil
}

func idText(v Value) string {
	if v.Kind() == KindNumber {
		return v.JSON()
	}
	return v.Text()
}

// User is who a client signed in as.
type User struct {
	ID string
	// Info is JSON, [NoInfo] where there is none.
	Info string
	// Watchlist are the ids of the users that this one wants to know about, each once.
	Watchlist []string
}

// ParseUser reads the user data of a sign-in.
func ParseUser(userData string) (User, error) {
	root, err := ParseJSON([]byte(userData))
	if err != nil || root.Kind() != KindObject {
		return User{}, ErrBadUserData
	}
	u := User{Info: NoInfo}
	for m := root.Members(); m.Next(); {
		switch string(m.Name()) {
		case "id":
			u.ID = m.Value().Text() // pusher-js drops a sign-in whose id is not a string
		case "user_info":
			u.Info = m.Value().JSON()
		case "watchlist":
			if u.Watchlist, err = watchlist(m.Value()); err != nil {
				return User{}, err
			}
		}
	}
	if u.ID == "" {
		return User{}, ErrNoSigninID
	}
	return u, nil
}

func watchlist(v Value) ([]string, error) {
	if !v.Given() {
		return nil, nil
	}
	if v.Kind() != KindArray {
		return nil, ErrBadWatchlist
	}
	var ids []string
	seen := map[string]bool{}
	for items := v.Items(); items.Next(); {
		id := items.Value().Text()
		if id == "" {
			return nil, ErrBadWatchlist
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
