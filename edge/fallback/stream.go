package fallback

import (
	"context"
	"net/http"
	"time"
)

// longStream is how long a stream may become, in UTF-16 units. At the end of the first frame beyond it pusher-js drops the
// stream and opens another, without telling what it has read.
const longStream = 256 << 10

// lineBytes is how much of frames is put into one line of a stream.
const lineBytes = 32 << 10

// lastWord is how long a stream that is too long still waits for the client when the conversation has ended.
const lastWord = time.Second

// stream is one receiver that the server keeps writing to. It never ends but after the conversation's end: to pusher-js
// a stream that ends by itself is a lost connection.
type stream struct {
	*response
	c    *conversation
	rec  *receiver
	line []byte // is used again for every line

	wrote time.Time // when the client last heard something
	asked time.Time // when it was last asked for a sign of life
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, c *conversation, rec *receiver, first bool) {
	st := &stream{response: newResponse(w, s.cfg.WriteTimeout), c: c, rec: rec}
	text := preludeLine()
	if first {
		text += openLine(s.cfg.Hostname)
	}
	if st.say(text) == nil {
		st.run(r.Context())
	}
}

// say writes a line that holds no frames.
func (st *stream) say(line string) error {
	st.wrote = time.Now()
	return st.write([]byte(line))
}

// run writes what there is until the conversation ends, another receiver comes, or the client goes.
func (st *stream) run(ctx context.Context) {
	heartbeat := time.NewTimer(st.untilHeartbeat())
	defer heartbeat.Stop()
	for ctx.Err() == nil {
		if st.units > longStream && !st.handOver(ctx) {
			return
		}
		d := st.c.take(st.rec, lineBytes)
		switch {
		case d.replaced:
			_ = st.say(takenOverLine) // Most have gone by now.
			return
		case d.gone:
			return
		case d.something():
			if st.deliver(d) != nil {
				return
			}
			if st.units > longStream {
				continue // Also the end waits for the next stream.
			}
		}
		if d.end != nil {
			if st.say(closeLine(d.end)) == nil {
				st.c.told()
			}
			return
		}
		if d.something() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-st.rec.wake:
		case <-heartbeat.C:
			if st.untilHeartbeat() <= 0 {
				if st.say(heartbeatLine) != nil {
					return
				}
				st.asked = st.wrote
			}
			heartbeat.Reset(st.untilHeartbeat())
		}
	}
}

func (st *stream) deliver(d delivery) error {
	st.line = appendMessages(st.line[:0], d.frames)
	st.wrote = time.Now()
	err := st.write(st.line)
	st.c.written(d.frames)
	if err == nil {
		st.c.server.metrics.sent.Add(float64(len(d.frames)))
	}
	if cap(st.line) > 4*lineBytes {
		st.line = nil // One large frame need not cost memory for ever.
	}
	return err
}

// untilHeartbeat returns after how long a heartbeat is due: when the client has heard nothing for a while, which it or a
// proxy may take for the end, or when nothing was heard from it. pusher-js answers each.
func (st *stream) untilHeartbeat() time.Duration {
	silent := st.wrote.Add(st.c.heartbeat())
	unheard := st.c.lastSeen()
	if st.asked.After(unheard) {
		unheard = st.asked
	}
	if unheard = unheard.Add(st.c.silence); unheard.Before(silent) {
		silent = unheard
	}
	return time.Until(silent)
}

// handOver writes no more and waits for the client to open another stream, so that nothing is on its way on this one
// when the client drops it. It tells whether the client has not done so, and this stream goes on.
func (st *stream) handOver(ctx context.Context) bool {
	timer := time.NewTimer(st.c.server.cfg.HandOver)
	defer timer.Stop()
	ending := false
	for {
		d := st.c.peek(st.rec)
		switch {
		case d.replaced:
			st.c.server.metrics.handovers.Inc()
			return false
		case d.gone:
			return false
		case d.end != nil && !ending:
			ending = true
			timer.Reset(min(lastWord, st.c.server.cfg.HandOver))
		}
		select {
		case <-st.rec.wake:
		case <-ctx.Done():
			st.c.server.metrics.handovers.Inc() // It has left, to come back in a moment.
			return false
		case <-timer.C:
			st.units = 0 // This client does not do that.
			return true
		}
	}
}
