package pusher_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/pusher"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFramesAreGolden compares every frame with its bytes on the wire in testdata.
func TestFramesAreGolden(t *testing.T) {
	t.Parallel()
	awkward := "quote \" backslash \\ tab \t newline \n bell \a <b>&</b> é 😀 \u2028 \u2029 \x7f"
	for name, frame := range map[string][]byte{
		"connection_established":                      pusher.ConnectionEstablished("123456.7891011", 120*time.Second),
		"connection_established_rounds_up_to_1":       pusher.ConnectionEstablished("1.2", 0),
		"pong":                                        pusher.Pong(),
		"subscription_succeeded":                      pusher.SubscriptionSucceeded("my-channel"),
		"subscription_error":                          pusher.SubscriptionError(pusher.EventSubscriptionError, "private-x", "AuthError", "The \"key\" is wrong", 401),
		"subscription_error_dotnet":                   pusher.SubscriptionError(pusher.EventInternalSubscriptionError, "private-x", "AuthError", "no", 401),
		"subscription_error_with_a_channel_of_theirs": pusher.SubscriptionError(pusher.EventSubscriptionError, "a\"b\\c\nd", "InvalidChannel", "no", 400),
		"error_without_code":                          pusher.Error(0, "Existing subscription to channel my-channel"),
		"error_with_code":                             pusher.Error(pusher.CloseUnknownApp, "App key \"x\" not in this cluster"),
		"event":                                       pusher.NewEvent("my-event", `{"hello":"world"}`).Frame("my-channel"),
		"event_of_plain_text":                         pusher.NewEvent("my-event", "hello").Frame("my-channel"),
		"event_of_nothing":                            pusher.NewEvent("e", "").Frame("c"),
		"event_of_awkward_text":                       pusher.NewEvent(`App\Events\X`, awkward).Frame("a-b_c=@,.;"),
		"presence_succeeded":                          pusher.PresenceSucceeded("presence-x", 1, maps.All(map[string]string{`a"b`: `{"name":"Ann \"A\""}`})),
		"presence_succeeded_empty":                    pusher.PresenceSucceeded("presence-x", 0, maps.All(map[string]string{})),
		"member_added":                                pusher.MemberAdded("presence-x", "__proto__", `{"name":"Ann"}`),
		"member_removed":                              pusher.MemberRemoved("presence-x", "é\"/"),
		"client_event":                                pusher.ClientEventFrame("client-typing", "private-x", `{"who":"me"}`, ""),
		"client_event_of_a_member":                    pusher.ClientEventFrame("client-typing", "presence-x", `{"who":"me"}`, "7"),
		"signin_success":                              pusher.SigninSuccess(`{"id":"12345","user_info":{"name":"Ann"},"watchlist":["u2","u3"]}`),
		"watchlist_events":                            pusher.WatchlistEvents([]string{"u2"}, []string{"u3", "u\"4"}),
		"watchlist_events_online":                     pusher.WatchlistEvents([]string{"u2"}, nil),
		"watchlist_events_offline":                    pusher.WatchlistEvents(nil, []string{"u3"}),
		"cache_miss":                                  pusher.CacheMiss("cache-x"),
		"gap":                                         pusher.Gap("my-channel"),
		"subscription_count":                          pusher.SubscriptionCount("my-channel", 2),
		"error_client_event_rate":                     pusher.Error(pusher.ErrorClientEvent, "The rate limit for client events was exceeded"),
		"error_watchlist":                             pusher.Error(pusher.ErrorWatchlist, "The watchlist is over its limit"),
		"event_encrypted":                             pusher.NewEvent("e", `{"nonce":"AgIC+/==","ciphertext":"Qy4N4uxo/vvM+P=="}`).Frame("private-encrypted-x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, append(frame, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimSuffix(string(golden), "\n"), string(frame)); diff != "" {
				t.Errorf("frame (-golden +got):\n%s", diff)
			}
			if !json.Valid(frame) {
				t.Errorf("not JSON: %s", frame)
			}
		})
	}
}

// TestDataIsAString keeps the protocol's second invariant, on which the Swift and Java libraries stand.
func TestDataIsAString(t *testing.T) {
	t.Parallel()
	for _, frame := range [][]byte{
		pusher.ConnectionEstablished("1.2", time.Second),
		pusher.Pong(),
		pusher.SubscriptionSucceeded("c"),
		pusher.SubscriptionError(pusher.EventSubscriptionError, "c", "t", "r", 400),
		pusher.NewEvent("e", "d").Frame("c"),
	} {
		var f struct {
			Data *string `json:"data"`
		}
		if err := json.Unmarshal(frame, &f); err != nil || f.Data == nil {
			t.Errorf("%s: %v", frame, err)
		}
	}
	var e struct {
		Data *struct {
			Code    *int
			Message *string
		} `json:"data"`
	}
	if err := json.Unmarshal(pusher.Error(4001, "m"), &e); err != nil || e.Data == nil || *e.Data.Code != 4001 || *e.Data.Message != "m" {
		t.Errorf("error frame: %+v, %v", e, err)
	}
}

// TestEveryByteAtEveryPlace puts each character that may need an escape, and some that do not, at each place of
// a run that is read eight bytes at a time, one and two of them, into a frame and back out of it.
func TestEveryByteAtEveryPlace(t *testing.T) {
	t.Parallel()
	filler := strings.Repeat("x", 19)
	for r := range rune(0x100) {
		for at := range filler {
			for _, also := range []string{"", "\"", "\x1f", "é", "\U0001f600\\"} {
				data := filler[:at] + string(r) + also + filler[at:]
				frame := pusher.EventFrame("e", "c", data)
				var got struct{ Data string }
				if err := json.Unmarshal(frame, &got); err != nil || got.Data != data {
					t.Fatalf("%q became %s: %v", data, frame, err)
				}
				read, err := pusher.ParseClientFrame(frame)
				if err != nil || read.Data.Text() != data {
					t.Fatalf("%s was read as %q: %v", frame, read.Data.Text(), err)
				}
				raw := `{"event":"e","data":"` + data + `"}`
				if _, err := pusher.ParseClientFrame([]byte(raw)); (err == nil) != json.Valid([]byte(raw)) {
					t.Fatalf("%q: %v", raw, err)
				}
			}
		}
	}
}

func FuzzEventFrame(f *testing.F) {
	f.Add("event", "channel", "data")
	f.Add("<&>\u2028\x00\x1f\"\\", "😀", "\n\r\t\b\f")
	f.Fuzz(func(t *testing.T, name, channel, data string) {
		if !utf8.ValidString(name) || !utf8.ValidString(channel) || !utf8.ValidString(data) {
			t.Skip("only valid UTF-8 comes this far")
		}
		frame := pusher.NewEvent(name, data).Frame(channel)
		var got struct{ Event, Channel, Data string }
		if err := json.Unmarshal(frame, &got); err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		if got.Event != name || got.Channel != channel || got.Data != data {
			t.Fatalf("%q %q %q became %+v", name, channel, data, got)
		}
		if single := pusher.EventFrame(name, channel, data); channel != "" && string(single) != string(frame) {
			t.Fatalf("%s alone is %s", frame, single)
		}
		if cap(frame) > len(frame)+len(frame)/4+64 {
			t.Errorf("a frame of %d bytes took %d", len(frame), cap(frame))
		}
	})
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	codes := []pusher.CloseCode{
		pusher.CloseTooBig, pusher.CloseInternalError, pusher.CloseTLSOnly, pusher.CloseUnknownApp,
		pusher.CloseAppDisabled, pusher.CloseQuota, pusher.ClosePathNotFound, pusher.CloseInvalidVersion,
		pusher.CloseUnsupportedVersion, pusher.CloseNoVersion, pusher.CloseUnauthorized, pusher.CloseOverCapacity,
		pusher.CloseReconnect, pusher.CloseNoPong, pusher.CloseInactive,
	}
	texts := map[string]bool{}
	for _, code := range codes {
		text := code.String()
		if text == "" || strings.HasPrefix(text, "Close code") || texts[text] || len(text) > pusher.MaxCloseReason {
			t.Errorf("%d has the text %q", int(code), text)
		}
		texts[text] = true
		if code >= 4300 {
			t.Errorf("%d would keep pusher-js away for ever", int(code))
		}
	}
	if got := pusher.CloseCode(4999).String(); got != "Close code 4999" {
		t.Errorf("an unknown code: %q", got)
	}
}

func TestCloseReasonIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", strings.Repeat("a", 123), strings.Repeat("a", 124), "a" + strings.Repeat("é", 80), strings.Repeat("😀", 60)} {
		got := pusher.CloseReason(text)
		if len(got) > 123 || !utf8.ValidString(got) || !strings.HasPrefix(text, got) || len(text) > 123 && len(got) < 120 {
			t.Errorf("%q became %q (%d bytes)", text, got, len(got))
		}
	}
}

func TestReservedEvents(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"pusher:ping": true, "pusher:": true, "pusher_internal:x": true,
		"pusher": false, "pusherx:": false, "client-x": false, "x-pusher:ping": false, "Pusher:ping": false, "": false,
	} {
		if got := pusher.ReservedEvent(name); got != want {
			t.Errorf("ReservedEvent(%q) = %v", name, got)
		}
	}
}

func TestSocketIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"1.2": true, "123456.7891011": true, "0.0": true,
		"": false, ".": false, "1.": false, ".2": false, "1": false, "1.2.3": false, "1.2\n": false, " 1.2": false,
		"-1.2": false, "1e3.2": false, "a.b": false, "١.٢": false,
	} {
		if got := pusher.ValidSocketID(id); got != want {
			t.Errorf("ValidSocketID(%q) = %v", id, got)
		}
	}
}

func BenchmarkEventFrame(b *testing.B) {
	data := strings.Repeat(`{"key":"value"},`, 8)
	b.ReportAllocs()
	for b.Loop() {
		pusher.NewEvent("my-event", data).Frame("my-channel")
	}
}
