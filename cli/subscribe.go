package cli

import (
	stdcontext "context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func subscribeCommand() *cobra.Command {
	var count int
	var timeout time.Duration
	cmd := onApp(&cobra.Command{
		Use: "subscribe APP CHANNEL...", Short: "Print the events of channels as they come",
		Long: "Print the events of channels as they come, a line for each, until it is interrupted. It connects to the edge with a key\n" +
			"of the app. For private and presence channels it takes the key's secret, which is audited. With -o json each line is an\n" +
			"object with time, channel, event and data.",
		Example: "  peal subscribe chat news\n  peal subscribe chat orders-1 orders-2 -o json --count 10 | jq .data",
		Args:    takes(2, -1, "an app and at least one channel"),
	}, func(s *session, id string, args []string) error {
		if count < 0 {
			return usagef("--count %d: give a number from 1, or 0 for no end", count)
		}
		l := &listener{session: s, app: id, channels: args, left: count}
		ctx := s.Context()
		if timeout > 0 {
			var cancel stdcontext.CancelFunc
			ctx, cancel = stdcontext.WithTimeout(ctx, timeout)
			defer cancel()
		}
		return l.run(ctx)
	})
	cmd.Flags().IntVar(&count, "count", 0, "end after so many events; 0 does not end")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time, with exit code 124 when events are still wanted")
	return cmd
}

// ErrTimeout says that a command did not come to its end in the time that it was given.
var ErrTimeout = errors.New("the time is up")

// listener hears channels of an app.
type listener struct {
	*session
	app      string
	channels []string
	left     int // how many events are still wanted; 0 is no end
	address  string
	key      string
	secret   string // only where a channel needs it
}

// errEnough says that as many events came as were wanted.
var errEnough = errors.New("enough")

// run hears until as many events came as were wanted, connecting again when the connection is lost.
func (l *listener) run(ctx stdcontext.Context) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	pause := backoff.NewExponentialBackOff()
	for {
		err := l.hear(ctx, pause.Reset)
		var fatal finalError
		switch {
		case errors.Is(err, errEnough):
			return nil
		case errors.As(err, &fatal):
			return err
		case errors.Is(ctx.Err(), stdcontext.DeadlineExceeded) && l.Context().Err() == nil:
			if l.left == 0 {
				return nil // It was only asked to end then.
			}
			return ErrTimeout
		case ctx.Err() != nil:
			return stdcontext.Canceled
		}
		wait := pause.NextBackOff()
		l.done("the connection was lost (%v); connecting again in %v", err, wait.Round(100*time.Millisecond))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// finalError is one after which connecting again is of no use.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// prepare finds out where the edge is, and a key of the app.
func (l *listener) prepare(ctx stdcontext.Context) error {
	at, err := l.platform().GetPlatform(ctx, &adminv1.GetPlatformRequest{})
	if err != nil {
		return err
	}
	keys, err := l.keys().ListKeys(ctx, &adminv1.ListKeysRequest{AppId: l.app})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys.GetKeys(), subscribes)
	if i < 0 {
		return connect.NewError(connect.CodeFailedPrecondition,
			fmt.Errorf("the app %s has no active key with the scope subscribe; `peal keys create %s` makes one", l.app, l.app))
	}
	l.key = keys.GetKeys()[i].GetKey()
	if slices.ContainsFunc(l.channels, authorized) {
		k, err := l.session.keys().RevealKey(ctx, &adminv1.RevealKeyRequest{AppId: l.app, Key: l.key})
		if err != nil {
			return err
		}
		l.secret = k.GetSecret()
	}
	u := url.URL{Scheme: "ws", Host: net.JoinHostPort(at.GetEdgeHost(), strconv.Itoa(int(at.GetEdgePort()))), Path: "/app/" + l.key}
	if at.GetEdgeTls() {
		u.Scheme = "wss"
	}
	u.RawQuery = url.Values{"protocol": {"7"}, "client": {"peal-cli"}, "version": {"1"}}.Encode()
	l.address = u.String()
	return nil
}

// subscribes tells whether sockets can be opened with a key.
func subscribes(k *adminv1.Key) bool {
	return k.GetState() == adminv1.KeyState_KEY_STATE_ACTIVE && (slices.Contains(k.GetScopes(), adminv1.KeyScope_KEY_SCOPE_ALL) ||
		slices.Contains(k.GetScopes(), adminv1.KeyScope_KEY_SCOPE_SUBSCRIBE))
}

func authorized(channel string) bool {
	return strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-")
}

// frame is a message of the protocol. Its data is a text that holds JSON, except from clients.
type frame struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// text returns the data as it was published.
func (f frame) text() string {
	var quoted string
	if json.Unmarshal(f.Data, &quoted) == nil {
		return quoted
	}
	return string(f.Data)
}

// maxFrame bounds what an edge may send at once.
const maxFrame = 16 << 20

// hear connects and prints what comes until the connection is lost. connected is called when it stands.
func (l *listener) hear(ctx stdcontext.Context, connected func()) error {
	conn, _, err := websocket.Dial(ctx, l.address, nil) //nolint:bodyclose // It has none when the connection stands.
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // What it says does not matter any more.
	conn.SetReadLimit(maxFrame)
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return closing(err)
		}
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			return finalError{fmt.Errorf("the edge sent what is no message of the protocol: %w", err)}
		}
		if err := l.handle(ctx, conn, f); err != nil {
			return err
		}
		if f.Event == "pusher:connection_established" {
			connected()
		}
	}
}

// closing says what a close means: with 4000 to 4099 a client must not come back.
func closing(err error) error {
	var closed websocket.CloseError
	if errors.As(err, &closed) && closed.Code >= 4000 && closed.Code < 4100 {
		return finalError{fmt.Errorf("the edge closed the connection: %s (%d)", closed.Reason, closed.Code)}
	}
	return err
}

func (l *listener) handle(ctx stdcontext.Context, conn *websocket.Conn, f frame) error {
	switch f.Event {
	case "pusher:connection_established":
		return l.subscribe(ctx, conn, f)
	case "pusher:ping":
		return conn.Write(ctx, websocket.MessageText, []byte(`{"event":"pusher:pong","data":{}}`))
	case "pusher_internal:subscription_succeeded":
		l.done("subscribed to %s", f.Channel)
		return nil
	case "pusher:subscription_error":
		return finalError{fmt.Errorf("the edge refused the channel %s: %s", f.Channel, f.text())}
	case "pusher:error":
		l.done("the edge says: %s", f.text())
		return nil
	case "pusher:pong":
		return nil
	}
	return l.show(f)
}

func (l *listener) subscribe(ctx stdcontext.Context, conn *websocket.Conn, f frame) error {
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(f.text()), &hello); err != nil {
		return finalError{fmt.Errorf("the edge's greeting cannot be read: %w", err)}
	}
	for _, channel := range l.channels {
		wish, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": l.wish(hello.SocketID, channel)})
		if err != nil {
			return finalError{err}
		}
		if err := conn.Write(ctx, websocket.MessageText, wish); err != nil {
			return err
		}
	}
	return nil
}

// wish is the data of a subscription. Where the channel asks for it, it is signed as the protocol says: HMAC-SHA256 of the
// socket's id, the channel and the member's data, with colons between.
func (l *listener) wish(socket, channel string) map[string]string {
	wish := map[string]string{"channel": channel}
	if !authorized(channel) {
		return wish
	}
	signed := socket + ":" + channel
	if strings.HasPrefix(channel, "presence-") {
		wish["channel_data"] = `{"user_id":"peal-cli"}`
		signed += ":" + wish["channel_data"]
	}
	mac := hmac.New(sha256.New, []byte(l.secret))
	mac.Write([]byte(signed))
	wish["auth"] = l.key + ":" + hex.EncodeToString(mac.Sum(nil))
	return wish
}

// show prints one event.
func (l *listener) show(f frame) error {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var line string
	if l.output == asTable {
		line = fmt.Sprintf("%s  %s  %s  %s", now, f.Channel, f.Event, cell(f.text()))
	} else {
		text, err := json.Marshal(struct {
			Time    string `json:"time"`
			Channel string `json:"channel"`
			Event   string `json:"event"`
			Data    string `json:"data"`
		}{now, f.Channel, f.Event, f.text()})
		if err != nil {
			return finalError{err}
		}
		if line = string(text); l.output == asYAML {
			line = "- " + line // JSON is YAML, and a list of it can be read as it grows.
		}
	}
	if _, err := fmt.Fprintln(l.OutOrStdout(), line); err != nil {
		return finalError{err}
	}
	if l.left > 0 {
		if l.left--; l.left == 0 {
			return errEnough
		}
	}
	return nil
}
