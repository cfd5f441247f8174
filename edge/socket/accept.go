package socket

import (
	"context"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// IsUpgrade tells whether a request asks for a WebSocket, by the header that every client sends. Whoever
// shares this server's address with other handlers sends such requests here whatever their path, because a
// browser can only be told what is wrong after the upgrade.
func IsUpgrade(r *http.Request) bool {
	for _, value := range r.Header["Upgrade"] {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}

// subprotocolPrefix begins the subprotocols that Swift asks for, such as pusher-channels-protocol-7.
const subprotocolPrefix = "pusher-channels-protocol-"

// accept answers the handshake; after an error the response has been written. alive is called for every ping
// and pong that comes.
//
// The origin is checked before, by the app's own list. With compress the client is offered permessage-deflate, without
// context from one message to the next, which would cost more memory per socket than all the rest; the read limit
// holds for what comes out of it.
func accept(w http.ResponseWriter, r *http.Request, alive func(), compress bool) (*websocket.Conn, error) {
	mode := websocket.CompressionDisabled
	if compress {
		mode = websocket.CompressionNoContextTakeover
	}
	return websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		CompressionMode:    mode,
		Subprotocols:       subprotocols(r),
		OnPingReceived:     func(context.Context, []byte) bool { alive(); return true },
		OnPongReceived:     func(context.Context, []byte) { alive() },
	})
}

// subprotocols returns those of ours that the client asks for, so that one of them is echoed.
func subprotocols(r *http.Request) []string {
	var ours []string
	for _, value := range r.Header["Sec-Websocket-Protocol"] {
		for token := range strings.SplitSeq(value, ",") {
			if token = strings.TrimSpace(token); strings.HasPrefix(token, subprotocolPrefix) {
				ours = append(ours, token)
			}
		}
	}
	return ours
}
