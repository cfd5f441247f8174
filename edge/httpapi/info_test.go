package httpapi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pealhq/peal/channels"
)

func TestInfoOnPublish(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	crowd(a)
	for name, c := range map[string]struct{ path, body, want string }{
		"users": {"3/events", `{"name":"e","data":"x","channel":"presence-room","info":"user_count"}`, `{"channels":{"presence-room":{"user_count":2}}}`},
		"both":  {"7/events", `{"name":"e","data":"x","channels":["presence-room","news"],"info":"subscription_count,user_count"}`, `{"channels":{"presence-room":{"user_count":2},"news":{"subscription_count":2}}}`},
		"with spaces": {
			"7/events", `{"name":"e","data":"x","channels":["news"],"info":" subscription_count , user_count "}`,
			`{"channels":{"news":{"subscription_count":2}}}`,
		},
		"not switched on": {"3/events", `{"name":"e","data":"x","channel":"news","info":"subscription_count"}`, `{"channels":{"news":{}}}`},
		"does not apply":  {"3/events", `{"name":"e","data":"x","channel":"news","info":"user_count"}`, `{"channels":{"news":{}}}`},
		"nobody there":    {"7/events", `{"name":"e","data":"x","channels":["presence-x","y"],"info":"user_count,subscription_count"}`, `{"channels":{"presence-x":{"user_count":0},"y":{"subscription_count":0}}}`},
		"named twice":     {"3/events", `{"name":"e","data":"x","channels":["presence-room","news","presence-room"],"info":"user_count"}`, `{"channels":{"presence-room":{"user_count":2},"news":{}}}`},
		"encrypted":       {"7/events", `{"name":"e","data":"x","channel":"private-encrypted-x","info":"subscription_count"}`, `{"channels":{"private-encrypted-x":{"subscription_count":1}}}`},
		"a user's": {
			"7/events", `{"name":"e","data":"x","channel":"#server-to-user-a\"b\\","info":"user_count,subscription_count"}`,
			`{"channels":{"#server-to-user-a\"b\\":{}}}`,
		},
		"not asked for": {"7/events", `{"name":"e","data":"x","channel":"news","info":" , "}`, `{}`},

		"batch":             {"7/batch_events", `{"batch":[{"name":"e","data":"x","channel":"news","info":"subscription_count"},{"name":"e","data":"x","channel":"news"}]}`, `{"batch":[{"subscription_count":2},{}]}`},
		"batch of users":    {"3/batch_events", `{"batch":[{"name":"e","data":"x","channel":"news","info":"user_count"},{"name":"e","data":"x","channel":"presence-hall","info":"user_count"}]}`, `{"batch":[{},{"user_count":1}]}`},
		"batch of nothing":  {"3/batch_events", `{"batch":[{"name":"e","data":"x","channel":"news","info":""},{"name":"e","data":"x","channel":"b","info":null}]}`, `{}`},
		"batch off":         {"3/batch_events", `{"batch":[{"name":"e","data":"x","channel":"news","info":"subscription_count"}]}`, `{"batch":[{}]}`},
		"batch with a user": {"7/batch_events", `{"batch":[{"name":"e","data":"x","channel":"#server-to-user-a","info":"user_count"}]}`, `{"batch":[{}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkAnswer(t, a.in(t).post("/apps/"+c.path, c.body), c.want)
		})
	}
}

// TestInfoIsCountedAfterThePublish has somebody come while an event is published.
func TestInfoIsCountedAfterThePublish(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.bus.after = func() { a.join("3", "presence-a", "1.1", "ann") }
	checkAnswer(t, a.post("/apps/3/events", `{"name":"e","data":"x","channel":"presence-a","info":"user_count"}`), `{"channels":{"presence-a":{"user_count":1}}}`)
}

// TestInfoThatCannotBeHad publishes while nobody can tell who is there. The event is out, so that it must not be sent
// again.
func TestInfoThatCannotBeHad(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "")
	a.bus.failPresence(errors.Join(channels.ErrUnavailable, errors.New("a secret about the inside")))
	checkAnswer(t, a.post("/apps/3/events", `{"name":"e","data":"x","channel":"presence-a","info":"user_count"}`), `{"channels":{"presence-a":{}}}`)
	checkAnswer(t, a.post("/apps/3/batch_events", `{"batch":[{"name":"e","data":"x","channel":"presence-a","info":"user_count"}]}`), `{"batch":[{}]}`)
	if got := a.bus.frames(); len(got) != 2 {
		t.Errorf("published %q", got)
	}
	if !strings.Contains(a.log.String(), "without the counts") {
		t.Errorf("logged %q", a.log)
	}
}
