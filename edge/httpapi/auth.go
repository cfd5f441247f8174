package httpapi

import (
	"net/http"
	"time"

	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// authenticate checks all of a request's signature that needs no body, in the protocol's order, and returns
// the secret of the key that it was signed for. What is left is to verify signed with that secret.
func authenticate(signed *pusher.SignedRequest, r *http.Request, route route, app *tenants.App, now time.Time) (secret string, err error) {
	if err := signed.Parse(r.Method, route.path, r.URL.RawQuery); err != nil {
		return "", err
	}
	key, ok := app.Key(signed.Key())
	if !ok {
		return "", pusher.ErrUnknownKey()
	}
	if err := signed.CheckTime(now); err != nil {
		return "", err
	}
	return key.Secret.Reveal(), nil
}
