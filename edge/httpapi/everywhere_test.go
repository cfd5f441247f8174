package httpapi_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// endpoints are all of them, each with a request that is good.
var endpoints = []struct{ method, path, params, body string }{
	{"POST", "/apps/3/events", "", `{"name":"e","channel":"a","data":"x"}`},
	{"POST", "/apps/3/events", "channel=a&data=x&name=e", ""},
	{"POST", "/apps/3/batch_events", "", `{"batch":[{"name":"e","channel":"a","data":"x"}]}`},
	{"POST", "/apps/3/channels/a/events", "name=e", "x"},
	{"GET", "/apps/3/channels", "filter_by_prefix=presence-&info=user_count", ""},
	{"GET", "/apps/3/channels/a", "", ""},
	{"GET", "/apps/3/channels/presence-a/users", "", ""},
	{"GET", "/apps/3/channels/a/stats", "", ""},
	{"GET", "/apps/3/connections", "", ""},
	{"POST", "/apps/3/users/ann/terminate_connections", "", "{}"},
	{"POST", "/users/ann/terminate_connections", "", "{}"},
}

// TestEverywhere refuses at every endpoint what is to be refused at all of them, and answers what is good after that.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	for _, e := range endpoints {
		t.Run(e.method+" "+e.path, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, "")
			send := func(method, path, key, secret string, when time.Time, change func(*http.Request)) *httptest.ResponseRecorder {
				t.Helper()
				r := request(method, path, sign(method, path, e.params, e.body, key, secret, when), e.body)
				if change != nil {
					change(r)
				}
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				return w
			}
			app := func(id string) string { return strings.Replace(e.path, "/apps/3/", "/apps/"+id+"/", 1) }
			named := strings.HasPrefix(e.path, "/apps/")
			now := time.Now()

			type refusal struct {
				w      *httptest.ResponseRecorder
				status int
				text   string
			}
			refusals := map[string]refusal{
				"not signed":            {send(e.method, e.path, "", "secret3", now, nil), 401, "Missing parameter: auth_key"},
				"unknown key":           {send(e.method, e.path, "nokey", "secret3", now, nil), 401, "Unknown auth_key"},
				"revoked key":           {send(e.method, e.path, "revoked3", "old3", now, nil), 401, "Unknown auth_key"},
				"another secret":        {send(e.method, e.path, "key3", "other3", now, nil), 401, `Invalid signature: you should have sent HmacSHA256Hex("` + e.method + `\n` + e.path + `\nauth_key=key3&`},
				"too old":               {send(e.method, e.path, "key3", "secret3", now.Add(-11*time.Minute), nil), 401, "Timestamp expired"},
				"a parameter more":      {send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.URL.RawQuery += "&z=1" }), 401, "Invalid signature"},
				"a parameter twice":     {send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.URL.RawQuery += "&Auth_Key=key3" }), 401, "Duplicate parameter: auth_key"},
				"another body":          {send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.Body = http.NoBody; setBody(r, e.body+" ") }), 401, missingOrWrong(e.body)},
				"a body of 2 MB":        {send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { setBody(r, strings.Repeat(" ", 2<<20)) }), 413, "The request body exceeds the allowed maximum ("},
				"the same, unannounced": {send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { setBody(r, strings.Repeat(" ", 2<<20)); r.ContentLength = -1 }), 413, "The request body exceeds the allowed maximum ("},
				"disabled app":          {send(e.method, app("4"), "key4", "secret4", now, nil), 403, "App 4 is disabled"},
				"TLS only":              {send(e.method, app("6"), "key6", "secret6", now, nil), 403, "App 6 accepts requests over TLS only, use https"},
				"TLS only, http":        {send(e.method, app("6"), "key6", "secret6", now, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "http") }), 403, "App 6 accepts requests over TLS only"},
			}
			if named {
				refusals["another app's key"] = refusal{send(e.method, e.path, "key8", "secret8", now, nil), 401, "Unknown auth_key"}
				refusals["unknown app"] = refusal{send(e.method, app("5"), "key5", "secret5", now, nil), 404, "Unknown app"}
			}
			refusals["app that is not known"] = refusal{send(e.method, app("503"), "key503", "secret3", now, nil), 503, "Temporarily unavailable, try again"}
			refusals["trouble of ours"] = refusal{send(e.method, app("500"), "key500", "secret3", now, nil), 500, "Internal error"}
			refusals["panic"] = refusal{send(e.method, app("666"), "key666", "secret3", now, nil), 500, "Internal error"}
			for name, c := range refusals {
				t.Run(name, func(t *testing.T) { checkRefusal(t, c.w, c.status, c.text) })
			}
			if got := a.bus.frames(); len(got) != 0 {
				t.Errorf("done all the same: %q", got)
			}

			for _, method := range []string{"PUT", "DELETE", "OPTIONS", "PATCH", "post", "GET", "POST", "HEAD"} {
				if method == e.method || method == "HEAD" && e.method == "GET" {
					continue
				}
				w := send(method, e.path, "key3", "secret3", now, nil)
				checkRefusal(t, w, 405, "Method not allowed, use "+e.method)
				if allow := w.Header().Get("Allow"); !strings.HasPrefix(allow, e.method) || strings.Contains(allow, "HEAD") != (e.method == "GET") {
					t.Errorf("%s: Allow: %q", method, allow)
				}
			}
			for _, path := range []string{e.path + "/", "/" + e.path, e.path + "x", "/x" + e.path, e.path + "/../../x"} {
				if path == "/apps/3/channels/ax" {
					continue // is another channel
				}
				checkRefusal(t, send(e.method, path, "key3", "secret3", now, nil), 404, "Not found")
			}

			for name, w := range map[string]*httptest.ResponseRecorder{
				"good":                   send(e.method, e.path, "key3", "secret3", now, nil),
				"another key":            send(e.method, e.path, "second3", "other3", now, nil),
				"a content type":         send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
				"an origin":              send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }),
				"TLS at a proxy":         send(e.method, app("6"), "key6", "secret6", now, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }),
				"TLS":                    send(e.method, app("6"), "key6", "secret6", now, func(r *http.Request) { r.TLS = &tls.ConnectionState{} }),
				"the digest of no body":  pythonsWay(a, e.method, e.path, e.params, e.body),
				"an upper case auth key": send(e.method, e.path, "key3", "secret3", now, func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "auth_key", "AUTH_KEY", 1) }),
			} {
				if w.Code != 200 && w.Code != 202 {
					t.Errorf("%s: %d %q", name, w.Code, w.Body)
				}
				for header := range w.Header() {
					if strings.HasPrefix(header, "Access-Control-") {
						t.Errorf("%s: a browser would be let in by %s", name, header)
					}
				}
			}
		})
	}
}

func setBody(r *http.Request, body string) {
	with := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Body, r.ContentLength = with.Body, with.ContentLength
}

// missingOrWrong is what is said of a body that was not signed.
func missingOrWrong(signed string) string {
	if signed == "" {
		return "Missing parameter: body_md5"
	}
	return "Invalid body_md5"
}

// pythonsWay signs a digest of the body even where there is no body.
func pythonsWay(a *api, method, path, params, body string) *httptest.ResponseRecorder {
	if body == "" {
		digest := "body_md5=d41d8cd98f00b204e9800998ecf8427e"
		if params != "" {
			digest += "&" + params
		}
		params = digest
	}
	return a.ask(method, path, params, body)
}

// TestUnknownPaths asks for what there is not.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	for _, path := range []string{
		"/", "/apps", "/apps/", "/apps/3", "/apps/3/", "/apps//events", "/apps//channels", "/apps/3/other", "/apps/3/channel",
		"/apps/3/channel_users", "/apps/3/terminate_connections", "/apps/3/channels/", "/apps/3/channels//users",
		"/apps/3/channels/a/other", "/apps/3/channels/a/b/users", "/apps/3/users", "/apps/3/users/", "/apps/3/users/ann",
		"/apps/3/users//terminate_connections", "/apps/3/users/terminate_connections", "/users//terminate_connections", "/users/ann",
		"/channels", "/events", "/connections", "/apps/3/Events", "/APPS/3/events", "//apps/3/events", "/apps/3/./events",
		"/apps/3%2Fevents", "/apps/3/channels%2Fa", "/app/key3", "/apps/3/%65vents", "/users/ann/terminate_connections/",
	} {
		for _, method := range []string{"GET", "POST"} {
			checkRefusal(t, a.ask(method, path, "", ""), 404, "Not found")
		}
	}
	// Behind a prefix there is nothing without it.
	behind := newAPI(t, "/edge")
	w := httptest.NewRecorder()
	behind.ServeHTTP(w, request("GET", "/apps/3/channels", signedQuery("GET", "/apps/3/channels", "", "key3", "secret3", time.Now()), ""))
	checkRefusal(t, w, 404, "Not found")
	checkAnswer(t, behind.get("/apps/3/channels", ""), `{"channels":{}}`)
}
