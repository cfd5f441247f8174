package pusher

import (
	"strconv"
	"time"
)

// Every frame is one JSON object with a string event. Its data is a JSON string, but for pusher:error, where
// it is an object (Pusher protocol, invariants): the Swift and Java libraries drop or crash on the other form.
// Key order is free on the wire; ours is event, channel, data.

// ConnectionEstablished is the first frame of a socket. The activity timeout goes out in whole seconds and is
// never 0, because pusher-js gives up for good on a handshake without it.
func ConnectionEstablished(socketID string, activityTimeout time.Duration) []byte {
	seconds := max(1, int64(activityTimeout/time.Second))
	data := `{"socket_id":"` + socketID + `","activity_timeout":` + strconv.FormatInt(seconds, 10) + `}`
	return eventFrame(EventConnectionEstablished, "", data)
}

// Pong answers pusher:ping. Its data is there because strict parsers miss it otherwise.
func Pong() []byte { return eventFrame(EventPong, "", "{}") }

// SubscriptionSucceeded confirms a subscription of a channel that is not a presence channel. Its data is
// exactly {}: Swift waits for it, and Java would decrypt anything else on an encrypted channel.
func SubscriptionSucceeded(channel string) []byte {
	return eventFrame(EventSubscriptionSucceeded, channel, "{}")
}

// SubscriptionError says why a subscription was refused. The event is [EventSubscriptionError], or
// [EventInternalSubscriptionError] for clients that listen for that; status is an HTTP-like number.
func SubscriptionError(event, channel, kind, reason string, status int) []byte {
	data := append([]byte(`{"type":`), appendQuoted(nil, kind)...)
	data = append(data, `,"error":`...)
	data = appendQuoted(data, reason)
	data = append(data, `,"status":`...)
	data = strconv.AppendInt(data, int64(status), 10)
	return eventFrame(event, channel, string(append(data, '}')))
}

// Error is a pusher:error frame: an explanation, which closes nothing by itself. A code of 0 becomes null.
func Error(code CloseCode, message string) []byte {
	const head, middle, tail = `{"event":"pusher:error","data":{"code":`, `,"message":`, `}}`
	f := make([]byte, 0, len(head)+4+len(middle)+2+escapedLen(message)+len(tail))
	f = append(f, head...)
	if code == 0 {
		f = append(f, "null"...)
	} else {
		f = strconv.AppendInt(f, int64(code), 10)
	}
	f = append(f, middle...)
	f = appendQuoted(f, message)
	return append(f, tail...)
}

// EventFrame returns the frame of an event on a single channel: what NewEvent and Frame return, without the
// step between them. All three must be valid UTF-8, and the channel must not be empty.
func EventFrame(name, channel, data string) []byte { return eventFrame(name, channel, data) }

// Event is an event that was published, escaped once, ready to become the frame of each channel it goes to.
type Event struct {
	text []byte // `{"event":"…","channel":` and then `,"data":"…"}`
	head int    // the length of the first part
}

const (
	frameEvent   = `{"event":`
	frameChannel = `,"channel":`
	frameData    = `,"data":`
)

// NewEvent escapes the name and the data of an event. Both must be valid UTF-8.
func NewEvent(name, data string) Event {
	head := len(frameEvent) + 2 + escapedLen(name) + len(frameChannel)
	text := make([]byte, 0, head+len(frameData)+2+escapedLen(data)+1)
	text = append(text, frameEvent...)
	text = appendQuoted(text, name)
	text = append(text, frameChannel...)
	text = append(text, frameData...)
	text = appendQuoted(text, data)
	text = append(text, '}')
	return Event{text: text, head: head}
}

// Frame returns the event's frame on one channel. The caller owns it.
func (e Event) Frame(channel string) []byte {
	f := make([]byte, 0, len(e.text)+2+escapedLen(channel))
	f = append(f, e.text[:e.head]...)
	f = appendQuoted(f, channel)
	return append(f, e.text[e.head:]...)
}

// eventFrame returns a frame with string data; an empty channel is left out.
func eventFrame(event, channel, data string) []byte {
	n := len(frameEvent) + 2 + escapedLen(event) + len(frameData) + 2 + escapedLen(data) + 1
	if channel != "" {
		n += len(frameChannel) + 2 + escapedLen(channel)
	}
	f := make([]byte, 0, n)
	f = append(f, frameEvent...)
	f = appendQuoted(f, event)
	if channel != "" {
		f = append(f, frameChannel...)
		f = appendQuoted(f, channel)
	}
	f = append(f, frameData...)
	f = appendQuoted(f, data)
	return append(f, '}')
}
