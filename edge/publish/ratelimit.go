package publish

import (
	"net/http"
	"strconv"
	"time"
)

// SetHeader tells a client when to come back, for programs that read only Retry-After, and by what rule, for those
// that read the fields of the IETF's draft on rate limits. It is the same by whatever door.
func (e *LimitError) SetHeader(h http.Header) {
	name := `"app"`
	if e.Together {
		name = `"account"`
	}
	seconds := wholeSeconds(e.RetryAfter)
	h.Set("Retry-After", seconds)
	h.Set("RateLimit-Policy", name+`;q=`+strconv.Itoa(e.Limit)+`;w=1`)
	h.Set("RateLimit", name+`;r=`+strconv.Itoa(e.Remaining)+`;t=`+seconds)
}

// SetHeader tells a client when the next day begins.
func (e QuotaError) SetHeader(h http.Header) {
	h.Set("Retry-After", wholeSeconds(time.Until(e.Resets)))
}

// wholeSeconds returns seconds, at least one, after which a time has passed.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
