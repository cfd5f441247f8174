package fallback

import (
	"errors"
	"net/http"
	"time"
)

// pieceBytes is how much is written under one deadline: a slow reader has the whole time for each piece.
const pieceBytes = 64 << 10

// response is an answer that may take long. The server's own limits on time do not hold for it: each piece that is
// written has a deadline instead, so that a reader which is gone is found.
type response struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	// units is how long the answer is by now, as the client measures it.
	units int
}

func newResponse(w http.ResponseWriter, timeout time.Duration) *response {
	r := &response{w: w, control: http.NewResponseController(w), timeout: timeout}
	// The limit on reading a request would cut off an answer that takes longer. Where there is none it need not be lifted.
	_ = r.control.SetReadDeadline(time.Time{})
	return r
}

// write writes and flushes.
func (r *response) write(text []byte) error {
	r.units += units(text)
	for len(text) > 0 {
		n := min(len(text), pieceBytes)
		if err := r.writePiece(text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

func (r *response) writePiece(text []byte) error {
	_ = r.control.SetWriteDeadline(time.Now().Add(r.timeout))
	if _, err := r.w.Write(text); err != nil { //nolint:gosec // These are lines of JSON, in answer to POST alone, and no browser may guess another type.
		return err
	}
	if err := r.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// release gives the connection back for another request. All of the answer must be written: nothing that is still to come
// has a deadline.
func (r *response) release() { _ = r.control.SetWriteDeadline(time.Time{}) }
