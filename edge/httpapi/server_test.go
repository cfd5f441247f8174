package httpapi_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pealhq/peal/channels"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<", 10240)
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"channels":                           {`{"name":"e","channels":["a","b"],"data":"x"}`, []string{`{"event":"e","channel":"a","data":"x"}`, `{"event":"e","channel":"b","data":"x"}`}},
		"channel":                            {`{"name":"e","channel":"a","data":"x"}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"same names":                         {`{"name":"e","channels":["a","b","a","\u0061"],"data":"x"}`, []string{`{"event":"e","channel":"a","data":"x"}`, `{"event":"e","channel":"b","data":"x"}`}},
		"JSON in data":                       {`{"name":"e","channel":"a","data":"{\"hello\":\"world\"}"}`, []string{`{"event":"e","channel":"a","data":"{\"hello\":\"world\"}"}`}},
		"empty data":                         {`{"name":"e","channel":"a","data":""}`, []string{`{"event":"e","channel":"a","data":""}`}},
		"object as data":                     {`{"name":"e","channel":"a","data":{"b" : 1,"a":"<&>"}}`, []string{`{"event":"e","channel":"a","data":"{\"b\" : 1,\"a\":\"<&>\"}"}`}},
		"number as data":                     {`{"name":"e","channel":"a","data":12345678901234567890}`, []string{`{"event":"e","channel":"a","data":"12345678901234567890"}`}},
		"null as data":                       {`{"name":"e","channel":"a","data":null}`, []string{`{"event":"e","channel":"a","data":"null"}`}},
		"array as data":                      {`{"name":"e","channel":"a","data":[1,"x"]}`, []string{`{"event":"e","channel":"a","data":"[1,\"x\"]"}`}},
		"escapes":                            {`{"name":"e","channel":"a","data":"\u003c\u2028\ud83d\ude00\/"}`, []string{"{\"event\":\"e\",\"channel\":\"a\",\"data\":\"<\u2028😀/\"}"}},
		"socket_id":                          {`{"name":"e","channels":["a"],"data":"x","socket_id":"12.34"}`, []string{`{"event":"e","channel":"a","data":"x"} except 12.34`}},
		"null socket_id":                     {`{"name":"e","channels":["a"],"data":"x","socket_id":null}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"null channel":                       {`{"name":"e","channels":["a"],"channel":null,"data":"x"}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"client event":                       {`{"name":"client-e","channels":["a"],"data":"x"}`, []string{`{"event":"client-e","channel":"a","data":"x"}`}},
		"Laravel's name":                     {`{"name":"App\\Events\\X","channels":["private-a"],"data":"x"}`, []string{`{"event":"App\\Events\\X","channel":"private-a","data":"x"}`}},
		"a user's channel":                   {`{"name":"e","channels":["#server-to-user-a:b/é"],"data":"x"}`, []string{`{"event":"e","channel":"#server-to-user-a:b/é","data":"x"}`}},
		"number beyond float64 in an object": {`{"name":"e","channel":"a","data":{"n":1e400,"m":9007199254740993}}`, []string{`{"event":"e","channel":"a","data":"{\"n\":1e400,\"m\":9007199254740993}"}`}},
		"null info":                          {`{"name":"e","channels":["a"],"data":"x","info":null}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"empty info":                         {`{"name":"e","channels":["a"],"data":"x","info":""}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"encrypted alone":                    {`{"name":"e","channels":["private-encrypted-a"],"data":"x"}`, []string{`{"event":"e","channel":"private-encrypted-a","data":"x"}`}},
		"unknown members":                    {`{"name":"e","channels":["a"],"data":"x","other":[{}]}`, []string{`{"event":"e","channel":"a","data":"x"}`}},
		"full data":                          {`{"name":"e","channel":"a","data":"` + strings.Repeat(`\u003c`, 10240) + `"}`, []string{`{"event":"e","channel":"a","data":"` + long + `"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			w := a.post("/apps/3/events", c.body)
			if w.Code != 200 || w.Body.String() != "{}" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
			}
			if diff := cmp.Diff(c.want, a.bus.frames()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	w := a.post("/apps/3/batch_events", `{"batch":[{"channel":"a","name":"1","data":"x","socket_id":"1.2"},{"channel":"b","name":"2","data":""},{"channel":"a","name":"3","data":{}}]}`)
	want := []string{`{"event":"1","channel":"a","data":"x"} except 1.2`, `{"event":"2","channel":"b","data":""}`, `{"event":"3","channel":"a","data":"{}"}`}
	if diff := cmp.Diff(want, a.bus.frames()); w.Code != 200 || w.Body.String() != "{}" || diff != "" {
		t.Errorf("%d %q, published (-want +got):\n%s", w.Code, w.Body, diff)
	}

	// Ten events of ten kilobytes, each byte written as six, is what the protocol allows.
	var items []string
	for range 10 {
		items = append(items, `{"channel":"a","name":"e","data":"`+strings.Repeat(`\u0001`, 10240)+`"}`)
	}
	full := `{"batch":[` + strings.Join(items, ",") + `]}`
	if w := a.post("/apps/3/batch_events", full); w.Code != 200 || len(a.bus.frames()) != 10 {
		t.Errorf("a full batch of %d bytes: %d %q", len(full), w.Code, w.Body)
	}
}

func quoted(names ...string) string { return `["` + strings.Join(names, `","`) + `"]` }

func manyChannels(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	return quoted(names...)
}

func TestRefusedEvents(t *testing.T) {
	t.Parallel()
	const good = `{"channel":"a","name":"e","data":"x"}`
	for name, c := range map[string]struct {
		path, body string
		status     int
		text       string
	}{
		"no body":                {"events", ``, 400, "Invalid name: an event needs a name"},
		"batch without body":     {"batch_events", ``, 400, "invalid JSON at byte 0: unexpected end"},
		"number as info":         {"events", `{"name":"e","channel":"a","data":"x","info":1}`, 400, "Invalid info: it must be a string"},
		"array as info":          {"events", `{"name":"e","channel":"a","data":"x","info":["user_count"]}`, 400, "Invalid info: it must be a string"},
		"unknown info":           {"events", `{"name":"e","channel":"a","data":"x","info":"user_count,users"}`, 400, `Invalid info: "users" cannot be asked for here, only user_count, subscription_count`},
		"cache as info":          {"events", `{"name":"e","channel":"cache-a","data":"x","info":"cache"}`, 400, `Invalid info: "cache" cannot be asked for here`},
		"unknown info in batch":  {"batch_events", `{"batch":[` + good + `,{"channel":"a","name":"e","data":"x","info":"\u0000"}]}`, 400, `batch[1]: Invalid info: "\x00" cannot be asked for here`},
		"user without an id":     {"events", `{"name":"e","data":"x","channels":["#server-to-user-"]}`, 400, "Invalid channels: a user id must not be empty"},
		"no JSON":                {"events", `name=e`, 400, "invalid JSON"},
		"array":                  {"events", `[]`, 400, "Invalid event: it must be a JSON object"},
		"duplicate key":          {"events", `{"name":"e","channel":"a","data":"x","data":"y"}`, 400, "invalid JSON at byte 37: duplicate key"},
		"duplicate key in data":  {"events", `{"name":"e","channel":"a","data":{"k":1,"k":2}}`, 400, "invalid JSON at byte 40: duplicate key"},
		"deep data":              {"events", `{"name":"e","channel":"a","data":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, 400, "invalid JSON at byte 64: nested too deeply"},
		"invalid UTF-8":          {"events", "{\"name\":\"e\",\"channel\":\"a\",\"data\":\"\xff\"}", 400, "invalid JSON at byte 34: invalid UTF-8"},
		"half a character":       {"events", `{"name":"e","channel":"a","data":"\ud83d"}`, 400, "invalid JSON at byte 34: invalid \\u escape or half a surrogate pair"},
		"no name":                {"events", `{"channel":"a","data":"x"}`, 400, "Invalid name: an event needs a name"},
		"empty name":             {"events", `{"name":"","channel":"a","data":"x"}`, 400, "Invalid name: an event name must not be empty"},
		"number as name":         {"events", `{"name":1,"channel":"a","data":"x"}`, 400, "Invalid name"},
		"long name":              {"events", `{"name":"` + strings.Repeat("n", 201) + `","channel":"a","data":"x"}`, 400, "Invalid name: an event name may have at most 200 characters"},
		"reserved name":          {"events", `{"name":"pusher:x","channel":"a","data":"x"}`, 400, "Invalid name: event names that begin with pusher:"},
		"internal name":          {"events", `{"name":"pusher_internal:member_added","channel":"a","data":"x"}`, 400, "Invalid name"},
		"no data":                {"events", `{"name":"e","channel":"a"}`, 400, "Invalid data: an event needs data"},
		"large data":             {"events", `{"name":"e","channel":"a","data":"` + strings.Repeat("x", 10241) + `"}`, 413, "The data content of this event exceeds the allowed maximum (10240 bytes)"},
		"large object":           {"events", `{"name":"e","channel":"a","data":{"x":"` + strings.Repeat("x", 10240) + `"}}`, 413, "The data content of this event exceeds"},
		"no channel":             {"events", `{"name":"e","data":"x"}`, 400, "Invalid channel: an event needs a channel"},
		"null channel":           {"events", `{"name":"e","data":"x","channel":null}`, 400, "Invalid channel: an event needs a channel"},
		"number as channel":      {"events", `{"name":"e","data":"x","channel":1}`, 400, "Invalid channel"},
		"empty channel":          {"events", `{"name":"e","data":"x","channel":""}`, 400, "Invalid channels: a channel name must not be empty"},
		"both":                   {"events", `{"name":"e","data":"x","channel":"a","channels":["b"]}`, 400, "Invalid channels: give either channel or channels"},
		"string as channels":     {"events", `{"name":"e","data":"x","channels":"a"}`, 400, "Invalid channels: it must be an array of strings"},
		"object as channels":     {"events", `{"name":"e","data":"x","channels":{"0":"a"}}`, 400, "Invalid channels: it must be an array"},
		"no channels":            {"events", `{"name":"e","data":"x","channels":[]}`, 400, "Invalid channels: an event needs a channel"},
		"number in channels":     {"events", `{"name":"e","data":"x","channels":["a",1]}`, 400, "Invalid channels: it must be an array of strings"},
		"101 channels":           {"events", `{"name":"e","data":"x","channels":` + manyChannels(101) + `}`, 400, "Invalid channels: an event may go to at most 100 channels"},
		"one bad channel":        {"events", `{"name":"e","data":"x","channels":["a","a:b"]}`, 400, "Invalid channels: a channel name may hold only"},
		"channel of a user":      {"events", `{"name":"e","data":"x","channels":["#foo"]}`, 400, "Invalid channels: a channel name may hold only"},
		"long channel":           {"events", `{"name":"e","data":"x","channel":"` + strings.Repeat("c", 165) + `"}`, 400, "Invalid channels: a channel name may have at most 164 characters"},
		"encrypted of two":       {"events", `{"name":"e","data":"x","channels":["private-encrypted-a","b"]}`, 400, "Invalid channels: an event for an encrypted channel"},
		"empty socket_id":        {"events", `{"name":"e","data":"x","channel":"a","socket_id":""}`, 400, "Invalid socket_id"},
		"bad socket_id":          {"events", `{"name":"e","data":"x","channel":"a","socket_id":"1.2:a"}`, 400, "Invalid socket_id"},
		"number as socket_id":    {"events", `{"name":"e","data":"x","channel":"a","socket_id":1.2}`, 400, "Invalid socket_id"},
		"large body":             {"events", `{"name":"` + strings.Repeat("x", 800_000) + `"}`, 413, "The request body exceeds the allowed maximum ("},
		"batch of nothing":       {"batch_events", `{"batch":[]}`, 400, "Invalid batch: a batch may have from 1 to 10 events"},
		"no batch":               {"batch_events", `{}`, 400, "Invalid batch: it must be an array of events"},
		"object as batch":        {"batch_events", `{"batch":{}}`, 400, "Invalid batch: it must be an array of events"},
		"event as batch":         {"batch_events", good, 400, "Invalid batch"},
		"string in batch":        {"batch_events", `{"batch":["x"]}`, 400, "batch[0]: Invalid event"},
		"eleven events":          {"batch_events", `{"batch":[` + strings.Repeat(good+",", 10) + good + `]}`, 400, "Invalid batch: it may have at most 10 events"},
		"one bad event":          {"batch_events", `{"batch":[` + good + `,{"channel":"a","name":"pusher:x","data":"x"}]}`, 400, "batch[1]: Invalid name"},
		"one event without data": {"batch_events", `{"batch":[` + good + `,{"channel":"a","name":"e"}]}`, 400, "batch[1]: Invalid data"},
		"one large event":        {"batch_events", `{"batch":[` + good + `,{"channel":"a","name":"e","data":"` + strings.Repeat("x", 10241) + `"}]}`, 413, "batch[1]: The data content of this event exceeds"},
		"channels in batch":      {"batch_events", `{"batch":[{"channels":["a"],"name":"e","data":"x"}]}`, 400, "batch[0]: Invalid channels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			w := a.post("/apps/3/"+c.path, c.body)
			checkRefusal(t, w, c.status, c.text)
			if got := a.bus.frames(); len(got) != 0 {
				t.Errorf("published %q", got)
			}
			if w := a.post("/apps/3/events", good); w.Code != 200 {
				t.Errorf("the next publish: %d %q", w.Code, w.Body)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	const path, body = "/apps/3/events", `{"name":"e","channel":"a","data":"x"}`
	now := time.Now()
	good := func(path string) string { return signedQuery("POST", path, body, "key3", "secret3", now) }
	for name, c := range map[string]struct {
		method, path, query string
		status              int
		text                string
	}{
		"the root":               {"POST", "/", "", 404, "Not found"},
		"apps":                   {"POST", "/apps/3", good("/apps/3"), 404, "Not found"},
		"no app":                 {"POST", "/apps//events", good("/apps//events"), 404, "Not found"},
		"unknown path":           {"POST", "/apps/3/other", good("/apps/3/other"), 404, "Not found"},
		"slash at the end":       {"POST", path + "/", good(path + "/"), 404, "Not found"},
		"two slashes":            {"POST", "//apps/3/events", good("//apps/3/events"), 404, "Not found"},
		"dots":                   {"POST", "/apps/3/../3/events", good("/apps/3/../3/events"), 404, "Not found"},
		"a prefix":               {"POST", "/edge" + path, good(path), 404, "Not found"},
		"GET":                    {"GET", path, signedQuery("GET", path, "", "key3", "secret3", now), 405, "Method not allowed"},
		"PUT":                    {"PUT", path, good(path), 405, "Method not allowed"},
		"unknown app":            {"POST", "/apps/5/events", good("/apps/5/events"), 404, "Unknown app"},
		"app that is not known":  {"POST", "/apps/503/events", good("/apps/503/events"), 503, "Temporarily unavailable"},
		"trouble of ours":        {"POST", "/apps/500/events", good("/apps/500/events"), 500, "Internal error"},
		"panic":                  {"POST", "/apps/666/events", good("/apps/666/events"), 500, "Internal error"},
		"not signed":             {"POST", path, "", 401, "Missing parameter: auth_key"},
		"unknown key":            {"POST", path, signedQuery("POST", path, body, "nokey", "secret3", now), 401, "Unknown auth_key"},
		"another app's key":      {"POST", path, signedQuery("POST", path, body, "key4", "secret4", now), 401, "Unknown auth_key"},
		"revoked key":            {"POST", path, signedQuery("POST", path, body, "revoked3", "old3", now), 401, "Unknown auth_key"},
		"another key's secret":   {"POST", path, signedQuery("POST", path, body, "key3", "other3", now), 401, `Invalid signature: you should have sent HmacSHA256Hex("POST\n/apps/3/events\nauth_key=key3`},
		"another path signed":    {"POST", path, good("/apps/3/batch_events"), 401, "Invalid signature"},
		"another body signed":    {"POST", path, signedQuery("POST", path, "{}", "key3", "secret3", now), 401, "Invalid body_md5"},
		"no body signed":         {"POST", path, signedQuery("POST", path, "", "key3", "secret3", now), 401, "Missing parameter: body_md5"},
		"an old signature":       {"POST", path, signedQuery("POST", path, body, "key3", "secret3", now.Add(-700*time.Second)), 401, "Timestamp expired: Given timestamp ("},
		"a signature to come":    {"POST", path, signedQuery("POST", path, body, "key3", "secret3", now.Add(700*time.Second)), 401, "Timestamp expired: Given timestamp ("},
		"another version":        {"POST", path, strings.Replace(good(path), "auth_version=1.0", "auth_version=1.1", 1), 401, "Version not supported"},
		"signature and more":     {"POST", path, good(path) + "&info=user_count", 401, "Invalid signature"},
		"disabled app":           {"POST", "/apps/4/events", signedQuery("POST", "/apps/4/events", body, "key4", "secret4", now), 403, "App 4 is disabled"},
		"disabled, badly signed": {"POST", "/apps/4/events", signedQuery("POST", "/apps/4/events", body, "key4", "no", now), 401, "Invalid signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, request(c.method, c.path, c.query, body))
			checkRefusal(t, w, c.status, c.text)
			if allow := w.Header().Get("Allow"); (allow == "POST") != (c.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
			if logged := a.log.String(); (logged != "") != (c.status >= 500) {
				t.Errorf("logged %q", logged)
			}
			if got := a.bus.frames(); len(got) != 0 {
				t.Errorf("published %q", got)
			}
		})
	}
}

func TestAcceptedRequests(t *testing.T) {
	t.Parallel()
	const path, body = "/apps/3/events", `{"name":"e","channel":"a","data":"x"}`
	now := time.Now()
	for name, c := range map[string]struct{ prefix, path, query string }{
		"another key":       {"", path, signedQuery("POST", path, body, "second3", "other3", now)},
		"almost too old":    {"", path, signedQuery("POST", path, body, "key3", "secret3", now.Add(-590*time.Second))},
		"almost too early":  {"", path, signedQuery("POST", path, body, "key3", "secret3", now.Add(590*time.Second))},
		"a prefix":          {"/edge/v1", "/edge/v1" + path, signedQuery("POST", path, body, "key3", "secret3", now)},
		"escaped, as sent":  {"", "/apps/%33/events", signedQuery("POST", "/apps/%33/events", body, "key3", "secret3", now)},
		"escaped, decoded":  {"", "/apps/%33/events", signedQuery("POST", path, body, "key3", "secret3", now)},
		"escaped parameter": {"", path, strings.Replace(signedQuery("POST", path, body, "key3", "secret3", now), "1.0", "1%2E0", 1)},
	} {
		a := newAPI(t, c.prefix)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, request("POST", c.path, c.query, body))
		if w.Code != 200 || len(a.bus.frames()) != 1 {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
}

func TestBusAway(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/apps/3/events", "/apps/3/batch_events"} {
		a := newAPI(t, "")
		a.bus.fail(channels.ErrUnavailable)
		body := `{"name":"e","channel":"a","data":"x"}`
		if strings.HasSuffix(path, "batch_events") {
			body = `{"batch":[` + body + `]}`
		}
		w := a.post(path, body)
		checkRefusal(t, w, 503, "Temporarily unavailable, try again")
		if !strings.Contains(a.log.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("the log does not name the request: %s", a.log)
		}
		for range 50 {
			a.post(path, body)
		}
		if lines := strings.Count(a.log.String(), "\n"); lines > 10 { // one a second
			t.Errorf("%d lines in the log", lines)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	for given, kept := range map[string]bool{
		"abc-DEF_1.2": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "a\tb": false, "a\"b": false, "é": false,
	} {
		w := httptest.NewRecorder()
		r := request("POST", "/", "", "")
		r.Header.Set("X-Request-Id", given)
		newAPI(t, "").ServeHTTP(w, r)
		got := w.Header().Get("X-Request-Id")
		if kept != (got == given) || got == "" {
			t.Errorf("given %q, got %q", given, got)
		}
	}
}

// TestBrokenBody ends a body before its time.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	const path, body = "/apps/3/events", `{"name":"e"}`
	r := request("POST", path, signedQuery("POST", path, body, "key3", "secret3", time.Now()), "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:5]), brokenReader{}))
	w := httptest.NewRecorder()
	newAPI(t, "").ServeHTTP(w, r)
	checkRefusal(t, w, 400, "The request body could not be read")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestMetricsAreBounded asks for many things that there are not. What is counted has a few names only.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for i := range 50 {
		a.get(fmt.Sprint("/apps/", i, "/channels"), "")
		a.get(fmt.Sprint("/apps/3/other", i), "")
		a.get(fmt.Sprint("/apps/3/channels/c", i), "")
		a.ask(fmt.Sprint("METHOD", i), "/apps/3/channels", "", "")
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(a.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := 0.0
	for _, family := range families {
		if n := len(family.GetMetric()); n > 20 {
			t.Errorf("%s has %d series", family.GetName(), n)
		}
		for _, metric := range family.GetMetric() {
			counted += metric.GetCounter().GetValue()
		}
	}
	if counted != 200 {
		t.Errorf("%v of 200 requests are counted", counted)
	}
}
