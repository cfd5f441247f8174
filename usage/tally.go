package usage

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Tally counts what one app uses on this edge. All methods may be called at the same time, allocate nothing, and do nothing on
// a nil Tally: where nobody counts, there is none.
type Tally struct {
	tenant uuid.UUID
	app    string

	lanes []Lane
	next  atomic.Uint32

	messagesIn, bytesIn, apiCalls, webhooks atomic.Int64
	rejections                              [reasonCount]atomic.Int64

	connections connections

	// Of the meter: what was counted by the last cut, and since when nothing was.
	before Counts
	quiet  time.Time
}

// Lane counts what some of an app's sockets are sent. There are several, each on a cache line of its own, because a message
// goes to many sockets and several processors send at a time. Like a Tally it may be nil.
type Lane struct {
	messages, bytes atomic.Int64
	_               [112]byte // two lines, because processors fetch them in pairs
}

func newTally(tenant uuid.UUID, app string, lanes int) *Tally {
	return &Tally{tenant: tenant, app: app, lanes: make([]Lane, lanes), quiet: time.Now()}
}

// Lane returns the lane of one more socket.
func (t *Tally) Lane() *Lane {
	if t == nil {
		return nil
	}
	return &t.lanes[int(t.next.Add(1))%len(t.lanes)]
}

// Delivered counts one message that a socket's queue took, of so many bytes.
func (l *Lane) Delivered(bytes int) {
	if l == nil {
		return
	}
	l.messages.Add(1)
	l.bytes.Add(int64(bytes))
}

// Published counts messages that the bus took.
func (t *Tally) Published(messages int) {
	if t != nil {
		t.messagesIn.Add(int64(messages))
	}
}

// Received counts bytes that the app's clients or servers sent.
func (t *Tally) Received(bytes int) {
	if t != nil {
		t.bytesIn.Add(int64(bytes))
	}
}

// Called counts a request of the app's servers, of so many bytes.
func (t *Tally) Called(bytes int) {
	if t != nil {
		t.apiCalls.Add(1)
		t.bytesIn.Add(int64(bytes))
	}
}

// Rejected counts something that was refused.
func (t *Tally) Rejected(why Reason) {
	if t != nil {
		t.rejections[why].Add(1)
	}
}

// Connected counts a connection that begins, and Disconnected belongs to its end.
func (t *Tally) Connected() {
	if t != nil {
		t.connections.change(1)
	}
}

// Disconnected counts a connection that ends.
func (t *Tally) Disconnected() {
	if t != nil {
		t.connections.change(-1)
	}
}

// connections are how many there are. They have a lock, because three numbers change together; a connection costs far more
// than that, and no message comes by here.
type connections struct {
	mu   sync.Mutex
	open int64         // guarded by mu
	peak int64         // guarded by mu; since the last cut
	time time.Duration // guarded by mu; all connections together, until since
	at   time.Time     // guarded by mu
}

func (c *connections) change(by int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(time.Now())
	c.open += by
	c.peak = max(c.peak, c.open)
}

// pass counts the time that has passed. The caller holds mu.
func (c *connections) pass(now time.Time) {
	if c.open > 0 {
		c.time += time.Duration(c.open) * now.Sub(c.at)
	}
	c.at = now
}

// cut returns the peak since the last cut and the time that all connections took, and begins anew with who is there.
func (c *connections) cut(now time.Time) (open, peak int64, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(now)
	peak, took = c.peak, c.time
	c.peak, c.time = c.open, 0
	return c.open, peak, took
}

// total returns the sums since the tally began.
func (t *Tally) total() Counts {
	c := Counts{
		MessagesIn: t.messagesIn.Load(), BytesIn: t.bytesIn.Load(), APICalls: t.apiCalls.Load(), Webhooks: t.webhooks.Load(),
	}
	for i := range t.lanes {
		c.MessagesOut += t.lanes[i].messages.Load()
		c.BytesOut += t.lanes[i].bytes.Load()
	}
	for i := range t.rejections {
		c.Rejections[i] = t.rejections[i].Load()
	}
	return c
}

// cut returns what was counted since the last cut. It is the meter's alone.
func (t *Tally) cut(now time.Time) (counts Counts, open int64) {
	total := t.total()
	counts = total.since(&t.before)
	t.before = total
	open, counts.PeakConnections, counts.ConnectionTime = t.connections.cut(now)
	if !counts.IsZero() {
		t.quiet = now
	}
	return counts, open
}

// since returns the sums that came after others.
func (c Counts) since(o *Counts) Counts {
	c.MessagesIn -= o.MessagesIn
	c.MessagesOut -= o.MessagesOut
	c.BytesIn -= o.BytesIn
	c.BytesOut -= o.BytesOut
	c.APICalls -= o.APICalls
	c.Webhooks -= o.Webhooks
	for i := range c.Rejections {
		c.Rejections[i] -= o.Rejections[i]
	}
	return c
}
