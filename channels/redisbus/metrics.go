package redisbus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	calls       *prometheus.HistogramVec
	failures    *prometheus.CounterVec
	published   prometheus.Counter
	received    prometheus.Counter
	unreadable  *prometheus.CounterVec
	delivery    prometheus.Histogram
	probe       prometheus.Histogram
	reconnects  prometheus.Counter
	healthy     prometheus.GaugeFunc
	newLeases   prometheus.Counter
	sweptLeases prometheus.Counter
	rejoined    prometheus.Counter
	caughtUp    prometheus.Counter
	repeated    prometheus.Counter
	lost        prometheus.Counter
}

func newMetrics(healthy func() bool) metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16)}
	}
	return metrics{
		calls: prometheus.NewHistogramVec(histogram("peal_bus_call_seconds",
			"Round trips to Redis that were answered, by what was asked."), []string{"call"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_bus_call_failures_total", Help: "Questions to Redis that failed, by what was asked.",
		}, []string{"call"}),
		published: counter("peal_bus_messages_published_total", "Messages that this edge handed to Redis."),
		received:  counter("peal_bus_messages_received_total", "Messages that this edge got from Redis."),
		unreadable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "peal_bus_envelope_errors_total",
			Help: "What was not understood of messages from Redis: version, form, or part (a field or flag that was skipped).",
		}, []string{"what"}),
		delivery: prometheus.NewHistogram(histogram("peal_bus_delivery_seconds",
			"From the publish on some edge to here, by the clocks of both.")),
		probe: prometheus.NewHistogram(histogram("peal_bus_probe_seconds",
			"How long this edge's own probes take through Redis and back.")),
		reconnects: counter("peal_bus_reconnects_total", "Pub/sub connections that were lost; what was published meanwhile was lost with them, but on channels with a log."),
		healthy: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "peal_bus_healthy", Help: "1 if this edge hears its own probes.",
		}, func() float64 {
			if healthy() {
				return 1
			}
			return 0
		}),
		newLeases:   counter("peal_bus_leases_total", "Leases that this edge has begun; more than one means that it was taken for dead, or Redis lost its data."),
		sweptLeases: counter("peal_bus_leases_swept_total", "Leases of dead edges that this edge has swept."),
		caughtUp:    counter("peal_bus_log_messages_read_total", "Messages that were read from logs, because this edge had missed them or might have."),
		repeated:    counter("peal_bus_log_repeats_total", "Messages that came again although they had been read from a log, and were dropped."),
		lost:        counter("peal_bus_log_lost_total", "Times that a channel with a log was told that something may be missing, because its log did not hold it."),
		rejoined:    counter("peal_bus_rejoined_total", "Subscriptions that were noted again under a new lease."),
	}
}

// call notes how a question to Redis went.
func (m *metrics) call(name string, began time.Time, err error) {
	if err != nil {
		m.failures.WithLabelValues(name).Inc()
		return
	}
	m.calls.WithLabelValues(name).Observe(time.Since(began).Seconds())
}

// Collectors returns the bus's metrics.
func (b *Bus) Collectors() []prometheus.Collector {
	m := &b.metrics
	return []prometheus.Collector{
		m.calls, m.failures, m.published, m.received, m.unreadable, m.delivery, m.probe, m.reconnects, m.healthy,
		m.newLeases, m.sweptLeases, m.rejoined, m.caughtUp, m.repeated, m.lost,
	}
}
