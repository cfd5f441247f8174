package pusher

import "errors"

// ClientFrame is what a client said. Its data may be missing or of any type: pusher-js sends an object with
// its ping, Java sends none and Ruby sends null.
type ClientFrame struct {
	Event string
	// Channel is where a client's event is to go; frames of the protocol itself name theirs in the data. It may be
	// missing or of any type.
	Channel Value
	Data    Value
}

// The ways in which a frame of sound JSON can still make no sense. Their texts go to the client.
var (
	ErrNotAnObject = errors.New("a message must be a JSON object")
	ErrNoEvent     = errors.New("a message must have an event, which is a string and not empty")
	ErrNoChannel   = errors.New("the data must name a channel, which is a string and not empty")
	ErrBadAuth     = errors.New("auth must be a string")
	ErrNoUserData  = errors.New("the data must hold user_data, which is JSON in a string")
)

// ParseClientFrame reads the text of one frame. An error's text may be shown to the client. The frame's values
// point into text.
func ParseClientFrame(text []byte) (ClientFrame, error) {
	root, err := ParseJSON(text)
	if err != nil {
		return ClientFrame{}, err
	}
	if root.Kind() != KindObject {
		return ClientFrame{}, ErrNotAnObject
	}
	var f ClientFrame
	for m := root.Members(); m.Next(); {
		switch string(m.Name()) {
		case "event":
			f.Event = m.Value().Text()
		case "channel":
			f.Channel = m.Value()
		case "data":
			f.Data = m.Value()
		}
	}
	if f.Event == "" {
		return ClientFrame{}, ErrNoEvent
	}
	return f, nil
}

// data returns the data of a frame of the protocol itself. Official libraries send it as an object, some old ones as
// a string that holds one; both are read.
func (f ClientFrame) data() (Value, error) {
	if f.Data.Kind() == KindString {
		return ParseJSON([]byte(f.Data.Text()))
	}
	return f.Data, nil
}

// Subscription is what a subscribe or unsubscribe frame asks for.
type Subscription struct {
	Channel string
	// Auth is the customer's signature, or empty.
	Auth string
	// ChannelData is the customer's word on the client, exactly as it was signed. Empty is none.
	ChannelData string
}

// Subscription reads the data of a subscribe or unsubscribe frame. When the error is not about the channel, the
// subscription still names it.
func (f ClientFrame) Subscription() (Subscription, error) {
	data, err := f.data()
	if err != nil {
		return Subscription{}, err
	}
	var s Subscription
	var auth, channelData Value
	for m := data.Members(); m.Next(); {
		switch string(m.Name()) {
		case "channel":
			s.Channel = m.Value().Text()
		case "auth":
			auth = m.Value()
		case "channel_data":
			channelData = m.Value()
		}
	}
	switch {
	case s.Channel == "":
		return Subscription{}, ErrNoChannel
	case auth.Given() && auth.Kind() != KindString:
		return s, ErrBadAuth
	case channelData.Given() && channelData.Kind() != KindString:
		return s, ErrBadChannelData
	}
	s.Auth, s.ChannelData = auth.Text(), channelData.Text()
	return s, nil
}

// Signin reads the data of a sign-in frame. The user data is exactly what was signed.
func (f ClientFrame) Signin() (auth, userData string, err error) {
	data, err := f.data()
	if err != nil {
		return "", "", err
	}
	for m := data.Members(); m.Next(); {
		switch string(m.Name()) {
		case "auth":
			auth = m.Value().Text()
		case "user_data":
			userData = m.Value().Text()
		}
	}
	if userData == "" {
		return auth, "", ErrNoUserData
	}
	return auth, userData, nil
}
