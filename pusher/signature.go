package pusher

import (
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
//
// A SignedRequest may be used for one request after another, with [SignedRequest.Parse] and, in between,
// [SignedRequest.Reset]: its room is then allocated once. It serves one goroutine at a time.
type SignedRequest struct {
	method string
	path   string
	params []param
	key    string
	mac    mac
}

// ParseRequest reads a request as [SignedRequest.Parse] does, into a new SignedRequest.
func ParseRequest(method, path, rawQuery string) (*SignedRequest, error) {
	r := new(SignedRequest)
	if err := r.Parse(method, path, rawQuery); err != nil {
		return nil, err
	}
	return r, nil
}

// Parse reads the query of a request. The path is the escaped one as it was received, without a prefix that
// belongs to the edge; the query is raw.
func (r *SignedRequest) Parse(method, path, rawQuery string) error {
	params, err := parseQuery(r.params[:0], rawQuery)
	r.method, r.path, r.params, r.key = strings.ToUpper(method), path, params, ""
	if err != nil {
		return err
	}
	if r.key = r.param("auth_key"); r.key == "" {
		return &AuthError{"Missing parameter: auth_key"}
	}
	return nil
}

// maxKeptParams and maxKeptText bound the room that is kept for another request.
const (
	maxKeptParams = 64
	maxKeptText   = 8 << 10
)

// Reset lets go of the request and keeps the room, if that is of a usual size.
func (r *SignedRequest) Reset() {
	params, text := r.params, r.mac.text
	if cap(params) > maxKeptParams {
		params = nil
	}
	if cap(text) > maxKeptText {
		text = nil
	}
	clear(params)
	*r = SignedRequest{params: params[:0], mac: mac{text: text[:0]}}
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
// but Python sends that of the empty one. Libraries send the MD5; a client that need not be one of Pusher's may send
// body_sha256 in its place.
func (r *SignedRequest) Verify(secret string, body []byte) error {
	md5Sent, sha256Sent := r.param("body_md5"), r.param("body_sha256")
	switch {
	case md5Sent == "" && sha256Sent == "" && len(body) > 0:
		return &AuthError{"Missing parameter: body_md5"}
	case md5Sent != "" && !sameMD5(md5Sent, body):
		return &AuthError{"Invalid body_md5: it is not the MD5 of the body"}
	case sha256Sent != "" && !sameSHA256(sha256Sent, body):
		return &AuthError{"Invalid body_sha256: it is not the SHA-256 of the body"}
	}
	sent := r.param("auth_signature")
	if sent == "" {
		return &AuthError{"Missing parameter: auth_signature"}
	}
	defer r.mac.forget()
	r.mac.use(secret)
	for variant := range r.variants() {
		r.mac.text = r.appendCanonical(r.mac.text, variant)
		if r.mac.matches(sent) {
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

func sameMD5(sent string, body []byte) bool {
	sum := md5.Sum(body) //nolint:gosec // as above
	var room [2 * md5.Size]byte
	return string(hex.AppendEncode(room[:0], sum[:])) == sent
}

func sameSHA256(sent string, body []byte) bool {
	sum := sha256.Sum256(body)
	var room [2 * sha256.Size]byte
	return string(hex.AppendEncode(room[:0], sum[:])) == sent
}

// param returns the value of a parameter, "" when it is not there.
func (r *SignedRequest) param(name string) string {
	value, _ := r.Param(name)
	return value
}
