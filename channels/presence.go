package channels

import (
	"context"
	"time"
)

// Presence knows who is where, over all edges: which topics are occupied and by how many sockets, who the members of
// presence channels are, and the last message that was kept for newcomers. It publishes the notices of members who
// come and go itself, because that must be one step with the change. All methods may be called at the same time.
//
// What a Presence owes, and the suite bustest checks: a member is told of once when its first socket comes and once
// when its last one goes, on whatever edges and however many at a time; the offset of a [Welcome] is that of the last
// notice or kept message that it already shows.
//
// Errors wrap [ErrUnavailable], or are named beside the method.
type Presence interface {
	// Join notes that a socket subscribes. The error is [ErrFull] when that would be a new member or a socket too many. After an error
	// the socket is not there, or will not be for long.
	Join(ctx context.Context, a Arrival) (Welcome, error)
	// Leave notes that a socket that joined has gone, and returns how many are left. After an error it is done as soon as
	// it can be; nobody needs to ask again.
	Leave(ctx context.Context, d Departure) (subscribers int, err error)
	// Channel tells how a topic is occupied.
	Channel(ctx context.Context, topic Topic) (Occupancy, error)
	// Occupancies tells how channels of an app are occupied, in the order in which they are named. It is one question, however
	// many they are.
	Occupancies(ctx context.Context, app string, names []string) ([]Occupancy, error)
	// Channels lists the occupied channels of an app whose names begin with prefix, by name.
	Channels(ctx context.Context, app, prefix string) ([]Occupancy, error)
	// Members lists the members of a presence channel.
	Members(ctx context.Context, topic Topic) ([]Member, error)
	// Kept returns the last message that was kept on a topic.
	Kept(ctx context.Context, topic Topic) (Kept, error)
}

// Member is a user on a presence channel.
type Member struct {
	ID string
	// Info is what the member tells of itself, as JSON.
	Info string
}

// Arrival is a socket that subscribes.
type Arrival struct {
	Topic  Topic
	Socket string
	// Member is who the socket stands for, on a presence channel; nil on others.
	Member *Member
	// MaxMembers bounds the distinct members.
	MaxMembers int
	// MaxSubscribers bounds the sockets on the topic; 0 is no bound.
	MaxSubscribers int
	// Log is the topic's; the notices of members who come and go are in it, too.
	Log Log
}

// Departure is a socket that has unsubscribed or gone.
type Departure struct {
	Topic  Topic
	Socket string
	// Member is the id of who the socket stood for, on a presence channel; empty on others.
	Member string
}

// Welcome is what a newcomer is to know.
type Welcome struct {
	// Subscribers counts the topic's sockets, this one included.
	Subscribers int
	// Members are the distinct members, this one included; only on a presence channel.
	Members []Member
	Kept    Kept
	// Offset is the place in the topic that all this belongs to.
	Offset uint64
}

// Occupancy is how a channel is occupied.
type Occupancy struct {
	Channel string
	// Subscribers counts sockets, Members distinct members.
	Subscribers, Members int
	// Vacating says that the channel is empty, but only since so short a time that nobody was told.
	Vacating bool
}

// Notices are what a [Presence] tells of people who come and go. Each may be nil; none may wait for anything.
type Notices struct {
	// Added and Removed return the frame that tells the others on a presence channel of a member. Removed can count on
	// the member's id only: who tells of it may not know more.
	Added, Removed func(channel string, m Member) []byte
	// Occupied and Vacated return what to publish when a topic has got its first socket or lost its last, on a topic of
	// the same app, and whether there is anything to publish at all. A topic that is occupied again within Grace was
	// never vacated.
	Occupied, Vacated func(topic Topic) (Message, bool)
	// Lost returns the frame that tells the sockets on a channel with a log that they may have missed something.
	Lost func(channel string) []byte
	// Grace is how long Vacated waits.
	Grace time.Duration
}
