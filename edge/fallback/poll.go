package fallback

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// poll answers with all that waits, or as soon as there is something. The first answer only opens.
func (s *Server) poll(w http.ResponseWriter, r *http.Request, c *conversation, rec *receiver, first bool) {
	if first {
		_ = s.respond(w, []byte(openLine(s.cfg.Hostname))) // A client that is gone does not come back either.
		return
	}
	out := newResponse(w, s.cfg.WriteTimeout) // It lifts the limit on time before the wait.
	hold := time.NewTimer(c.heartbeat())
	defer hold.Stop()
	for r.Context().Err() == nil {
		d := c.take(rec, math.MaxInt)
		switch {
		case d.replaced:
			_ = out.whole([]byte(takenOverLine)) // Most have gone by now.
			return
		case d.gone && d.end == nil:
			_ = out.whole([]byte(heartbeatLine))
			return
		case d.gone, d.something(), d.end != nil:
			s.pollWith(out, c, d)
			return
		}
		select {
		case <-r.Context().Done():
		case <-rec.wake:
		case <-hold.C:
			_ = out.whole([]byte(heartbeatLine)) // The next poll, or none, tells what became of the client.
			return
		}
	}
}

// pollWith answers with a delivery.
func (s *Server) pollWith(out *response, c *conversation, d delivery) {
	var text []byte
	if d.something() {
		text = appendMessages(nil, d.frames)
	}
	if d.end != nil {
		// In the same answer, because a client might not find the way back.
		text = append(text, closeLine(d.end)...)
	}
	err := out.whole(text)
	c.written(d.frames)
	if err != nil {
		return
	}
	s.metrics.sent.Add(float64(len(d.frames)))
	if d.end != nil {
		c.told()
	}
}

func (s *Server) respond(w http.ResponseWriter, text []byte) error {
	return newResponse(w, s.cfg.WriteTimeout).whole(text)
}

// whole writes all of an answer. It says how long that is, so that nothing is left to write once the deadlines are gone
// and the connection serves another request.
func (r *response) whole(text []byte) error {
	r.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	err := r.write(text)
	if err == nil {
		r.release()
	}
	return err
}
