package pusher

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Authorization is what a customer's server signed for a client: a subscription or a sign-in. It hangs on the socket
// id, so that nobody else can use it.
type Authorization struct {
	// Key is the public part of the key whose secret signed.
	Key    string
	digest string
}

// ParseAuthorization splits "key:digest". Whether it is right is for the Verify methods to tell.
func ParseAuthorization(auth string) (Authorization, bool) {
	key, digest, ok := strings.Cut(auth, ":")
	return Authorization{key, digest}, ok && key != "" && digest != ""
}

// VerifyChannel tells whether the secret signed this socket's subscription without channel data.
func (a Authorization) VerifyChannel(secret, socketID, channel string) bool {
	return a.verify(secret, socketID+":"+channel)
}

// VerifyChannelData is VerifyChannel with the channel data, exactly as the client sent it.
func (a Authorization) VerifyChannelData(secret, socketID, channel, channelData string) bool {
	return a.verify(secret, socketID+":"+channel+":"+channelData)
}

// VerifyUser tells whether the secret signed this socket's sign-in, with the user data exactly as the client sent it.
func (a Authorization) VerifyUser(secret, socketID, userData string) bool {
	return a.verify(secret, socketID+"::user::"+userData)
}

// verify compares in constant time. The digest is lower-case hexadecimal (Pusher protocol, auth string).
func (a Authorization) verify(secret, text string) bool {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], m.Sum(nil))
	return hmac.Equal(want[:], []byte(a.digest))
}
