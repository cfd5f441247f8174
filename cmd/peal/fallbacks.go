package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"regexp"

	"github.com/pealhq/peal/edge/fallback"
)

// newFallbacks returns the HTTP fallbacks with room for so many conversations.
func (p *platform) newFallbacks(sessions int, memory func() float64) *fallback.Server {
	s := p.cfg.settings
	cfg := fallback.Config{
		Sessions: p.sessions, Logger: p.cfg.log, PathPrefix: s.text(setEdgePathPrefix),
		Hostname: s.text(setFallbackHostname), MaxSessions: sessions, Memory: memory,
		DrainWindow: p.drainWindow(),
	}
	if s.text(setFallbackCookie) == "true" {
		cfg.Node = newNodeID()
	}
	return fallback.NewServer(cfg)
}

// fallbackShare takes the share of conversations over HTTP from what sockets may have. Each takes a connection to receive
// and now and then others to send.
func fallbackShare(descriptors int) (sockets, sessions int) {
	const part, each = 8, 2
	if descriptors == 0 {
		return 0, 0 // The limit is not known.
	}
	share := max(descriptors/part, each)
	return descriptors - share, share / each
}

// newNodeID names this process to load balancers. It says nothing of the machine, because every client sees it.
func newNodeID() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // It never fails.
	return hex.EncodeToString(b)
}

// checkHostname lets a host name pass. A port would not help: pusher-js changes the name alone.
func checkHostname(v string) error {
	if len(v) > 253 || !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`).MatchString(v) {
		return errors.New("is not a host name; it reads like edge-7.example.com, without a scheme and a port")
	}
	return nil
}
