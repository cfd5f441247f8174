package fallback

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/pusher"
)

// metrics are what this edge's conversations over HTTP do. No metric has a label for an app, a channel or a session:
// there can be millions of them.
type metrics struct {
	sessions  *prometheus.GaugeVec   // by transport
	accepted  *prometheus.CounterVec // by transport
	closed    *prometheus.CounterVec // by code; only closes that were our decision
	refused   *prometheus.CounterVec // by HTTP status; requests to send
	received  prometheus.Counter
	sent      prometheus.Counter
	slow      prometheus.Counter
	orphaned  prometheus.Counter
	handovers prometheus.Counter
	panics    prometheus.Counter
}

func newMetrics() metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "peal_fallback_" + name, Help: help})
	}
	counters := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "peal_fallback_" + name, Help: help}, []string{label})
	}
	return metrics{
		sessions: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "peal_fallback_sessions", Help: "Conversations over HTTP that are under way, by how they began.",
		}, []string{"transport"}),
		accepted:  counters("sessions_accepted_total", "Conversations over HTTP that were let in, by how they began.", "transport"),
		closed:    counters("sessions_closed_total", "Conversations over HTTP that this edge refused or closed, by close code.", "code"),
		refused:   counters("sends_refused_total", "Requests to send that were refused, by HTTP status.", "status"),
		received:  counter("messages_received_total", "Messages received over HTTP."),
		sent:      counter("messages_sent_total", "Messages written over HTTP."),
		slow:      counter("slow_disconnects_total", "Conversations over HTTP closed because the client did not keep up with what was sent to it."),
		orphaned:  counter("orphans_total", "Conversations over HTTP whose client stopped receiving and did not come back."),
		handovers: counter("handovers_total", "Streams that had become so long that the client opened another."),
		panics:    counter("panics_total", "Panics while a message over HTTP was handled; each is a bug."),
	}
}

func (m *metrics) collectors(backlog func() float64) []prometheus.Collector {
	return []prometheus.Collector{
		m.sessions, m.accepted, m.closed, m.refused, m.received, m.sent, m.slow, m.orphaned, m.handovers, m.panics,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "peal_fallback_backlog_bytes", Help: "Bytes that wait for clients over HTTP.",
		}, backlog),
	}
}

func (m *metrics) countClose(code pusher.CloseCode) {
	m.closed.WithLabelValues(strconv.Itoa(int(code))).Inc()
}
