package httpapi

import (
	"net/http"
	"time"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// authenticate checks all of a request's signature that needs no body, in the protocol's order, and returns
// what is left to be verified, with the secret of the key that it was signed for.
func authenticate(r *http.Request, route route, app *tenants.App, now time.Time) (*pusher.SignedRequest, string, error) {
	signed, err := pusher.ParseRequest(r.Method, route.path, r.URL.RawQuery)
	if err != nil {
		return nil, "", err
	}
	key, ok := app.Key(signed.Key())
	if !ok {
		return nil, "", pusher.ErrUnknownKey()
	}
	if err := signed.CheckTime(now); err != nil {
		return nil, "", err
	}
	return signed, key.Secret.Reveal(), nil
}
