package main

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/redisbus"
)

// fromHere tells whether a request comes from this machine, and was meant for it: a page in a browser here may have been
// told that its own name leads to us.
func fromHere(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	host := (&url.URL{Host: r.Host}).Hostname()
	_, notByNumber := netip.ParseAddr(host)
	return err == nil && from.Addr().Unmap().IsLoopback() && (notByNumber == nil || host == "localhost")
}

// serveNodes lists the edges of the platform.
func (p *platform) serveNodes(w http.ResponseWriter, r *http.Request) {
	list, err := p.nodes(r.Context())
	if err != nil {
		p.answerOps(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"nodes": list})
}

// serveDrain has an edge send its sockets elsewhere. It answers when the edge has been asked. Load balancers and scrapers
// may reach the door, too, but only who is on the machine of an edge may change anything through it.
func (p *platform) serveDrain(w http.ResponseWriter, r *http.Request) {
	if !fromHere(r) {
		writeJSON(w, http.StatusForbidden, map[string]string{
			"error": "an edge is drained from the machine of an edge only: run `peal nodes drain` there",
		})
		return
	}
	if err := p.drainNode(r.Context(), r.PathValue("id")); err != nil {
		p.answerOps(w, r, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "asked"})
}

func (p *platform) answerOps(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, "internal error"
	switch {
	case errors.Is(err, redisbus.ErrNoNode):
		status, text = http.StatusNotFound, "there is no edge "+r.PathValue("id")+"; `peal nodes list` shows them"
	case errors.Is(err, channels.ErrUnavailable):
		status, text = http.StatusServiceUnavailable, "Redis does not answer; try again in a moment"
	default:
		p.cfg.log.ErrorContext(r.Context(), "a request to the ops door failed", "path", r.URL.Path, "err", err)
	}
	writeJSON(w, status, map[string]string{"error": text})
}
