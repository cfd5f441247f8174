package fallback

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pealhq/peal/edge/session"
	"github.com/pealhq/peal/pusher"
)

func TestLines(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		openLine(""):                     "o\n",
		openLine("a.example"):            `o{"hostname":"a.example"}` + "\n",
		string(appendMessages(nil, nil)): "a[]\n",
		preludeLine():                    strings.Repeat("h", 2048) + "\n",
		closeLine(session.EndWith(4100)): `c[4100,"Over capacity, try again in a moment"]` + "\n",
		closeLine(&session.Ending{Code: 4001, Text: "\"x\n"}):                  `c[4001,"\"x\u000a"]` + "\n",
		closeLine(&session.Ending{Code: 4001, Text: strings.Repeat("x", 200)}): `c[4001,"` + pusher.CloseReason(strings.Repeat("x", 200)) + `"]` + "\n",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// FuzzFrames writes any text as a frame: one line, which reads as the same text, and is as long as units says.
func FuzzFrames(f *testing.F) {
	for _, text := range []string{"", `{"event":"e"}`, "\x00\x1f\"\\/ \u2028", "Grüße 😀 \U0010ffff", "\xff\xed\xa0\x80", "\xf0\x9f\x98"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		line := string(appendMessages(nil, [][]byte{[]byte(text), []byte("2")}))
		var got []string
		if err := json.Unmarshal([]byte(line[1:]), &got); err != nil || strings.Count(line, "\n") != 1 || !utf8.ValidString(line) {
			t.Fatalf("%q becomes %q: %v", text, line, err)
		}
		if want := []string{string([]rune(text)), "2"}; !slices.Equal(got, want) {
			t.Errorf("%q becomes %q", text, got)
		}
		if n := len(utf16.Encode([]rune(line))); units(line) != n {
			t.Errorf("%q has %d units, not %d", line, n, units(line))
		}
	})
}

// FuzzSend reads any body: strings, or one of the refusals.
func FuzzSend(f *testing.F) {
	for _, body := range []string{"", "[]", ` ["{\"event\":\"pusher:ping\"}"] `, `["a","b","c"]`, `[1]`, `[null]`, `["\ud800"]`, "[\"\xff\"]", `{"a":["b"]}`, `[["a"]]`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		const most = 2
		frames, refused := parseFrames(body, most)
		var std []any
		stdErr := json.Unmarshal(body, &std)
		switch {
		case refused == nil:
			if stdErr != nil || len(frames) != len(std) || len(frames) > most {
				t.Fatalf("%q becomes %q; encoding/json says %v, %v", body, frames, std, stdErr)
			}
			for i, frame := range frames {
				if frame != std[i] {
					t.Errorf("%q becomes %q; encoding/json says %v", body, frames, std)
				}
			}
		case frames != nil:
			t.Errorf("%q is refused and read", body)
		case refused.status == 413:
			if len(std) <= most {
				t.Errorf("%q is too much", body)
			}
		case refused.status != 400 || (refused.text == "Payload expected.") != (len(body) == 0):
			t.Errorf("%q: %+v", body, refused)
		}
	})
}
