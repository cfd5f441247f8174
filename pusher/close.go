package pusher

import (
	"strconv"
	"unicode/utf8"
)

// CloseCode is the code of the close frame that ends a socket. What a client does next hangs on its range
// (Pusher protocol, close codes): up to 4099 it stays away, up to 4199 it waits a second, up to 4299 it is
// back at once. A code from 4300 on must never close a socket, because pusher-js then never returns.
type CloseCode int

// The close codes of the protocol, and the two of RFC 6455 that we use.
const (
	CloseTooBig             CloseCode = 1009
	CloseInternalError      CloseCode = 1011
	CloseTLSOnly            CloseCode = 4000
	CloseUnknownApp         CloseCode = 4001
	CloseAppDisabled        CloseCode = 4003
	CloseQuota              CloseCode = 4004
	ClosePathNotFound       CloseCode = 4005
	CloseInvalidVersion     CloseCode = 4006
	CloseUnsupportedVersion CloseCode = 4007
	CloseNoVersion          CloseCode = 4008
	CloseUnauthorized       CloseCode = 4009
	CloseOverCapacity       CloseCode = 4100
	CloseReconnect          CloseCode = 4200
	CloseNoPong             CloseCode = 4201
	CloseInactive           CloseCode = 4202
)

// The codes of error frames that close nothing.
const (
	ErrorClientEvent CloseCode = 4301
	ErrorWatchlist   CloseCode = 4302
)

// String returns the text that goes with the code when nothing more exact is known.
func (c CloseCode) String() string {
	switch c {
	case CloseTooBig:
		return "Message too big"
	case CloseInternalError:
		return "Internal error"
	case CloseTLSOnly:
		return "Application only accepts TLS connections, reconnect using wss://"
	case CloseUnknownApp:
		return "Application does not exist"
	case CloseAppDisabled:
		return "Application disabled"
	case CloseQuota:
		return "Application is over connection quota"
	case ClosePathNotFound:
		return "Path not found"
	case CloseInvalidVersion:
		return "Invalid version string format"
	case CloseUnsupportedVersion:
		return "Unsupported protocol version"
	case CloseNoVersion:
		return "No protocol version supplied"
	case CloseUnauthorized:
		return "Connection is unauthorized"
	case CloseOverCapacity:
		return "Over capacity, try again in a moment"
	case CloseReconnect:
		return "Please reconnect"
	case CloseNoPong:
		return "Pong reply not received in time"
	case CloseInactive:
		return "Closed after inactivity"
	default:
		return "Close code " + strconv.Itoa(int(c))
	}
}

// MaxCloseReason is how many bytes of reason fit into a close frame beside its code (RFC 6455, 5.5).
const MaxCloseReason = 123

// CloseReason cuts a text to what fits into a close frame, at the end of a character.
func CloseReason(text string) string {
	if len(text) <= MaxCloseReason {
		return text
	}
	end := MaxCloseReason
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
