package httpapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pealhq/peal/channels"
)

func TestTerminate(t *testing.T) {
	t.Parallel()
	for path, user := range map[string]string{
		"12345":                             "12345",
		"a=@,.;b":                           "a=@,.;b",
		"a%3D%40%2C.%3Bb":                   "a=@,.;b",
		"ann@example.com":                   "ann@example.com",
		"ann%2Bpeal%40example.com":          "ann+peal@example.com",
		"a+b":                               "a+b",
		"100%25":                            "100%",
		"a%2Fb":                             "a/b",
		"a/b":                               "a/b",
		"a%2Fb/c":                           "a/b/c",
		"%C3%A9":                            "é",
		"é":                                 "é",
		"é%2F":                              "é/",
		"a%20b":                             "a b",
		"%2E%2E":                            "..",
		"..":                                "..",
		"%2541":                             "%41",
		"a:b|c":                             "a:b|c",
		"terminate_connections":             "terminate_connections",
		strings.Repeat("%F0%9F%98%80", 200): strings.Repeat("😀", 200),
	} {
		for _, before := range []string{"/apps/3", "", "/edge/apps/3", "/edge"} {
			prefix := ""
			if strings.HasPrefix(before, "/edge") {
				prefix = "/edge"
			}
			a := newAPI(t, prefix)
			whole := strings.TrimPrefix(before, prefix) + "/users/" + path + "/terminate_connections"
			decoded := strings.TrimPrefix(before, prefix) + "/users/" + user + "/terminate_connections"
			for name, signed := range map[string]string{"as sent": whole, "decoded": decoded} {
				for _, body := range []string{"{}", ""} {
					w := httptest.NewRecorder()
					a.ServeHTTP(w, request("POST", prefix+whole, signedQuery("POST", signed, body, "key3", "secret3", time.Now()), body))
					checkAnswer(t, w, "{}")
					if diff := cmp.Diff([]string{"terminate 3 " + channels.UserTopic("3", user).Channel}, a.bus.frames()); diff != "" {
						t.Errorf("%s, signed %s (-want +got):\n%s", whole, name, diff)
					}
				}
			}
		}
	}
}

func TestRefusedTerminate(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"/apps/3", ""} {
		a := newAPI(t, "")
		at := func(user string) string { return before + "/users/" + user + "/terminate_connections" }
		for name, c := range map[string]struct {
			user   string
			status int
			text   string
		}{
			"long":     {strings.Repeat("a", 201), 400, "Invalid user_id: a user id may have at most 200 characters"},
			"no UTF-8": {"%ff", 400, "Invalid user_id: a user id must be valid UTF-8"},
		} {
			t.Run(before+" "+name, func(t *testing.T) {
				checkRefusal(t, a.in(t).post(at(c.user), "{}"), c.status, c.text)
				if got := a.bus.frames(); len(got) != 0 {
					t.Errorf("done all the same: %q", got)
				}
				checkAnswer(t, a.in(t).post(at("ann"), "{}"), "{}")
				a.bus.frames()
			})
		}
		a.bus.fail(channels.ErrUnavailable)
		checkRefusal(t, a.post(at("ann"), "{}"), 503, "Temporarily unavailable, try again")
	}
}
