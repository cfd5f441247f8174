package pusher

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // The protocol fixes MD5 for the body; it stands inside the HMAC.
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// AuthWindow is how far the clock of a request may be from ours, in both directions (Pusher protocol, HTTP API).
const AuthWindow = 600 * time.Second

// authVersion is the one version of the signature that there is.
const authVersion = "1.0"

// AuthError says why a request's signature does not hold. Its text goes to the customer, worded as Pusher
// words it, because that is what people search for.
type AuthError struct{ text string }

func (e *AuthError) Error() string { return e.text }

// ErrUnknownKey is the [AuthError] for a key that does not open the app which the path names.
func ErrUnknownKey() error { return &AuthError{"Unknown auth_key"} }

// SignedRequest is a request of a customer's server whose signature is to be checked: first [ParseRequest],
// then [SignedRequest.CheckTime], then, with the secret of its key and the body, [SignedRequest.Verify].
// The order is that of the protocol, and what needs no body can be refused before one is read.
type SignedRequest struct {
	method string
	path   string
	params []param
	key    string
}

// ParseRequest reads the query of a request. The path is the escaped one as it was received, without a prefix
// that belongs to the edge; the query is raw.
func ParseRequest(method, path, rawQuery string) (*SignedRequest, error) {
	params, err := parseQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	r := &SignedRequest{method: strings.ToUpper(method), path: path, params: params}
	if r.key = r.param("auth_key"); r.key == "" {
		return nil, &AuthError{"Missing parameter: auth_key"}
	}
	return r, nil
}

// Key returns the public key that the request was signed for.
func (r *SignedRequest) Key() string { return r.key }

// CheckTime checks the version of the signature and that the request was made within [AuthWindow] of now.
func (r *SignedRequest) CheckTime(now time.Time) error {
	if r.param("auth_version") != authVersion {
		return &AuthError{"Version not supported"}
	}
	sent := r.param("auth_timestamp")
	if sent == "" {
		return &AuthError{"Timestamp required"}
	}
	given, err := strconv.ParseInt(sent, 10, 64)
	if err != nil {
		return &AuthError{"Timestamp required: it must be whole seconds since 1970"}
	}
	const window = int64(AuthWindow / time.Second)
	if server := now.Unix(); given <= server-window || given >= server+window {
		return &AuthError{"Timestamp expired: Given timestamp (" + timestampText(given) + ") not within " +
			strconv.FormatInt(window, 10) + "s of server time (" + timestampText(server) + ")"}
	}
	return nil
}

// timestampText shows seconds as a date where a date can show them.
func timestampText(seconds int64) string {
	const year9999 = 253402300799
	if seconds < 0 || seconds > year9999 {
		return strconv.FormatInt(seconds, 10)
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// Verify checks the digest of the body and then the signature. A body needs its digest; no body needs none,
// but Python sends that of the empty one.
func (r *SignedRequest) Verify(secret string, body []byte) error {
	switch sent := r.param("body_md5"); {
	case sent == "" && len(body) > 0:
		return &AuthError{"Missing parameter: body_md5"}
	case sent != "" && !sameDigest(sent, body):
		return &AuthError{"Invalid body_md5: it is not the MD5 of the body"}
	}
	sent := r.param("auth_signature")
	if sent == "" {
		return &AuthError{"Missing parameter: auth_signature"}
	}
	mac := hmac.New(sha256.New, []byte(secret))
	var sum [sha256.Size]byte
	var digits [2 * sha256.Size]byte
	var text []byte
	for variant := range r.variants() {
		text = r.appendCanonical(text[:0], variant)
		mac.Reset()
		mac.Write(text)
		hex.Encode(digits[:], mac.Sum(sum[:0]))
		if hmac.Equal(digits[:], []byte(sent)) {
			return nil
		}
	}
	return r.mismatch(sent)
}

func (r *SignedRequest) mismatch(sent string) error {
	text := r.appendCanonical(nil, variant{path: r.path})
	return &AuthError{"Invalid signature: you should have sent HmacSHA256Hex(" + strconv.Quote(string(text)) +
		", your_secret_key), but you sent " + strconv.Quote(sent)}
}

func sameDigest(sent string, body []byte) bool {
	sum := md5.Sum(body) //nolint:gosec // as above
	var room [2 * md5.Size]byte
	return string(hex.AppendEncode(room[:0], sum[:])) == sent
}

// param returns the value of a parameter, "" when it is not there.
func (r *SignedRequest) param(name string) string {
	for _, p := range r.params {
		if p.key == name {
			return p.value
		}
	}
	return ""
}
