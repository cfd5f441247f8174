package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/pealhq/peal/tenants"
)

// setRateLimit tells a client when to come back, for programs that read only Retry-After, and by what rule, for those
// that read the fields of the IETF's draft on rate limits.
func setRateLimit(h http.Header, a tenants.Admission) {
	seconds := strconv.FormatInt(max(1, int64((a.RetryAfter+time.Second-1)/time.Second)), 10)
	h.Set("Retry-After", seconds)
	h.Set("RateLimit-Policy", `"app";q=`+strconv.Itoa(a.Limit)+`;w=1`)
	h.Set("RateLimit", `"app";r=`+strconv.Itoa(a.Remaining)+`;t=`+seconds)
}
