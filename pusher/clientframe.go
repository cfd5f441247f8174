package pusher

import "errors"

// ClientFrame is what a client said. Its data may be missing or of any type: pusher-js sends an object with
// its ping, Java sends none and Ruby sends null.
type ClientFrame struct {
	Event string
	Data  Value
}

// The ways in which a frame of sound JSON can still make no sense. Their texts go to the client.
var (
	ErrNotAnObject = errors.New("a message must be a JSON object")
	ErrNoEvent     = errors.New("a message must have an event, which is a string and not empty")
	ErrNoChannel   = errors.New("the data must name a channel, which is a string and not empty")
)

// ParseClientFrame reads the text of one frame. An error's text may be shown to the client. The frame's data
// points into text.
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
		case "data":
			f.Data = m.Value()
		}
	}
	if f.Event == "" {
		return ClientFrame{}, ErrNoEvent
	}
	return f, nil
}

// Channel returns the channel that the data of a subscribe or unsubscribe frame names. Official libraries
// send the data as an object, some old ones as a string that holds one; both are read.
func (f ClientFrame) Channel() (string, error) {
	data := f.Data
	if data.Kind() == KindString {
		inner, err := ParseJSON([]byte(data.Text()))
		if err != nil {
			return "", err
		}
		data = inner
	}
	for m := data.Members(); m.Next(); {
		if string(m.Name()) == "channel" && m.Value().Text() != "" {
			return m.Value().Text(), nil
		}
	}
	return "", ErrNoChannel
}
