package publish

import (
	"errors"
	"net/http"
)

// The headers of publishes that are carried out once, as net/http writes them. They are the same by whatever door.
const (
	// KeyHeader holds the key of a [Parcel] that is the whole request.
	KeyHeader = "Idempotency-Key"
	// ReplayedHeader says that nothing was published, because all of it had been before.
	ReplayedHeader = "Idempotent-Replayed"
)

// RequestKey returns the key that a request has in its header, or an empty string. Its error is for people.
func RequestKey(h http.Header) (string, error) {
	sent := h[KeyHeader]
	if sent == nil {
		return "", nil
	}
	if len(sent) > 1 {
		return "", errors.New("it must be sent once")
	}
	return sent[0], CheckKey(sent[0])
}
