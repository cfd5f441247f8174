package publish

import (
	"net/http"
	"strconv"
	"time"
)

// SetHeader tells a client when to come back, for programs that read only Retry-After, and by what rule, for those
// that read the fields of the IETF's draft on rate limits. It is the same by whatever door.
func (e *LimitError) SetHeader(h http.Header) {
	seconds := strconv.FormatInt(max(1, int64((e.RetryAfter+time.Second-1)/time.Second)), 10)
	h.Set("Retry-After", seconds)
	h.Set("RateLimit-Policy", `"app";q=`+strconv.Itoa(e.Limit)+`;w=1`)
	h.Set("RateLimit", `"app";r=`+strconv.Itoa(e.Remaining)+`;t=`+seconds)
}
