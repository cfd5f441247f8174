package httpapi

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/tenants"
)

// bodyLimit returns how many bytes of body an app may send: a full batch, or an event for all its channels,
// with each byte of the data written as six, as JSON may (Pusher protocol, traps).
func bodyLimit(limits *tenants.Limits) int64 {
	const escaped, envelope = 6, 512
	event := escaped*(limits.PayloadBytes+4*limits.EventNameLength) + channels.MaxNameLength + envelope
	return int64(limits.EventsPerBatch*event + limits.ChannelsPerPublish*(channels.MaxNameLength+8))
}

// readBody reads the body into buf, up to the limit.
func readBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request, limits *tenants.Limits) error {
	limit := bodyLimit(limits)
	if r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	buf.Reset()
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit)); err != nil {
		return readError(err)
	}
	return nil
}

// readError keeps a body that is too large apart from one that did not come.
func readError(err error) error {
	if _, ok := err.(*http.MaxBytesError); ok { //nolint:errorlint // MaxBytesReader returns it unwrapped
		return err
	}
	return &refusal{http.StatusBadRequest, fmt.Sprintf("The request body could not be read: %v", err)}
}

// maxKept is how large a buffer may be to be kept for another request.
const maxKept = 64 << 10

func (s *Server) release(buf *bytes.Buffer) {
	if buf.Cap() <= maxKept {
		s.buffers.Put(buf)
	}
}
