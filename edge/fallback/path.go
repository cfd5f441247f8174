package fallback

import (
	"net/url"
	"strings"
)

// pusherPath is where pusher-js looks for the fallbacks unless it is told another httpPath.
const pusherPath = "/pusher"

// transport is how a client receives, or that it sends.
type transport string

const (
	streaming transport = "xhr_streaming"
	polling   transport = "xhr"
	sending   transport = "xhr_send"
)

// address names a conversation. The client chooses server and session, so they mean something only together with the key.
type address struct {
	key, server, session string
}

// bases returns the paths that may stand before /app/ here.
func bases(prefix string) []string {
	if prefix == "" {
		return []string{"", pusherPath}
	}
	// Who has told pusher-js of the prefix for its sockets may not have told it for this.
	return []string{prefix, prefix + pusherPath, pusherPath}
}

// Serves tells whether a path, escaped as it was sent, is one of the fallbacks', be it right or wrong.
func (s *Server) Serves(escapedPath string) bool {
	for _, base := range s.bases {
		if rest, ok := strings.CutPrefix(escapedPath, base+"/app/"); ok {
			// One part alone is the address of a WebSocket.
			return strings.Contains(rest, "/") || base != s.cfg.PathPrefix
		}
	}
	return s.isTimeline(escapedPath)
}

// isTimeline tells whether a path is where pusher-js with enableStats reports how connecting went.
func (s *Server) isTimeline(escapedPath string) bool {
	const path = "/timeline/v2/"
	return strings.HasPrefix(escapedPath, path) || strings.HasPrefix(escapedPath, s.cfg.PathPrefix+path)
}

// parse reads a path: {base}/app/{key}/{server}/{session}/{transport}. It is neither cleaned nor decoded before it is
// matched; the key is decoded once.
func (s *Server) parse(escapedPath string) (address, transport, bool) {
	for _, base := range s.bases {
		if rest, ok := strings.CutPrefix(escapedPath, base+"/app/"); ok {
			return parseRest(rest)
		}
	}
	return address{}, "", false
}

func parseRest(rest string) (address, transport, bool) {
	// Parts are compared whole: one transport's name begins with another's.
	parts := strings.Split(rest, "/")
	if len(parts) != 4 || !isServer(parts[1]) || !isSession(parts[2]) {
		return address{}, "", false
	}
	key, err := url.PathUnescape(parts[0])
	if err != nil || key == "" {
		return address{}, "", false
	}
	how := transport(parts[3])
	return address{key, parts[1], parts[2]}, how, how == streaming || how == polling || how == sending
}

// isServer tells whether a part is a number from 0 to 999, written in one way only.
func isServer(s string) bool {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// maxSession bounds the name of a session. pusher-js uses eight characters.
const maxSession = 64

func isSession(s string) bool {
	if s == "" || len(s) > maxSession {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
