package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds what a health check may wait for.
const checkTimeout = 2 * time.Second

// health is what the ops door tells about this process.
type health struct {
	// draining is set when the edge begins to send its sockets elsewhere, and stopping when the process begins to stop: it
	// is alive, but not ready any more.
	draining, stopping atomic.Bool
	// database tells whether PostgreSQL answers; hearing whether changes of the control plane are heard of. Without them the
	// edge goes on with what it knows: degraded, yet ready.
	database func(context.Context) error
	hearing  func() bool
	// bus tells whether this edge hears itself through Redis; nil where there is none. Without it the edge is not ready.
	bus func() bool
}

// healthReport is the answer of /readyz.
type healthReport struct {
	// Status is ok, degraded, unavailable, draining or stopping; with the last three the edge is not ready.
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

func (h *health) report(ctx context.Context) healthReport {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r := healthReport{Status: "ok", Checks: map[string]string{"database": "ok", "change_notices": "ok"}}
	if err := h.database(ctx); err != nil {
		r.Status, r.Checks["database"] = "degraded", "does not answer; known apps are served from the cache"
	}
	if !h.hearing() {
		r.Status, r.Checks["change_notices"] = "degraded", "not heard; changes reach this edge within 30 s"
	}
	if h.bus != nil {
		r.Checks["bus"] = "ok"
		if !h.bus() {
			r.Status, r.Checks["bus"] = "unavailable", "Redis does not bring back what this edge publishes; sockets stay, publishes are refused"
		}
	}
	switch {
	case h.stopping.Load():
		r.Status = "stopping"
	case h.draining.Load():
		r.Status = "draining"
	}
	return r
}

// ready tells whether load balancers should send anybody here.
func (r healthReport) ready() bool { return r.Status == "ok" || r.Status == "degraded" }

// opsHandler serves the ops door. A page in an operator's browser may not change anything through it.
func (p *platform) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /nodes", p.serveNodes)
	mux.HandleFunc("POST /nodes/{id}/drain", p.serveDrain)
	if p.mailing.box != nil {
		mux.Handle("GET /mail", p.mailing.box)
	}
	serveHealth(mux, &p.health, p.metrics)
	return http.NewCrossOriginProtection().Handler(mux)
}

// serveHealth adds what tells how the process fares.
func serveHealth(mux *http.ServeMux, h *health, metrics *prometheus.Registry) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		report := h.report(r.Context())
		status := http.StatusOK
		if !report.ready() {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, report)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck,errchkjson // Whoever asked has gone away; nobody is left to be told.
}

// newMetrics returns a registry with what every process tells of itself.
func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "peal_build_info", Help: "The version of this binary, as labels; the value is always 1.",
		ConstLabels: prometheus.Labels{"version": buildVersion(), "go_version": runtime.Version()},
	}, func() float64 { return 1 })
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
