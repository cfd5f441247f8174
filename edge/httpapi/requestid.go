package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

const headerRequestID = "X-Request-Id"

// setRequestID puts the request's id into the answer: the caller's own when it is one that may stand in
// headers and logs, a fresh one otherwise.
func setRequestID(w http.ResponseWriter, r *http.Request) {
	if given := r.Header[headerRequestID]; len(given) == 1 && validRequestID(given[0]) {
		w.Header()[headerRequestID] = given
		return
	}
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // crypto/rand.Read never returns an error; it ends the program instead.
	w.Header().Set(headerRequestID, hex.EncodeToString(id[:]))
}

func validRequestID(id string) bool {
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 128
}
