package fallback

import (
	"context"
	"io"
	"net/http"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/usage"
)

// receive serves a request that receives: it begins the conversation, or goes on with it.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, at address, how transport) {
	if !s.readNothing(w, r) {
		return
	}
	var gone *conversation
	if c := s.conversations.find(at); c != nil && c.allows(r.Header.Get("Origin")) {
		if s.goOn(w, r, c, how) {
			return
		}
		gone = c
	}
	guest, end := s.cfg.Sessions.Admit(r.Context(), session.VisitorOf(r, at.key))
	letRead(w, r, guest.App)
	if end == nil && s.cfg.Memory != nil && s.cfg.Memory() >= refuseAt {
		s.cfg.Sessions.Reject(guest.App, usage.Capacity)
		end = session.EndWith(pusher.CloseOverCapacity)
	}
	if end != nil && how == streaming {
		s.refuse(w, r, how, end) // That needs no memory of it.
		return
	}
	for {
		fresh := s.newConversation(at, how, guest, end)
		fresh.talk.Lock() // so that nothing is said before it has begun
		switch s.conversations.enter(fresh, gone) {
		case entered:
			s.begin(r.Context(), fresh)
			s.goOn(w, r, fresh, how)
			return
		case shut:
			turnAway(w)
			return
		case full:
			if end == nil {
				s.cfg.Sessions.Reject(guest.App, usage.Capacity)
				end = session.EndWith(pusher.CloseOverCapacity)
			}
			s.refuse(w, r, how, end)
			return
		case taken:
			if end != nil {
				s.refuse(w, r, how, end) // The conversation is another page's.
				return
			}
			// Another request was faster. This one goes on with what it wanted to begin.
			if gone = s.conversations.find(at); gone != nil && s.goOn(w, r, gone, how) {
				return
			}
		}
	}
}

// readNothing reads away what somebody sends where nothing is expected, so that the end of the connection can be seen. It
// tells whether that was little enough.
func (s *Server) readNothing(w http.ResponseWriter, r *http.Request) bool {
	const enough = 4 << 10
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, enough)); err != nil {
		letRead(w, r, nil)
		answer(w, http.StatusBadRequest, "No payload expected.")
		return false
	}
	return true
}

// refuseAt is the share of the memory from which nobody is let in.
const refuseAt = 0.85

// begin lets the conversation begin, with its life beside it.
// The caller holds talk, which this gives back.
func (s *Server) begin(ctx context.Context, c *conversation) {
	ctx = context.WithoutCancel(ctx) // It outlives the request.
	if c.session == nil {
		s.metrics.countClose(c.end.Code)
	} else {
		s.members.Add(1)
		s.metrics.accepted.WithLabelValues(string(c.how)).Inc()
		s.metrics.sessions.WithLabelValues(string(c.how)).Inc()
		c.open(ctx)
	}
	c.talk.Unlock()
	go func() {
		defer s.conversations.exit(c)
		c.live(ctx)
		if c.session != nil {
			s.members.Add(-1)
			s.metrics.sessions.WithLabelValues(string(c.how)).Dec()
		}
	}()
}

// goOn has the request receive, and tells whether the conversation could go on.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, c *conversation, how transport) bool {
	rec, first := c.attach()
	if rec == nil {
		return false
	}
	defer c.detach(rec)
	letRead(w, r, c.app())
	s.setHeaders(w, r, how, first)
	if how == streaming {
		s.stream(w, r, c, rec, first)
	} else {
		s.poll(w, r, c, rec, first)
	}
	return true
}

// refuse says at once why somebody may not come in. It opens first: before that a reason is not heard (Pusher protocol,
// HTTP fallback transports).
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, how transport, end *session.Ending) {
	s.metrics.countClose(end.Code)
	s.setHeaders(w, r, how, true)
	out, text := newResponse(w, s.cfg.WriteTimeout), openLine(s.cfg.Hostname)+closeLine(end)
	if how == streaming {
		_ = out.write([]byte(preludeLine() + text)) // Who is gone need not be told.
		return
	}
	_ = out.whole([]byte(text)) // In one answer, since nobody is remembered.
}

// turnAway answers while the server stops. A client comes back after this, but not at once to here.
func turnAway(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Connection", "close")
	answer(w, http.StatusServiceUnavailable, "shutting down")
}

// nodeCookie is the cookie by which a balancer can tell edges apart.
const nodeCookie = "peal_edge"

// setHeaders prepares an answer with frames. opening says that it opens a conversation.
func (s *Server) setHeaders(w http.ResponseWriter, r *http.Request, how transport, opening bool) {
	h := w.Header()
	h.Set("Content-Type", "application/javascript; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if how == streaming && r.ProtoMajor == 1 {
		// What is written after the handler, the end of the answer, then still has the deadline of the last write.
		h.Set("Connection", "close")
	}
	if opening && s.cfg.Node != "" {
		cookie := http.Cookie{Name: nodeCookie, Value: s.cfg.Node, Path: "/", HttpOnly: true} //nolint:gosec // It is no secret, and Secure below wherever that is possible.
		if session.OverTLS(r) {
			cookie.Secure, cookie.SameSite = true, http.SameSiteNoneMode // Browsers take the one only with the other.
		}
		http.SetCookie(w, &cookie)
	}
}
