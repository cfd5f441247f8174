package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept between a microsecond and a minute, three digits of each.
const (
	shortest = 1
	longest  = int64(time.Minute / time.Microsecond)
	digits   = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, digits) }

// record takes a latency in; what is out of range counts at its edge, so that nothing goes missing.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(max(shortest, min(d.Microseconds(), longest)))
}

// counts are what a round counts from its beginning to its end, warm-up included: what is lost must not hide in it.
type counts struct {
	published  int64 // answered with 200
	refused    int64 // answered with anything else, or not at all
	expected   int64 // deliveries of what was published
	delivered  int64 // each counted once
	duplicates int64
	outOfOrder int64
	misplaced  int64 // heard on another channel's socket
	strays     int64 // of another run
	dropped    int64 // sockets that the server closed
	notices    int64 // of members that came
}

// flight is a message under way.
type flight struct {
	message uint32
	left    int // deliveries to come; 0: none, or given up
	sent    time.Duration
}

// tally counts, and knows which messages are under way.
type tally struct {
	counts
	latency  *hdrhistogram.Histogram // of deliveries, or of publishes where nobody listens
	flights  []flight                // by message, modulo its length
	underway int
}

// flightsKept bounds how many messages are told apart while they are under way. It is far more than a window.
const flightsKept = 1 << 15

func newTally() *tally {
	return &tally{latency: newHistogram(), flights: make([]flight, flightsKept)}
}

func (t *tally) flight(message uint32) *flight { return &t.flights[message%flightsKept] }

// launch notes a message that is sent now to some listeners.
func (t *tally) launch(message uint32, listeners int, now time.Duration) {
	f := t.flight(message)
	if f.left > 0 {
		t.underway--
	}
	*f = flight{message: message, left: listeners, sent: now}
	if listeners > 0 {
		t.underway++
	}
}

// deliver notes one delivery, and says whether it was the message's last.
func (t *tally) deliver(message uint32, took time.Duration) bool {
	t.delivered++
	record(t.latency, took)
	f := t.flight(message)
	if f.message != message || f.left == 0 {
		return false
	}
	if f.left--; f.left == 0 {
		t.underway--
		return true
	}
	return false
}

// abandon gives a message up, and says whether it was under way.
func (t *tally) abandon(message uint32) bool {
	f := t.flight(message)
	if f.message != message || f.left == 0 {
		return false
	}
	f.left = 0
	t.underway--
	return true
}

// abandonBefore gives up every message sent before a time: in a closed loop, a lost one would stop everything.
func (t *tally) abandonBefore(sent time.Duration) {
	if t.underway == 0 {
		return
	}
	for i := range t.flights {
		if f := &t.flights[i]; f.left > 0 && f.sent < sent {
			f.left = 0
			t.underway--
		}
	}
}

func (t *tally) lost() int64 { return max(0, t.expected-t.delivered) }
