package fallback

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

// send serves a request that sends frames: a JSON array of strings, each one frame. An empty array is a heartbeat.
func (s *Server) send(w http.ResponseWriter, r *http.Request, at address) {
	c := s.conversations.find(at)
	if c == nil || c.session == nil || c.over() || !c.allows(r.Header.Get("Origin")) {
		letRead(w, r, nil)
		s.refuseSend(w, http.StatusNotFound, "Unknown session.")
		return
	}
	app := c.session.App()
	letRead(w, r, app)
	c.sign()
	frames, length, refused := s.readFrames(w, r, &app.Limits)
	if refused != nil {
		s.cfg.Sessions.Reject(app, refused.why())
		s.refuseSend(w, refused.status, refused.text)
		return
	}
	if len(frames) == 0 {
		c.showLife()
		answer(w, http.StatusNoContent, "")
		return
	}
	if !c.reserve(length) {
		s.cfg.Sessions.Reject(app, usage.Busy)
		s.refuseSend(w, http.StatusTooManyRequests, "Too many messages at once.")
		return
	}
	defer c.free(length)
	// What the client has sent counts although it may have gone since.
	c.handle(context.WithoutCancel(r.Context()), frames)
	c.sign()
	answer(w, http.StatusNoContent, "")
}

func (s *Server) refuseSend(w http.ResponseWriter, status int, text string) {
	s.metrics.refused.WithLabelValues(strconv.Itoa(status)).Inc()
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, text)
}

// sendError is why a body cannot be taken.
type sendError struct {
	status int
	text   string
}

// why is the reason by which it is counted.
func (e *sendError) why() usage.Reason {
	if e.status == http.StatusRequestEntityTooLarge {
		return usage.TooLarge
	}
	return usage.Invalid
}

// readFrames reads the body of a request and returns its frames and how long the body was.
func (s *Server) readFrames(w http.ResponseWriter, r *http.Request, limits *tenants.Limits) ([]string, int, *sendError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit(limits)))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, 0, &sendError{http.StatusRequestEntityTooLarge, "Payload too large."}
	case err != nil:
		return nil, 0, &sendError{http.StatusBadRequest, "Payload incomplete."}
	}
	frames, refused := parseFrames(body, s.cfg.MaxFrames)
	return frames, len(body), refused
}

// parseFrames reads an array of at most so many strings.
func parseFrames(body []byte, most int) ([]string, *sendError) {
	if len(body) == 0 {
		return nil, &sendError{http.StatusBadRequest, "Payload expected."}
	}
	broken := &sendError{http.StatusBadRequest, "Broken JSON encoding."}
	list, err := pusher.ParseJSON(body)
	if err != nil || list.Kind() != pusher.KindArray {
		return nil, broken
	}
	var frames []string
	for items := list.Items(); items.Next(); {
		if items.Value().Kind() != pusher.KindString {
			return nil, broken
		}
		if len(frames) == most {
			return nil, &sendError{http.StatusRequestEntityTooLarge, "Too many messages."}
		}
		frames = append(frames, items.Value().Text())
	}
	return frames, nil
}

// bodyLimit returns how long a body may be: a frame with an event's payload, each byte of which may become six in JSON,
// and twice that because the frame is a JSON string in turn. Pusher's default of 10 KiB gives 128 KiB.
func bodyLimit(limits *tenants.Limits) int64 {
	const floor, escaped, envelope = 64 << 10, 6, 4 << 10
	return 2 * max(floor, int64(limits.PayloadBytes)*escaped+envelope)
}

// reserve makes room for a body that waits to be handled. One always has room; more have room up to a few of the longest.
func (c *conversation) reserve(length int) bool {
	const longest = 4
	most := longest * int(bodyLimit(&c.session.App().Limits))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sends > 0 && c.sends+length > most {
		return false
	}
	c.sends += length
	return true
}

func (c *conversation) free(length int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sends -= length
}
