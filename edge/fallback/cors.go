package fallback

import (
	"net/http"

	"github.com/pealhq/peal/tenants"
)

// methods are what the paths answer to.
const methods = "OPTIONS, POST"

// letRead lets the page that sent a request read the answer. An app without a list of origins is for every page; for one
// with a list the origin is echoed, also when it is not in the list: such a page gets nothing but the refusal, and
// only one that can read the refusal stops asking. To an answer that knows of no app everybody is welcome. Nothing here
// goes by cookies, so that no page can read with another's rights.
func letRead(w http.ResponseWriter, r *http.Request, app *tenants.App) {
	h := w.Header()
	if app == nil || len(app.Origins) == 0 {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Set("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
	}
}

// preflight allows what pusher-js is going to ask. Whether the page may use the app is decided there: a preflight is
// refused without a word, and pusher-js would try for ever.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "content-type")
	h.Set("Access-Control-Max-Age", "86400") // Browsers cut it to what they allow.
	w.WriteHeader(http.StatusNoContent)
}

// answer answers with a short text, exactly as given.
func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if text != "" {
		_, _ = w.Write([]byte(text)) // Who does not wait for an answer gets none.
	}
}
