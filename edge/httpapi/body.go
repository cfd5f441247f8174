package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"slices"

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

// readBody reads the body into buf, which it may replace by a larger one, up to the limit.
func readBody(buf []byte, w http.ResponseWriter, r *http.Request, limits *tenants.Limits) ([]byte, error) {
	limit := bodyLimit(limits)
	if r.ContentLength > limit {
		return buf, &http.MaxBytesError{Limit: limit}
	}
	body := r.Body
	if r.ContentLength < 0 {
		// Nobody said how long it is. This reader, beyond the limit, also has the connection closed.
		body = http.MaxBytesReader(w, body, limit)
	}
	buf = slices.Grow(buf[:0], int(min(max(r.ContentLength+1, minRoom), maxRoom)))
	for {
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, &http.MaxBytesError{Limit: limit}
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, readError(err)
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, 1)
		}
	}
}

// A body gets room for the length that it says it has, from the one to the other; beyond that it must come
// before it gets more, because saying costs nothing.
const (
	minRoom = 1 << 10
	maxRoom = 16 << 10
)

// readError keeps a body that is too large apart from one that did not come.
func readError(err error) error {
	if _, ok := err.(*http.MaxBytesError); ok { //nolint:errorlint // MaxBytesReader returns it unwrapped
		return err
	}
	return &refusal{status: http.StatusBadRequest, text: fmt.Sprintf("The request body could not be read: %v", err)}
}
