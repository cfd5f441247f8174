package channels

import (
	"context"
	"errors"
	"time"
)

// Topic is the unit of routing: a channel of one app.
type Topic struct {
	App     string
	Channel string
}

// Message is a frame on its way to a topic.
type Message struct {
	Topic Topic
	// Frame is encoded once, where it was published, and shared by all who get it: nobody may change it.
	Frame []byte
	// Except is the id of the socket that must not get the frame, or empty.
	Except string
	// Keep is how long the bus keeps the frame as the topic's last one, for who subscribes later; 0 is not at all.
	Keep time.Duration
	// Offset is the message's place in its topic, which only rises. The bus gives it to messages that change what a
	// newcomer is told: those that are kept, and the notices of members who come and go. All others have 0.
	Offset uint64
	// Log has the bus append the message to the topic's log, and bounds that.
	Log Log
	// Position is the message's place in the log. The bus gives it; a message that is in no log has none.
	Position Position
	// Terminate ends the sockets that are on the topic; there is no frame then.
	Terminate bool
}

// Kept is the last message of a topic that its bus kept. The zero Kept is none.
type Kept struct {
	Frame []byte
	// Expires is when the bus forgets it.
	Expires time.Time
}

var (
	// ErrUnavailable says that the bus cannot take or promise anything at the moment, and that asking again may help.
	ErrUnavailable = errors.New("the bus is unavailable")
	// ErrFull says that a topic has as many members or sockets as it may have.
	ErrFull = errors.New("the topic is full")
)

// Bus is the fan-out between edges. All methods may be called at the same time.
//
// What a Bus owes, and the suite bustest checks: messages of one Publish keep their order; on one topic all
// edges see one order; a Publish that begins after another has returned comes later; nothing arrives twice;
// an edge gets what is published after its Subscribe returned, and nothing that is published after its
// Unsubscribe returned. On a topic with a log an edge gets even what was published while it could hear nothing,
// in its place; where the log does not reach back that far, it gets the notice that [Notices].Lost makes instead.
type Bus interface {
	// Publish hands all messages over in one go. Nil means that the bus has them; an error that wraps
	// [ErrUnavailable] that it may not have them, some or all.
	Publish(ctx context.Context, messages ...Message) error
	// PublishOnce publishes those parcels of an app that it has not published before, in one step with noting that. It
	// remembers a key for [OnceFor]. The error is a [KeyUsedError], and then nothing was published, or wraps
	// [ErrUnavailable]: then asking again with the same keys publishes nothing twice.
	PublishOnce(ctx context.Context, app string, parcels ...Parcel) ([]Receipt, error)
	// Subscribe returns when this edge's interest in the topic is in force. It is not counted: one
	// Unsubscribe ends it, however often it was asked for. log is the topic's.
	Subscribe(ctx context.Context, topic Topic, log Log) error
	// Unsubscribe ends this edge's interest. After an error the topic may still be heard for a while.
	Unsubscribe(ctx context.Context, topic Topic) error
	// Run carries messages to deliver until ctx ends, which is no error. deliver is called from several
	// goroutines at a time and must not wait for the bus.
	Run(ctx context.Context, deliver func(Message)) error
}
