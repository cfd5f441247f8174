package main

import (
	"errors"
	"net/http"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/channels/redisbus"
)

// serveNodes lists the edges of the platform.
func (p *platform) serveNodes(w http.ResponseWriter, r *http.Request) {
	list, err := p.nodes(r.Context())
	if err != nil {
		p.answerOps(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"nodes": list})
}

// serveDrain has an edge send its sockets elsewhere. It answers when the edge has been asked.
func (p *platform) serveDrain(w http.ResponseWriter, r *http.Request) {
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
