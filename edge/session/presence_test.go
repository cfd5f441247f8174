package session_test

import (
	"context"
	"testing"

	"github.com/pealhq/peal/pusher"
)

func (c *carrier) list(t *testing.T, what, channel, want string) {
	t.Helper()
	c.expect(t, what, `{"event":"pusher_internal:subscription_succeeded","channel":"`+channel+`","data":"{\"presence\":`+want+`}"}`)
}

// TestPresence follows two users through a channel, one of them on two sockets.
func TestPresence(t *testing.T) {
	t.Parallel()
	const room = "presence-x"
	e := newEdge(t)
	ann, a := e.open("js")
	a.join(t, ann, room, `{"user_id":"ann","user_info":{"name":"Ann"}}`)
	a.list(t, "the first", room, `{\"count\":1,\"ids\":[\"ann\"],\"hash\":{\"ann\":{\"name\":\"Ann\"}}}`)
	bo, b := e.open("js")
	b.join(t, bo, room, `{"user_id":7}`)
	b.list(t, "the second", room, `{\"count\":2,\"ids\":[\"ann\",\"7\"],\"hash\":{\"ann\":{\"name\":\"Ann\"},\"7\":{}}}`)
	a.expect(t, "the first hears", string(pusher.MemberAdded(room, "7", "{}")))

	// Another tab of the same user, which signs its id as a string, is no member of its own.
	tab, c := e.open("js")
	c.join(t, tab, room, `{"user_id":"7","user_info":{"other":1}}`)
	c.list(t, "the tab", room, `{\"count\":2,\"ids\":[\"ann\",\"7\"],\"hash\":{\"ann\":{\"name\":\"Ann\"},\"7\":{}}}`)
	a.expect(t, "the first hears of the tab")

	// Subscribing twice changes nothing for anybody.
	c.join(t, tab, room, member("8"))
	c.expect(t, "twice", plain("Existing subscription to channel "+room))
	a.expect(t, "the first hears of that")

	// An event goes to all three, a client's to all but the one who sent it, with its id as a member.
	e.publish(room, "news", "1")
	bo.Handle(t.Context(), []byte(`{"event":"client-hi","channel":"presence-x","data":{"a":1},"user_id":"ann","socket_id":"1.2"}`))
	news, hi := string(pusher.EventFrame("news", room, "1")), `{"event":"client-hi","channel":"presence-x","data":"{\"a\":1}","user_id":"7"}`
	a.expect(t, "the first", news, hi)
	b.expect(t, "the sender", news)
	c.expect(t, "the sender's other tab", news, hi)

	bo.Handle(t.Context(), unsubscribe(room))
	a.expect(t, "one tab has left")
	e.publish(room, "news", "2")
	b.expect(t, "who has left hears nothing")
	tab.Close(context.Background())
	a.expect(t, "both have left", string(pusher.EventFrame("news", room, "2")), string(pusher.MemberRemoved(room, "7")))
	b.join(t, bo, room, `{"user_id":7,"user_info":{"name":"Bo"}}`)
	a.expect(t, "and come again", string(pusher.MemberAdded(room, "7", `{"name":"Bo"}`)))
}
