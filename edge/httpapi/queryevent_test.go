package httpapi_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestQueryEvents publishes events that have no body.
func TestQueryEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params, answer string
		want           []string
	}{
		"channel":            {"channel=a&data=x&name=e", "{}", []string{`{"event":"e","channel":"a","data":"x"}`}},
		"Ruby's channels":    {"channels[]=b&channels[]=a&data=x&name=e", "{}", []string{`{"event":"e","channel":"b","data":"x"}`, `{"event":"e","channel":"a","data":"x"}`}},
		"escaped":            {"channels%5B%5D=b&channels%5B%5D=a&data=%7B%22a%22%3A%22%3C%26%3E%22%7D&name=App%5CEvents%5CX", "{}", []string{`{"event":"App\\Events\\X","channel":"b","data":"{\"a\":\"<&>\"}"}`, `{"event":"App\\Events\\X","channel":"a","data":"{\"a\":\"<&>\"}"}`}},
		"same names":         {"channels[]=a&channels[]=a&data=x&name=e", "{}", []string{`{"event":"e","channel":"a","data":"x"}`}},
		"comma in a name":    {"channels[]=a,b&data=x&name=e", "{}", []string{`{"event":"e","channel":"a,b","data":"x"}`}},
		"comma in a channel": {"channel=a,b&data=x&name=e", "{}", []string{`{"event":"e","channel":"a,b","data":"x"}`}},
		"empty data":         {"channel=a&data=&name=e", "{}", []string{`{"event":"e","channel":"a","data":""}`}},
		"spaces":             {"channel=a&data=x+y%20z%2B&name=e+f", "{}", []string{`{"event":"e f","channel":"a","data":"x y z+"}`}},
		"decoded once":       {"channel=a&data=%2541&name=e", "{}", []string{`{"event":"e","channel":"a","data":"%41"}`}},
		"socket_id":          {"channel=a&data=x&name=e&socket_id=1.2", "{}", []string{`{"event":"e","channel":"a","data":"x"} except 1.2`}},
		"user":               {"channel=%23server-to-user-7&data=x&name=e", "{}", []string{`{"event":"e","channel":"#server-to-user-7","data":"x"}`}},
		"info":               {"channel=presence-a&data=x&info=user_count&name=e", `{"channels":{"presence-a":{"user_count":0}}}`, []string{`{"event":"e","channel":"presence-a","data":"x"}`}},
		"Ruby's info":        {"channels[]=a&channels[]=presence-a&data=x&info[]=user_count&info[]=subscription_count&name=e", `{"channels":{"a":{},"presence-a":{"user_count":0}}}`, []string{`{"event":"e","channel":"a","data":"x"}`, `{"event":"e","channel":"presence-a","data":"x"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			checkAnswer(t, a.ask("POST", "/apps/3/events", c.params, ""), c.answer)
			if diff := cmp.Diff(c.want, a.bus.frames()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPHPsArrays publishes and asks as PHP's library does: it signs an array with commas and sends it with places.
func TestPHPsArrays(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for _, c := range []struct{ method, path, signed, sent, want string }{
		{"POST", "/apps/3/events", "channels=b,a&data=x&name=e", "channels%5B0%5D=b&channels%5B1%5D=a&data=x&name=e", "{}"},
		{"POST", "/apps/3/events", "channels=presence-b&data=x&info=user_count,subscription_count&name=e", "channels[0]=presence-b&data=x&info[0]=user_count&info[1]=subscription_count&name=e", `{"channels":{"presence-b":{"user_count":0}}}`},
		{"GET", "/apps/7/channels", "info=subscription_count,user_count&filter_by_prefix=presence-", "info%5B0%5D=subscription_count&info%5B1%5D=user_count&filter_by_prefix=presence-", `{"channels":{}}`},
		{"GET", "/apps/7/channels/presence-a", "info=user_count", "info[0]=user_count", `{"occupied":false,"user_count":0}`},
	} {
		app := strings.Split(c.path, "/")[2]
		params := strings.Split(c.signed, "&") // of which f comes before i
		if params[0] > params[len(params)-1] {
			params[0], params[1] = params[1], params[0]
		}
		auth := fmt.Sprintf("auth_key=key%s&auth_timestamp=%d&auth_version=1.0", app, time.Now().Unix())
		signed := signature("secret"+app, c.method+"\n"+c.path+"\n"+auth+"&"+strings.Join(params, "&"))
		w := httptest.NewRecorder()
		a.ServeHTTP(w, request(c.method, c.path, auth+"&"+c.sent+"&auth_signature="+signed, ""))
		checkAnswer(t, w, c.want)
	}
	want := []string{`{"event":"e","channel":"b","data":"x"}`, `{"event":"e","channel":"a","data":"x"}`, `{"event":"e","channel":"presence-b","data":"x"}`}
	if diff := cmp.Diff(want, a.bus.frames()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

func TestRefusedQueryEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for name, c := range map[string]struct {
		params string
		status int
		text   string
	}{
		"nothing":           {"", 400, "Invalid name: an event needs a name"},
		"no name":           {"channel=a&data=x", 400, "Invalid name: an event needs a name"},
		"empty name":        {"channel=a&data=x&name=", 400, "Invalid name: an event name must not be empty"},
		"reserved name":     {"channel=a&data=x&name=pusher:x", 400, "Invalid name: event names that begin with pusher:"},
		"broken name":       {"channel=a&data=x&name=%ff", 400, "Invalid name: an event name must be valid UTF-8"},
		"no data":           {"channel=a&name=e", 400, "Invalid data: an event needs data"},
		"broken data":       {"channel=a&data=%ed%a0%80&name=e", 400, "Invalid data: the data must be valid UTF-8"},
		"large data":        {"channel=a&data=" + strings.Repeat("x", 10241) + "&name=e", 413, "The data content of this event exceeds the allowed maximum (10240 bytes)"},
		"no channel":        {"data=x&name=e", 400, "Invalid channel: an event needs a channel"},
		"empty channel":     {"channel=&data=x&name=e", 400, "Invalid channels: a channel name must not be empty"},
		"bad channel":       {"channels[]=a&channels[]=a:b&data=x&name=e", 400, "Invalid channels: a channel name may hold only"},
		"channels as one":   {"channels=a&data=x&name=e", 400, "Invalid channels: in a query each is sent as channels[]"},
		"both":              {"channel=a&channels[]=b&data=x&name=e", 400, "Invalid channels: give either channel or channels"},
		"101 channels":      {strings.Repeat("channels[]=c&", 101) + "data=x&name=e", 400, "Invalid channels: an event may go to at most 100 channels"},
		"encrypted of two":  {"channels[]=a&channels[]=private-encrypted-b&data=x&name=e", 400, "Invalid channels: an event for an encrypted channel"},
		"empty socket_id":   {"channel=a&data=x&name=e&socket_id=", 400, "Invalid socket_id"},
		"bad socket_id":     {"channel=a&data=x&name=e&socket_id=1", 400, "Invalid socket_id"},
		"unknown info":      {"channel=a&data=x&info=x&name=e", 400, `Invalid info: "x" cannot be asked for here`},
		"a name twice":      {"channel=a&data=x&name=e&name=f", 401, "Duplicate parameter: name"},
		"a place twice":     {"channels[0]=a&channels[0]=b&data=x&name=e", 401, "Duplicate parameter: channels[0]"},
		"array and not":     {"channels=a&channels[]=b&data=x&name=e", 401, "Duplicate parameter: channels"},
		"body of the other": {"batch[]=a", 400, "Invalid name: an event needs a name"},
	} {
		t.Run(name, func(t *testing.T) {
			a := a.in(t)
			checkRefusal(t, a.ask("POST", "/apps/3/events", c.params, ""), c.status, c.text)
			if got := a.bus.frames(); len(got) != 0 {
				t.Errorf("published %q", got)
			}
			checkAnswer(t, a.ask("POST", "/apps/3/events", "channel=a&data=x&name=e", ""), "{}")
			a.bus.frames()
		})
	}
	// With a body, the query is not looked at.
	checkAnswer(t, a.ask("POST", "/apps/3/events", "channel=other&data=y&name=f", `{"name":"e","channel":"a","data":"x"}`), "{}")
	if diff := cmp.Diff([]string{`{"event":"e","channel":"a","data":"x"}`}, a.bus.frames()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

// TestOldEvents publishes as libraries did before September 2012.
func TestOldEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for name, c := range map[string]struct{ channel, params, body, want string }{
		"JSON":        {"a", "name=e", `{"x" : 1}`, `{"event":"e","channel":"a","data":"{\"x\" : 1}"}`},
		"no JSON":     {"a", "name=e", "plain", `{"event":"e","channel":"a","data":"plain"}`},
		"nothing":     {"a", "name=e", "", `{"event":"e","channel":"a","data":""}`},
		"socket_id":   {"a", "name=e&socket_id=1.2", "x", `{"event":"e","channel":"a","data":"x"} except 1.2`},
		"escaped":     {"a%40b", "name=e+f", "é", `{"event":"e f","channel":"a@b","data":"é"}`},
		"full":        {"a", "name=e", strings.Repeat("x", 10240), `{"event":"e","channel":"a","data":"` + strings.Repeat("x", 10240) + `"}`},
		"line breaks": {"a", "name=e", "x\r\n\x00", `{"event":"e","channel":"a","data":"x\r\n\u0000"}`},
	} {
		w := a.ask("POST", "/apps/3/channels/"+c.channel+"/events", c.params, c.body)
		if w.Code != 202 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
			t.Errorf("%s: %d %q %v", name, w.Code, w.Body, w.Header())
		}
		if diff := cmp.Diff([]string{c.want}, a.bus.frames()); diff != "" {
			t.Errorf("%s: published (-want +got):\n%s", name, diff)
		}
	}
	for name, c := range map[string]struct {
		channel, params, body string
		status                int
		text                  string
	}{
		"no name":         {"a", "", "x", 400, "Invalid name: an event needs a name"},
		"reserved name":   {"a", "name=pusher:x", "x", 400, "Invalid name: event names that begin"},
		"bad channel":     {"a%3Ab", "name=e", "x", 400, "Invalid channel: a channel name may hold only"},
		"a user":          {"%23server-to-user-a", "name=e", "x", 400, "Invalid channel: a channel name may hold only"},
		"bad socket_id":   {"a", "name=e&socket_id=x", "x", 400, "Invalid socket_id"},
		"broken data":     {"a", "name=e", "\xff", 400, "Invalid data: the data must be valid UTF-8"},
		"large data":      {"a", "name=e", strings.Repeat("x", 10241), 413, "The data content of this event exceeds the allowed maximum (10240 bytes)"},
		"very large data": {"a", "name=e", strings.Repeat("x", 1<<20), 413, "The request body exceeds the allowed maximum ("},
	} {
		t.Run(name, func(t *testing.T) {
			a := a.in(t)
			checkRefusal(t, a.ask("POST", "/apps/3/channels/"+c.channel+"/events", c.params, c.body), c.status, c.text)
			if got := a.bus.frames(); len(got) != 0 {
				t.Errorf("published %q", got)
			}
			if w := a.ask("POST", "/apps/3/channels/a/events", "name=e", "x"); w.Code != 202 {
				t.Errorf("the next publish: %d %q", w.Code, w.Body)
			}
			a.bus.frames()
		})
	}
	a.bus.fail(fmt.Errorf("gone"))
	checkRefusal(t, a.ask("POST", "/apps/3/channels/a/events", "name=e", "x"), 503, "Temporarily unavailable, try again")
}
