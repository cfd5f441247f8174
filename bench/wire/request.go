package wire

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // The protocol fixes MD5 for the body; it stands inside the HMAC.
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// Credentials open an app.
type Credentials struct{ AppID, Key, Secret string }

// Signer writes signed publishes for one app. It keeps its HMAC and its buffers from request to request, so it belongs
// to one goroutine.
type Signer struct {
	creds Credentials
	mac   hash.Hash
	head  []byte // what follows the query in every request
	text  []byte // what is signed
	body  []byte
}

// NewSigner returns a signer for an app on a server.
func NewSigner(creds Credentials, host string) *Signer {
	return &Signer{
		creds: creds,
		mac:   hmac.New(sha256.New, []byte(creds.Secret)),
		head:  []byte(" HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: "),
	}
}

// Event is one event to be published. Its channel and its data need no escaping.
type Event struct {
	Channel string
	Data    []byte
}

// eventName is the name of every event that is published.
const eventName = "bench"

// AppendPublish appends a request that publishes one event, signed for a time in seconds since 1970.
func (s *Signer) AppendPublish(dst []byte, e Event, seconds int64) []byte {
	b := append(s.body[:0], `{"name":"`+eventName+`","channels":["`...)
	b = append(b, e.Channel...)
	b = append(b, `"],"data":"`...)
	b = append(b, e.Data...)
	s.body = append(b, `"}`...)
	return s.appendRequest(dst, "/events", seconds)
}

// AppendBatch appends a request that publishes several events.
func (s *Signer) AppendBatch(dst []byte, events []Event, seconds int64) []byte {
	b := append(s.body[:0], `{"batch":[`...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"channel":"`...)
		b = append(b, e.Channel...)
		b = append(b, `","name":"`+eventName+`","data":"`...)
		b = append(b, e.Data...)
		b = append(b, `"}`...)
	}
	s.body = append(b, `]}`...)
	return s.appendRequest(dst, "/batch_events", seconds)
}

func (s *Signer) appendRequest(dst []byte, route string, seconds int64) []byte {
	// POST \n path \n query is what is signed; POST path?query is what is sent.
	t := append(s.text[:0], "POST\n/apps/"...)
	t = append(t, s.creds.AppID...)
	t = append(t, route...)
	path := len(t)
	t = append(t, "\nauth_key="...)
	t = append(t, s.creds.Key...)
	t = append(t, "&auth_timestamp="...)
	t = strconv.AppendInt(t, seconds, 10)
	t = append(t, "&auth_version=1.0&body_md5="...)
	sum := md5.Sum(s.body) //nolint:gosec // as above
	s.text = hex.AppendEncode(t, sum[:])

	dst = append(dst, "POST "...)
	dst = append(dst, s.text[len("POST\n"):path]...)
	dst = append(dst, '?')
	dst = append(dst, s.text[path+1:]...)
	dst = append(dst, "&auth_signature="...)
	dst = s.appendMAC(dst, s.text)
	dst = append(dst, s.head...)
	dst = strconv.AppendInt(dst, int64(len(s.body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, s.body...)
}

func (s *Signer) appendMAC(dst, text []byte) []byte {
	var room [sha256.Size]byte
	s.mac.Reset()
	s.mac.Write(text)
	return hex.AppendEncode(dst, s.mac.Sum(room[:0]))
}

// AppendSubscribe appends the message that subscribes a socket to a channel; with the data of a member the channel is
// a presence channel, and the message is signed.
func (s *Signer) AppendSubscribe(dst []byte, socketID, channel, member string) []byte {
	dst = append(dst, `{"event":"pusher:subscribe","data":{"channel":"`...)
	dst = append(dst, channel...)
	if member == "" {
		return append(dst, `","auth":""}}`...)
	}
	s.text = append(append(append(append(append(s.text[:0], socketID...), ':'), channel...), ':'), member...)
	dst = append(dst, `","auth":"`...)
	dst = append(dst, s.creds.Key...)
	dst = append(dst, ':')
	dst = s.appendMAC(dst, s.text)
	dst = append(dst, `","channel_data":`...)
	dst = strconv.AppendQuote(dst, member)
	return append(dst, `}}`...)
}
