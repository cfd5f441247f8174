package pusher_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pealhq/peal/pusher"
)

func TestParseClientFrame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		event string
		kind  pusher.Kind
	}{
		{`{"event":"pusher:ping","data":{}}`, "pusher:ping", pusher.KindObject},
		{`{"event": "pusher:ping"}`, "pusher:ping", pusher.KindAbsent}, // Java
		{`{"event":"pusher:ping","data":null}`, "pusher:ping", pusher.KindNull},
		{`{"event":"pusher:ping","data":""}`, "pusher:ping", pusher.KindString},
		{`{"event":"e","data":12.5e+3}`, "e", pusher.KindNumber},
		{`{"event":"e","data":true}`, "e", pusher.KindBool},
		{`{"event":"e","data":[1,{"a":[]}]}`, "e", pusher.KindArray},
		{" \t\r\n{ \"data\" : { \"a\" : 1 } , \"event\" : \"e\" } \n", "e", pusher.KindObject},
		{`{"\u0065vent":"caf\u00e9 \ud83d\ude00"}`, "café 😀", pusher.KindAbsent},
		{`{"event":"e","channel":"c","user_id":7,"extra":{}}`, "e", pusher.KindAbsent},
	} {
		f, err := pusher.ParseClientFrame([]byte(c.text))
		if err != nil || f.Event != c.event || f.Data.Kind() != c.kind {
			t.Errorf("%s: event %q, data of kind %d, %v", c.text, f.Event, f.Data.Kind(), err)
		}
	}
}

func TestParseClientFrameRefuses(t *testing.T) {
	t.Parallel()
	nested := func(n int) string {
		return `{"event":"e","data":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	if _, err := pusher.ParseClientFrame([]byte(nested(pusher.MaxDepth - 1))); err != nil {
		t.Errorf("at the depth limit: %v", err)
	}
	for name, text := range map[string]string{
		"nothing":                "",
		"white space":            "  ",
		"no JSON":                "hello",
		"array":                  `["event"]`,
		"string":                 `"event"`,
		"null":                   "null",
		"no event":               "{}",
		"empty event":            `{"event":""}`,
		"number as event":        `{"event":1}`,
		"null as event":          `{"event":null}`,
		"object as event":        `{"event":{}}`,
		"text after it":          `{"event":"e"}x`,
		"second document":        `{"event":"e"}{}`,
		"open":                   `{"event":"e"`,
		"open string":            `{"event":"e`,
		"open escape":            `{"event":"e\`,
		"comma at the end":       `{"event":"e",}`,
		"comma at the beginning": `{,"event":"e"}`,
		"no colon":               `{"event" "e"}`,
		"unquoted key":           `{event:"e"}`,
		"single quotes":          `{'event':'e'}`,
		"comment":                `{"event":"e"/**/}`,
		"duplicate event":        `{"event":"a","event":"b"}`,
		"duplicate by an escape": `{"event":"a","\u0065vent":"b"}`,
		"duplicate deep inside":  `{"event":"e","data":{"x":{"a":1,"b":2,"a":3}}}`,
		"duplicate empty key":    `{"event":"e","data":{"":1,"":2}}`,
		"invalid UTF-8":          "{\"event\":\"a\xff\"}",
		"overlong UTF-8":         "{\"event\":\"\xc0\xaf\"}",
		"UTF-8 of a surrogate":   "{\"event\":\"\xed\xa0\x80\"}",
		"high surrogate alone":   `{"event":"\ud83d"}`,
		"low surrogate alone":    `{"event":"\ude00"}`,
		"surrogates turned":      `{"event":"\ude00\ud83d"}`,
		"surrogate and letter":   `{"event":"\ud83d\u0041"}`,
		"bad escape":             `{"event":"\x"}`,
		"bad hexadecimal":        `{"event":"\u00g0"}`,
		"control character":      "{\"event\":\"a\nb\"}",
		"NUL":                    "{\"event\":\"a\x00b\"}",
		"byte order mark":        "\ufeff{\"event\":\"e\"}",
		"leading zero":           `{"event":"e","data":01}`,
		"plus":                   `{"event":"e","data":+1}`,
		"bare minus":             `{"event":"e","data":-}`,
		"bare dot":               `{"event":"e","data":1.}`,
		"bare exponent":          `{"event":"e","data":1e}`,
		"not a number":           `{"event":"e","data":NaN}`,
		"half a word":            `{"event":"e","data":tru}`,
		"long word":              `{"event":"e","data":nullx}`,
		"too deep":               nested(pusher.MaxDepth),
		"far too deep":           strings.Repeat("[", 10_000),
		"brackets do not match":  `{"event":"e","data":[}]}`,
	} {
		if f, err := pusher.ParseClientFrame([]byte(text)); err == nil {
			t.Errorf("%s: %q was read as %+v", name, text, f)
		}
	}
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	object := func(n int, last string) []byte {
		var b strings.Builder
		b.WriteString(`{"event":"e"`)
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":{"a":1}`, i)
		}
		b.WriteString(last + "}")
		return []byte(b.String())
	}
	for _, n := range []int{5, 14, 15, 16, 17, 40, 5000} {
		if _, err := pusher.ParseClientFrame(object(n, "")); err != nil {
			t.Errorf("%d keys: %v", n, err)
		}
		if _, err := pusher.ParseClientFrame(object(n, `,"k3":1`)); err == nil {
			t.Errorf("%d keys: a duplicate of the fourth was taken", n)
		}
		if _, err := pusher.ParseClientFrame(object(n, fmt.Sprintf(`,"k%d":1`, n-1))); err == nil {
			t.Errorf("%d keys: a duplicate of the last was taken", n)
		}
	}
	// Too many keys are refused at the first one too many, so that a long object costs no more than one of
	// the most keys: what comes after, be it a duplicate or no JSON at all, is not looked at.
	const refusal = "too many keys"
	_, err := pusher.ParseClientFrame(object(pusher.MaxKeys-1, ""))
	if err != nil {
		t.Errorf("the most keys that there may be: %v", err)
	}
	end := len(object(pusher.MaxKeys-1, ""))
	for _, last := range []string{"", `,"k3":1`, "rubbish"} {
		var wrong *pusher.JSONError
		_, err := pusher.ParseClientFrame(object(200_000, last))
		if !errors.As(err, &wrong) || wrong.Reason != refusal || wrong.Offset != end {
			t.Errorf("200,000 keys and %q: %v, want %s at byte %d", last, err, refusal, end)
		}
	}
}

func TestChannelOfAFrame(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"auth":"","channel":"my-channel"}`:      "my-channel",
		`{"channel":"private-x","auth":"KEY:1"}`:  "private-x",
		`"{\"channel\":\"my-channel\"}"`:          "my-channel",
		`{"channel":"#server-to-user-7"}`:         "#server-to-user-7",
		`{}`:                                      "",
		`{"channel":""}`:                          "",
		`{"channel":7}`:                           "",
		`{"channel":null}`:                        "",
		`{"channel":["a"]}`:                       "",
		`null`:                                    "",
		`"my-channel"`:                            "",
		`"{\"channel\":\"a\",\"channel\":\"b\"}"`: "",
		`["my-channel"]`:                          "",
		`7`:                                       "",
	} {
		f, err := pusher.ParseClientFrame([]byte(`{"event":"pusher:subscribe","data":` + data + `}`))
		if err != nil {
			t.Errorf("%s: %v", data, err)
			continue
		}
		got, err := f.Subscription()
		if got.Channel != want || (err == nil) != (want != "") {
			t.Errorf("%s: channel %q, %v", data, got, err)
		}
	}
	f, err := pusher.ParseClientFrame([]byte(`{"event":"pusher:subscribe"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Subscription(); !errors.Is(err, pusher.ErrNoChannel) {
		t.Errorf("no data: %v", err)
	}
}

// FuzzParseClientFrame holds the parser against encoding/json: what it takes must be JSON, and mean the same.
func FuzzParseClientFrame(f *testing.F) {
	for _, seed := range []string{
		`{"event":"pusher:subscribe","data":{"auth":"","channel":"my-channel"}}`,
		`{"event":"pusher:ping","data":null}`,
		`{"event":"e","data":"{\"channel\":\"c\"}"}`,
		`{"event":"\ud83d\ude00","data":[1,-2.5e3,true,{"a":{"b":[]}}]}`,
		`{"event":"a","event":"b"}`, `[[[[`, `{"a":`, "{\"event\":\"\xff\"}", `"\ud83d"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		frame, err := pusher.ParseClientFrame(text)
		if err != nil {
			return
		}
		var want struct {
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		}
		// encoding/json takes keys of any case for the same, so ask it for a map.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%q was taken: %v", text, err)
		}
		want.Data = members["data"]
		if err := json.Unmarshal(members["event"], &want.Event); err != nil || want.Event != frame.Event {
			t.Fatalf("%q has the event %q, %v", text, frame.Event, err)
		}
		if string(want.Data) != frame.Data.JSON() {
			t.Fatalf("%q has the data %q, not %q", text, frame.Data.JSON(), want.Data)
		}
		checkValue(t, frame.Data)
		_, _ = frame.Subscription()
	})
}

// checkValue walks a value and compares each part with what encoding/json makes of it.
func checkValue(t *testing.T, v pusher.Value) {
	t.Helper()
	switch v.Kind() {
	case pusher.KindString:
		var want string
		if err := json.Unmarshal([]byte(v.JSON()), &want); err != nil || want != v.Text() {
			t.Fatalf("%s is %q, %v", v.JSON(), v.Text(), err)
		}
	case pusher.KindArray:
		var want []json.RawMessage
		if err := json.Unmarshal([]byte(v.JSON()), &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		for items := v.Items(); items.Next(); n++ {
			if n >= len(want) || items.Value().JSON() != string(want[n]) {
				t.Fatalf("item %d of %s is %s", n, v.JSON(), items.Value().JSON())
			}
			checkValue(t, items.Value())
		}
		if n != len(want) {
			t.Fatalf("%s has %d items, not %d", v.JSON(), len(want), n)
		}
	case pusher.KindObject:
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(v.JSON()), &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		for m := v.Members(); m.Next(); n++ {
			if raw, ok := want[string(m.Name())]; !ok || string(raw) != m.Value().JSON() {
				t.Fatalf("member %q of %s is %s", m.Name(), v.JSON(), m.Value().JSON())
			}
			checkValue(t, m.Value())
		}
		if n != len(want) {
			t.Fatalf("%s has %d members, not %d", v.JSON(), len(want), n)
		}
	case pusher.KindAbsent, pusher.KindNull, pusher.KindBool, pusher.KindNumber:
	}
}

func BenchmarkParseClientFrame(b *testing.B) {
	text := []byte(`{"event":"pusher:subscribe","data":{"auth":"","channel":"my-channel"}}`)
	b.ReportAllocs()
	for b.Loop() {
		f, err := pusher.ParseClientFrame(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Subscription(); err != nil {
			b.Fatal(err)
		}
	}
}
