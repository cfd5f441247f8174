package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pealhq/peal/tenants"
)

// examineEdge asks the edge that runs on this machine, if one does, how it and the others fare.
func (d *doctor) examineEdge(ctx context.Context) {
	const check = "running edge"
	addr := d.settings.text(setOpsAddr)
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" {
		return // There is nowhere to ask.
	}
	door := opsClient{here(host, port)}
	report, err := door.readiness(ctx)
	switch {
	case errors.Is(err, tenants.ErrUnavailable):
		d.ok(check, "none answers on %s", addr)
		return
	case err != nil:
		d.warn(check, "%v", err)
		return
	}
	troubles := strings.Join(report.troubles(), "; ")
	switch report.Status {
	case "ok":
		d.ok(check, "it is ready")
	case "degraded":
		d.warn(check, "it is ready, but %s", troubles)
	case "draining", "stopping":
		d.warn(check, "it is %s and takes no new sockets; start it anew when it has ended", report.Status)
	default:
		d.fail(check, "it is not ready (%s): %s", report.Status, troubles)
	}
	list, err := door.nodes(ctx)
	if err != nil {
		d.warn("edges", "the list of the edges cannot be had: %v", err)
		return
	}
	d.examineNodes(list, time.Now())
}

// examineNodes looks at the edges beside one another.
func (d *doctor) examineNodes(list []nodeReport, now time.Time) {
	const check = "edges"
	var versions, names []string
	sockets := 0
	for _, n := range list {
		sockets += n.Sockets
		versions = append(versions, n.Version)
		names = append(names, n.ID)
		if n.state(now) == "silent" {
			d.warn(check, "%s has not been seen for %s: it has died, or cannot reach Redis", n.ID, now.Sub(n.Seen).Round(time.Second))
		}
		if skew := n.Clock.Sub(n.Seen).Abs(); !n.Clock.IsZero() && skew > mostSkew {
			d.warn(check, "the clock of %s differs from that of Redis by %s: have both set by NTP", n.ID, skew.Round(time.Second))
		}
		if n.Self && n.Version != buildVersion() {
			d.warn(check, "the edge on this machine runs version %s, and this program is %s: restart it, or ask with its own program",
				n.Version, buildVersion())
		}
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			d.warn(check, "two edges are called %s, so neither can be told to drain: give each machine a host name of its own", names[i])
		}
	}
	slices.Sort(versions)
	if versions = slices.Compact(versions); len(versions) > 1 {
		d.warn(check, "they run different versions (%s), which is for the time of an upgrade only: end it", strings.Join(versions, ", "))
	}
	d.ok(check, "the platform knows of %d, with %d sockets together", len(list), sockets)
}
