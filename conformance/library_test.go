//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
)

// frame is a message from the server.
type frame struct {
	event, channel string
	data           string // the text within the string, "" also when there is none
	user           string // user_id
	// code and message are of pusher:error; code is 0 for null.
	code    int
	message string
	raw     string
}

// library is a client library that is imitated on the wire: what it says of itself, how it keeps alive, and what it
// can read. Its read fails where the real one would crash, drop the frame or see something else.
type library struct {
	name   string
	query  string
	header http.Header
	// ping is the event that it sends to see whether the server is there, empty when it sends ping frames.
	ping string
	read func(object map[string]any, f frame) error
}

// The libraries, as the protocol's description of their sources shows them.
var (
	js = library{
		name: "pusher-js", query: "protocol=7&client=js&version=8.6.0&flash=false",
		ping: `{"event":"pusher:ping","data":{}}`, read: readJS,
	}
	java = library{
		name: "java", query: "client=java-client&protocol=5&version=2.4.4",
		ping: `{"event": "pusher:ping"}`, read: readJava,
	}
	swift = library{
		name: "swift", query: "protocol=7&client=pusher-websocket-swift&version=10.1.10",
		header: http.Header{"Sec-WebSocket-Protocol": {"pusher-channels-protocol-7"}}, read: readSwift,
	}
	dotnet = library{
		name: "dotnet", query: "protocol=5&client=pusher-dotnet-client&version=2.3.0", read: readDotNet,
	}
	libraries = []library{js, java, swift, dotnet}
)

const (
	evEstablished  = "pusher:connection_established"
	evError        = "pusher:error"
	evPong         = "pusher:pong"
	evSucceeded    = "pusher_internal:subscription_succeeded"
	evSubError     = "pusher:subscription_error"
	evAdded        = "pusher_internal:member_added"
	evRemoved      = "pusher_internal:member_removed"
	evCount        = "pusher_internal:subscription_count"
	evCacheMiss    = "pusher:cache_miss"
	evSignedIn     = "pusher:signin_success"
	evWatchlist    = "pusher_internal:watchlist_events"
	evDotNetFailed = "pusher_internal:subscription_error"
)

// parse reads a message as a library does, and holds it against what every one of them relies on.
func (l library) parse(text []byte) (frame, error) {
	f := frame{raw: string(text)}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return f, fmt.Errorf("no JSON object: %w", err)
	}
	for name, value := range object {
		s, isString := value.(string)
		switch name {
		case "event":
			f.event = s
		case "channel":
			f.channel = s
		case "user_id":
			f.user = s
		case "data":
			if f.data = s; !isString && object["event"] != evError {
				return f, errors.New("data is not a string")
			}
			continue
		default:
			return f, fmt.Errorf("a field that the protocol does not have: %s", name)
		}
		if !isString || s == "" {
			return f, fmt.Errorf("%s is not a string, or empty", name)
		}
	}
	if f.event == "" {
		return f, errors.New("no event")
	}
	if f.event == evError {
		var err error
		if f.code, f.message, err = readError(object); err != nil {
			return f, err
		}
	}
	return f, l.read(object, f)
}

// readError reads pusher:error, whose data is an object with a message, and a code that is a whole number or null.
func readError(object map[string]any) (code int, message string, err error) {
	data, ok := object["data"].(map[string]any)
	if !ok {
		return 0, "", errors.New("the data of pusher:error is not an object")
	}
	if message, ok = data["message"].(string); !ok {
		return 0, "", errors.New("the message of pusher:error is not a string")
	}
	given, there := data["code"]
	if number, isNumber := given.(float64); isNumber && number == math.Trunc(number) {
		code = int(number)
	} else if !there || given != nil {
		return 0, "", fmt.Errorf("the code of pusher:error is %v", given)
	}
	if len(data) != 2 || object["channel"] != nil {
		return 0, "", errors.New("pusher:error has more than code and message")
	}
	return code, message, nil
}

// handshake reads connection_established as all of them do.
func handshake(f frame) (id string, seconds float64, err error) {
	var data map[string]any
	if err := json.Unmarshal([]byte(f.data), &data); err != nil {
		return "", 0, fmt.Errorf("the data of connection_established: %w", err)
	}
	id, ok := data["socket_id"].(string)
	if !ok {
		return "", 0, errors.New("socket_id is not a string")
	}
	seconds, ok = data["activity_timeout"].(float64)
	if !ok || seconds == 0 {
		return "", 0, errors.New("No activity timeout specified in handshake")
	}
	return id, seconds, nil
}

func readJS(_ map[string]any, f frame) error {
	switch f.event {
	case evEstablished:
		_, _, err := handshake(f)
		return err
	case evSucceeded, evCount, evAdded, evRemoved, evWatchlist:
		// It reads members from an object that must have been text.
		var data map[string]any
		if err := json.Unmarshal([]byte(f.data), &data); err != nil {
			return fmt.Errorf("%s: data is no text of an object: %w", f.event, err)
		}
	case evSignedIn:
		return readSignIn(f)
	}
	return nil
}

// readSignIn finds the user in three layers of text.
func readSignIn(f frame) error {
	var data struct {
		UserData *string `json:"user_data"`
	}
	var user struct {
		ID *string `json:"id"`
	}
	if err := json.Unmarshal([]byte(f.data), &data); err != nil || data.UserData == nil {
		return fmt.Errorf("signin_success: user_data is no string: %w", err)
	}
	if err := json.Unmarshal([]byte(*data.UserData), &user); err != nil || user.ID == nil || *user.ID == "" {
		return fmt.Errorf("signin_success: id is no string: %w", err)
	}
	return nil
}

func readJava(object map[string]any, f frame) error {
	if f.event == evError {
		return nil
	}
	if _, ok := object["data"].(string); !ok {
		return errors.New("java: ClassCastException: data is not a String")
	}
	if strings.HasPrefix(f.channel, "private-encrypted-") && f.data != "{}" {
		// The channel decrypts whatever names it before it looks what it is.
		var sealed struct{ Nonce, Ciphertext *string }
		if err := json.Unmarshal([]byte(f.data), &sealed); err != nil || sealed.Nonce == nil || sealed.Ciphertext == nil {
			return fmt.Errorf("java: cannot decrypt %s on an encrypted channel: %s", f.event, f.data)
		}
	}
	switch f.event {
	case evSucceeded:
		if strings.HasPrefix(f.channel, "presence-") {
			return readMembers(f)
		}
	case evCount:
		return readCount(f)
	case evAdded, evRemoved:
		return readMember(f)
	case evSignedIn:
		return readSignIn(f)
	}
	return nil
}

func readSwift(object map[string]any, f frame) error {
	if f.event == evError {
		return nil
	}
	data, ok := object["data"].(string)
	if !ok {
		return fmt.Errorf("swift: %s without data as text is dropped", f.event)
	}
	switch f.event {
	case evSucceeded:
		if strings.HasPrefix(f.channel, "presence-") {
			return readMembers(f)
		}
		if data == "" {
			return errors.New("swift: success without data is not reported")
		}
	case evCount:
		return readCount(f)
	case evAdded, evRemoved:
		return readMember(f)
	}
	return nil
}

func readDotNet(object map[string]any, f frame) error {
	switch f.event {
	case evSucceeded:
		if strings.HasPrefix(f.channel, "presence-") {
			return readMembers(f)
		}
	case evSubError:
		return errors.New("dotnet: the call that waits knows only " + evDotNetFailed)
	case evCount:
		return readCount(f)
	case evAdded, evRemoved:
		return readMember(f)
	case evSignedIn:
		return readSignIn(f)
	}
	if _, ok := object["data"].(string); !ok && f.event != evError {
		return errors.New("dotnet: data is not a string")
	}
	return nil
}

// roster is who is on a presence channel, as a success tells it.
type roster struct {
	Count int                        `json:"count"`
	IDs   []string                   `json:"ids"`
	Hash  map[string]json.RawMessage `json:"hash"`
}

func (f frame) roster() (roster, error) {
	var data struct{ Presence *roster }
	if err := json.Unmarshal([]byte(f.data), &data); err != nil {
		return roster{}, fmt.Errorf("members: %w in %s", err, f.data)
	}
	if data.Presence == nil || data.Presence.Hash == nil || data.Presence.IDs == nil {
		return roster{}, fmt.Errorf("members: no presence, ids or hash in %s", f.data)
	}
	return *data.Presence, nil
}

// readMembers demands what .NET does: a list without repetition, and a hash that holds every id.
func readMembers(f frame) error {
	r, err := f.roster()
	if err != nil {
		return err
	}
	ids := slices.Clone(r.IDs)
	slices.Sort(ids)
	keys := slices.Sorted(maps.Keys(r.Hash))
	if r.Count != len(ids) || !slices.Equal(ids, keys) {
		return fmt.Errorf("members: count %d, ids %v, hash of %v", r.Count, ids, keys)
	}
	return nil
}

// readMember demands that the user's id is text and that what it tells of itself is not nested twice.
func readMember(f frame) error {
	var data map[string]any
	if err := json.Unmarshal([]byte(f.data), &data); err != nil {
		return fmt.Errorf("%s: %w in %s", f.event, err, f.data)
	}
	if id, ok := data["user_id"].(string); !ok || id == "" {
		return fmt.Errorf("%s: user_id is no string in %s", f.event, f.data)
	}
	if info, ok := data["user_info"].(map[string]any); ok && info["user_info"] != nil {
		return fmt.Errorf("%s: user_info within user_info in %s", f.event, f.data)
	}
	return nil
}

func readCount(f frame) error {
	var data map[string]any
	if err := json.Unmarshal([]byte(f.data), &data); err != nil {
		return fmt.Errorf("%s: %w in %s", f.event, err, f.data)
	}
	if n, ok := data["subscription_count"].(float64); !ok || n != math.Trunc(n) {
		return fmt.Errorf("%s: no whole number in %s", f.event, f.data)
	}
	return nil
}

// sameJSONField tells whether the text is of an object with this value under this name.
func sameJSONField(text, name string, want any) bool {
	var object map[string]any
	return json.Unmarshal([]byte(text), &object) == nil && object[name] == want
}
