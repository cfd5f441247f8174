package ledger

import (
	"fmt"
	"strconv"
	"time"
)

// ID names one published event. No two events of a run have the same.
type ID struct {
	App, Publisher, Channel uint16
	Seq                     uint32
}

func (id ID) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", id.App, id.Publisher, id.Channel, id.Seq)
}

// mark stands before and after an id in the data of an event, and nowhere else in its frame.
const mark = '#'

// AppendData appends the data of the event: its id, which JSON does not escape.
func (id ID) AppendData(dst []byte) []byte {
	dst = append(dst, mark)
	for _, n := range []uint64{uint64(id.App), uint64(id.Publisher), uint64(id.Channel)} {
		dst = append(strconv.AppendUint(dst, n, 10), '.')
	}
	return append(strconv.AppendUint(dst, uint64(id.Seq), 10), mark)
}

// FindID finds the id in a frame, and false where there is none.
func FindID(frame []byte) (ID, bool) {
	i := 0
	for i < len(frame) && frame[i] != mark {
		i++
	}
	var parts [4]uint64
	n := 0
	for i++; i < len(frame); i++ {
		switch c := frame[i]; {
		case c >= '0' && c <= '9':
			parts[n] = parts[n]*10 + uint64(c-'0')
		case c == '.' && n < len(parts)-1:
			n++
		case c == mark && n == len(parts)-1:
			return ID{uint16(parts[0]), uint16(parts[1]), uint16(parts[2]), uint32(parts[3])}, true
		default:
			return ID{}, false
		}
	}
	return ID{}, false
}

// Outcome is what a publisher knows of an event when it goes on to the next.
type Outcome uint8

// The outcomes. A publish that ended with an error may have happened: only a refusal before anything was done is a failure.
const (
	Unknown Outcome = iota
	OK
	Failed
)

func (o Outcome) String() string { return [...]string{"unknown", "ok", "failed"}[o] }

// Publish is one event. A publisher has one under way at a time, with all its tries.
type Publish struct {
	ID
	// Invoked is when the first try began, Answered when the last one ended, both by the clock of the run.
	Invoked, Answered time.Duration
	Outcome           Outcome
	// Status is the last answer's, 0 for none.
	Status int
	Tries  int
}

// Heard is an event that came to a socket.
type Heard struct {
	ID
	// On is the channel that the frame names; [Elsewhere] for one that the run does not have.
	On uint16
	At time.Duration
}

// Elsewhere is no channel of the run.
const Elsewhere = 1<<16 - 1

// Gap is that a socket was told that events are missing.
type Gap struct {
	At time.Duration
	// Before is how many events the socket had heard by then.
	Before int
}

// Listening is a socket's time on one channel, from the answer to its subscription.
type Listening struct {
	// Client is who listens; one that comes back after a loss has another Listening.
	Client, Edge int
	App, Channel uint16
	From         time.Duration
	// Until is when the socket ended and End says why; Until is 0 for one that was open when the run ended.
	Until time.Duration
	End   string
	Heard []Heard
	Gaps  []Gap
}

// Run is all that was seen.
type Run struct {
	Publishes  []Publish
	Listenings []Listening
	// Logged tells whether a channel has a log, so that nothing may be missing without a word.
	Logged func(app, channel uint16) bool
	// Ended is when the run did. What was still under way then has had the time to arrive.
	Ended time.Duration
}
