package pusher_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pealhq/peal/pusher"
)

// FuzzClaims feeds what customers' servers sign to the parsers: what they take must be JSON and mean what they say.
func FuzzClaims(f *testing.F) {
	for _, seed := range []string{
		`{"user_id":10,"user_info":{"name":"Mr. Channels"}}`, `{"user_id":"7"}`, `{"user_id":1e400}`, `{"user_id":-0}`,
		`{"id":"12345","user_info":{"name":"Ann"},"watchlist":["u2","u3","u2"]}`, `{"id":"x","watchlist":[]}`,
		`{"id":"\ud83d\ude00","watchlist":[""]}`, `{"user_id":null}`, `[]`, `{"user_id":"a","user_id":"b"}`, "{\"id\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, info, err := pusher.ParseMember(text); err == nil {
			var want struct {
				ID any `json:"user_id"`
			}
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&want); err != nil || !json.Valid([]byte(info)) || id == "" {
				t.Fatalf("%q was taken for %q with %q: %v", text, id, info, err)
			}
			frame := pusher.MemberAdded("presence-x", id, info)
			inner := checkEventFrame(t, frame)
			var got struct {
				ID string `json:"user_id"`
			}
			if err := json.Unmarshal([]byte(inner), &got); err != nil || got.ID != id {
				t.Fatalf("%s tells of %q, %v", frame, got.ID, err)
			}
		}
		if u, err := pusher.ParseUser(text); err == nil {
			if u.ID == "" || !json.Valid([]byte(u.Info)) || slices.Contains(u.Watchlist, "") {
				t.Fatalf("%q was taken for %+v", text, u)
			}
			checkEventFrame(t, pusher.SigninSuccess(text))
			checkEventFrame(t, pusher.WatchlistEvents(u.Watchlist, []string{u.ID}))
		}
	})
}

// checkEventFrame expects a frame whose data is a string that holds JSON, and returns that.
func checkEventFrame(t *testing.T, frame []byte) string {
	t.Helper()
	var f struct {
		Event string `json:"event"`
		Data  string `json:"data"`
	}
	if err := json.Unmarshal(frame, &f); err != nil || f.Event == "" || !json.Valid([]byte(f.Data)) {
		t.Fatalf("%s: %v", frame, err)
	}
	return f.Data
}

// FuzzAuthorization checks that nothing verifies but what the secret signed.
func FuzzAuthorization(f *testing.F) {
	f.Add("278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4", "private-foobar")
	f.Add(":", "")
	f.Add("a:b:c", "private-x")
	f.Fuzz(func(t *testing.T, auth, channel string) {
		a, ok := pusher.ParseAuthorization(auth)
		if !ok {
			return
		}
		const known = "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
		right := channel == "private-foobar" && auth[strings.Index(auth, ":"):] == known[strings.Index(known, ":"):]
		if a.VerifyChannel("7ad3773142a6692b25b8", "1234.1234", channel) != right {
			t.Fatalf("%q on %q: verified is not %v", auth, channel, right)
		}
		if a.VerifyUser("7ad3773142a6692b25b8", "1234.1234", channel) {
			t.Fatalf("%q signs in as %q", auth, channel)
		}
	})
}
