package usage

import (
	"time"

	"github.com/google/uuid"
)

// IntervalLength is how long an edge counts before it hands over. Intervals begin at whole multiples of it since midnight UTC.
const IntervalLength = 10 * time.Second

// Counts are what was used. docs/usage.md says what each number means.
type Counts struct {
	// PeakConnections is the most connections at any moment. It is the only number that is not a sum.
	PeakConnections int64
	// ConnectionTime is how long connections were open, all of them together.
	ConnectionTime time.Duration
	MessagesIn     int64
	MessagesOut    int64
	BytesIn        int64
	BytesOut       int64
	APICalls       int64
	// Webhooks counts deliveries to customers' servers. Nothing counts it before there are any.
	Webhooks   int64
	Rejections Rejections
}

// Rejections are how many were refused, by reason.
type Rejections [reasonCount]int64

// IsZero tells whether nothing was used.
func (c *Counts) IsZero() bool { return *c == Counts{} }

// Add adds the sums of another part of the same time. The peaks of two edges add up, too: both had theirs in this interval.
func (c *Counts) Add(o *Counts) {
	c.PeakConnections += o.PeakConnections
	c.AddSums(o)
}

// AddSums adds all but the peak.
func (c *Counts) AddSums(o *Counts) {
	c.ConnectionTime += o.ConnectionTime
	c.MessagesIn += o.MessagesIn
	c.MessagesOut += o.MessagesOut
	c.BytesIn += o.BytesIn
	c.BytesOut += o.BytesOut
	c.APICalls += o.APICalls
	c.Webhooks += o.Webhooks
	for i := range c.Rejections {
		c.Rejections[i] += o.Rejections[i]
	}
}

// Total returns how many were refused for any reason.
func (r *Rejections) Total() int64 {
	n := int64(0)
	for _, v := range r {
		n += v
	}
	return n
}

// AppCounts are the counts of one app.
type AppCounts struct {
	Tenant uuid.UUID
	App    string
	Counts
}

// Interval is what one edge counted in one interval, or a part of it with some of the apps. Edge and Seq together name it for
// ever: however often it is handed over, it counts once.
type Interval struct {
	// Edge is the process that counted; a process that starts again is another edge.
	Edge string
	// Seq rises by one from interval to interval of an edge, and from part to part of one.
	Seq uint64
	// Start is when the interval began, a multiple of [IntervalLength].
	Start time.Time
	// Apps are those that used something. An edge that nobody used hands over an interval without any, which says that it
	// counted.
	Apps []AppCounts
}
