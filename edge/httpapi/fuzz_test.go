package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzBody publishes whatever there is in a body: all of it, and answered for, or none.
func FuzzBody(f *testing.F) {
	f.Add(true, `{"batch":[{"channel":"a","name":"e","data":{"x":[1,2]}}]}`)
	f.Add(true, `{"batch":[{"channel":"presence-a","name":"e","data":"","info":"user_count"},{"channel":"b","name":"e","data":null,"info":"subscription_count"}]}`)
	f.Add(true, `{"batch":[{"channel":"a","name":"e","data":"x","info":""},{"channel":"#server-to-user-\"","name":"e","data":"x","info":"user_count"}]}`)
	f.Add(false, `{"name":"e","channels":["a","b"],"data":"x","socket_id":"1.2"}`)
	f.Add(false, `{"name":"e","channels":["a","b","a"],"data":"x","info":"subscription_count"}`)
	f.Add(false, `{"name":"e","channel":"private-encrypted-a","data":"\ud83d\ude00"}`)
	f.Add(false, `{"name":"e","channel":"a","data":"x","id":"k"}`)
	f.Add(true, `{"batch":[{"channel":"a","name":"e","data":"x","id":"k"},{"channel":"b","name":"e","data":"y"},{"channel":"a","name":"e","data":"z","id":"l"}]}`)
	f.Add(false, `[[[[`)
	shared := newAPI(f, "")
	f.Fuzz(func(t *testing.T, batch bool, body string) {
		a := shared.in(t)
		path := "/apps/7/events"
		if batch {
			path = "/apps/7/batch_events"
		}
		w := a.post(path, body)
		frames := a.bus.frames()
		// What was published under an id is known to whatever comes next.
		replayed := w.Header().Get("Idempotent-Replayed") != ""
		if w.Code != 200 || replayed {
			if w.Code != 200 && !refusals[w.Code] || len(frames) != 0 {
				t.Errorf("%s %q: %d %q, published %q", path, body, w.Code, w.Body, frames)
			}
			return
		}
		var sent struct{ Batch []map[string]json.RawMessage }
		var answer struct{ Batch []map[string]int }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		if !batch {
			if len(frames) == 0 {
				t.Errorf("%q published nothing", body)
			}
			return
		}
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			t.Fatalf("taken, but encoding/json says %v: %q", err, body)
		}
		fresh := 0
		for _, e := range sent.Batch {
			if id := e["id"]; id == nil || string(id) == "null" {
				fresh++
			}
		}
		if len(frames) < max(fresh, 1) || len(frames) > len(sent.Batch) || answer.Batch != nil && len(answer.Batch) != len(sent.Batch) {
			t.Errorf("%q: published %q, answered %s", body, frames, w.Body)
		}
	})
}

// refusals are the statuses of a publish that never was: 429 is for ids that are too many to remember.
var refusals = map[int]bool{400: true, 413: true, 422: true, 429: true}

// FuzzQueryEvent publishes whatever there is in a query. What is published is what net/url reads in it.
func FuzzQueryEvent(f *testing.F) {
	f.Add("name=e&channel=a&data=x")
	f.Add("name=e&channels[]=b&channels[]=a&data=%7B%7D&socket_id=1.2&info[]=user_count")
	f.Add("name=e&channels%5B0%5D=b&channels[1]=a&data=x+y&info=user_count,subscription_count")
	f.Add("name=e&channel=a&data=%2541&body_md5=d41d8cd98f00b204e9800998ecf8427e&x=%zz")
	f.Add("name=e&channel=a&data=x&id=k")
	f.Add("name&&channel=%23server-to-user-1&DATA=1&=&[]=&a]=")
	shared := newAPI(f, "")
	f.Fuzz(func(t *testing.T, params string) {
		a := shared.in(t)
		send := func(signed string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", "/apps/3/events", nil)
			r.URL.RawQuery = fmt.Sprintf("auth_key=key3&auth_timestamp=%d&auth_version=1.0&%s&auth_signature=%s", time.Now().Unix(), params, signed)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			return w
		}
		// The refusal of a wrong signature says what should have been signed.
		text, ok := toSign(t, send("wrong"))
		if !ok {
			return
		}
		w := send(signature("secret3", text))
		frames := a.bus.frames()
		switch {
		case w.Code == 401 && strings.HasPrefix(w.Body.String(), "Invalid signature") && len(frames) == 0:
			// The clock has gone on to the next second.
		case refusals[w.Code] && len(frames) == 0:
		case w.Code == 200 && w.Header().Get("Idempotent-Replayed") != "" && len(frames) == 0:
		case w.Code == 200 && len(frames) > 0:
			checkAgainstNetURL(t, params, frames)
		default:
			t.Errorf("%q: %d %q, published %q", params, w.Code, w.Body, frames)
		}
	})
}

// toSign reads what a refusal says that should have been signed.
func toSign(t *testing.T, w *httptest.ResponseRecorder) (text string, ok bool) {
	t.Helper()
	if w.Code != 401 {
		t.Fatalf("a wrong signature: %d %q", w.Code, w.Body)
	}
	rest, ok := strings.CutPrefix(w.Body.String(), "Invalid signature: you should have sent HmacSHA256Hex(")
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(rest[:strings.LastIndex(rest, ", your_secret_key)")])
	if err != nil {
		t.Fatal(err)
	}
	return text, true
}

// checkAgainstNetURL compares what was published with another reader of the query, where that one can read it.
func checkAgainstNetURL(t *testing.T, params string, frames []string) {
	t.Helper()
	values, err := url.ParseQuery(params)
	if err != nil {
		return
	}
	value := func(name string) string {
		for key := range values {
			if strings.ToLower(key) == name {
				return values.Get(key)
			}
		}
		return ""
	}
	for _, frame := range frames {
		frame, except, _ := strings.Cut(frame, "} except ")
		var got struct{ Event, Channel, Data string }
		if err := json.Unmarshal([]byte(strings.TrimSuffix(frame, "}")+"}"), &got); err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		if got.Event != value("name") || got.Data != value("data") || except != value("socket_id") {
			t.Errorf("%q published %s except %q", params, frame, except)
		}
	}
}
