package httpapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pealhq/peal/tenants"
)

// TestScopes asks every endpoint under keys of every set of scopes.
func TestScopes(t *testing.T) {
	t.Parallel()
	wants := map[string]tenants.KeyScopes{
		"POST /apps/3/events": tenants.ScopePublish, "POST /apps/3/batch_events": tenants.ScopePublish,
		"POST /apps/3/channels/a/events": tenants.ScopePublish, "POST /apps/3/users/ann/terminate_connections": tenants.ScopePublish,
		"POST /users/ann/terminate_connections": tenants.ScopePublish,
		"GET /apps/3/channels":                  tenants.ScopeQuery, "GET /apps/3/channels/a": tenants.ScopeQuery,
		"GET /apps/3/channels/presence-a/users": tenants.ScopeQuery, "GET /apps/3/channels/a/stats": tenants.ScopeQuery,
		"GET /apps/3/connections": tenants.ScopeQuery,
	}
	a := newAPI(t, "")
	for _, e := range endpoints {
		want := wants[e.method+" "+e.path]
		if want == 0 {
			t.Errorf("this test does not know which scope %s %s needs", e.method, e.path)
		}
		for set := range tenants.KeyScopes(8) {
			key := "scoped" + strings.ReplaceAll(set.String(), ", ", "-")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, request(e.method, e.path, sign(e.method, e.path, e.params, e.body, key, "scoped", time.Now()), e.body))
			if set.Allow(want) {
				if w.Code != 200 && w.Code != 202 {
					t.Errorf("%s %s with a key for %q: %d %s", e.method, e.path, set, w.Code, w.Body)
				}
				a.bus.frames()
				continue
			}
			checkRefusal(t, w, 403, "Key "+key+" has no scope for this: it needs "+want.String())
			if done := a.bus.frames(); len(done) != 0 {
				t.Errorf("%s %s with a key for %q was done all the same: %q", e.method, e.path, set, done)
			}
		}
	}
}

// TestCountsNeedTheScopeOfQueries: a publish that asks for counts is a question too.
func TestCountsNeedTheScopeOfQueries(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	post := func(path, key, params, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, request("POST", path, sign("POST", path, params, body, key, "scoped", time.Now()), body))
		return w
	}
	for name, c := range map[string]struct{ path, params, body string }{
		"event":          {"/apps/3/events", "", `{"name":"e","channel":"presence-a","data":"x","info":"user_count"}`},
		"in the query":   {"/apps/3/events", "channel=presence-a&data=x&info=user_count&name=e", ""},
		"under a key":    {"/apps/3/events", "", `{"name":"e","channel":"presence-a","data":"x","info":"user_count","id":"once"}`},
		"one of a batch": {"/apps/3/batch_events", "", `{"batch":[{"name":"e","channel":"a","data":"x"},{"name":"e","channel":"presence-a","data":"x","info":"user_count"}]}`},
	} {
		checkRefusal(t, post(c.path, "scopedpublish", c.params, c.body), 403, "Key scopedpublish has no scope for this: it needs query and has publish")
		if done := a.bus.frames(); len(done) != 0 {
			t.Errorf("%s: published all the same: %q", name, done)
		}
		if w := post(c.path, "scopedpublish-query", c.params, c.body); w.Code != 200 {
			t.Errorf("%s with both scopes: %d %s", name, w.Code, w.Body)
		}
		a.bus.frames()
	}
}

// TestWhatIsWrongWithASignatureComesBeforeItsScope: who does not have the secret is told nothing of the key.
func TestWhatIsWrongWithASignatureComesBeforeItsScope(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, request("GET", "/apps/3/channels", sign("GET", "/apps/3/channels", "", "", "scopedpublish", "another", time.Now()), ""))
	checkRefusal(t, w, 401, "Invalid signature")
}
