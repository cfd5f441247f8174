package socket

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/pusher"
)

// metrics are what this edge's sockets do. No metric has a label for a channel, a socket or an app: there can
// be millions of them.
type metrics struct {
	connections prometheus.Gauge
	accepted    prometheus.Counter
	closed      *prometheus.CounterVec // by code; only closes that were our decision
	received    prometheus.Counter
	sent        prometheus.Counter
	slow        prometheus.Counter
	shed        prometheus.Counter
	stalled     prometheus.Counter
	backlog     func() float64 // bytes
	panics      prometheus.Counter
}

func newMetrics() metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "peal_connections", Help: "Sockets that are open on this edge.",
		}),
		accepted: counter("peal_connections_accepted_total", "Sockets that were let in."),
		closed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_connections_closed_total", Help: "Sockets that this edge refused or closed, by close code.",
		}, []string{"code"}),
		received: counter("peal_messages_received_total", "Messages received from sockets."),
		sent:     counter("peal_messages_sent_total", "Messages written to sockets."),
		slow:     counter("peal_slow_disconnects_total", "Sockets closed because they did not keep up with what was sent to them."),
		shed:     counter("peal_shed_disconnects_total", "Sockets closed because memory was short and they held most of what was queued."),
		stalled:  counter("peal_write_stalls_total", "Writes that a socket's client was too slow to take at once."),
		backlog:  func() float64 { return 0 },
		panics:   counter("peal_socket_panics_total", "Panics while a socket's message was handled; each is a bug."),
	}
}

func (m *metrics) collectors() []prometheus.Collector {
	backlog := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "peal_backlog_bytes", Help: "Bytes that wait for clients that do not read.",
	}, m.backlog)
	return []prometheus.Collector{
		m.connections, m.accepted, m.closed, m.received, m.sent, m.slow, m.shed, m.stalled, backlog, m.panics,
	}
}

func (m *metrics) countClose(code pusher.CloseCode) {
	m.closed.WithLabelValues(strconv.Itoa(int(code))).Inc()
}
