package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/pusher"
)

// maxListWrite is how long a client may take to read a list, for which its app keeps others waiting.
const maxListWrite = 30 * time.Second

// channels answers GET /apps/{id}/channels: the occupied channels. There is no bound on how many there are, because
// a list that leaves some out would be a lie; what an app can take with it is bounded by [tenants.Turns].
func (s *Server) channels(ctx context.Context, q query) (response, error) {
	prefix, _ := q.work.signed.Param("filter_by_prefix")
	asked, err := queryInfo(&q.work.signed, counts)
	if err != nil {
		return response{}, err
	}
	if asked&userCount != 0 && !strings.HasPrefix(prefix, "presence-") {
		return response{}, badRequest("user_count may only be requested for presence channels - please supply filter_by_prefix beginning with presence-")
	}
	if asked&subscriptionCount != 0 && !q.app.Features.SubscriptionCount {
		return response{}, errNoSubscriptionCount()
	}
	done, err := s.cfg.Lists.Take(ctx, q.app.ID)
	if err != nil {
		return response{}, err
	}
	defer done()
	list, err := s.cfg.Presence.Channels(ctx, q.app.ID, prefix)
	if err != nil {
		return response{}, err
	}
	s.writeChannels(q, list, asked)
	return response{written: true}, nil
}

func errNoSubscriptionCount() error {
	return badRequest("subscription_count may only be requested when the app has subscription counting switched on")
}

// writeChannels writes a list piece by piece, so that a long one is never in memory a second time as JSON. A client
// that does not read it, or has gone, misses the rest.
func (s *Server) writeChannels(q query, list []channels.Occupancy, asked attributes) {
	const piece = 32 << 10
	control := http.NewResponseController(q.w)
	_ = control.SetWriteDeadline(time.Now().Add(maxListWrite)) // where there can be none, there is no network
	defer control.SetWriteDeadline(time.Time{})                //nolint:errcheck // as above
	q.w.Header()["Content-Type"] = s.json
	body := []byte(`{"channels":{`)
	long := false
	for i, o := range list {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(pusher.AppendString(body, o.Channel), ':', '{')
		body = append(asked.applying(q.app, o.Channel).append(body, o), '}')
		if len(body) < piece {
			continue
		}
		if _, err := q.w.Write(body); err != nil {
			return
		}
		body, long = body[:0], true
	}
	_, _ = q.w.Write(append(body, "}}"...))
	if long {
		_ = control.Flush() // What is left must be out in the time for it, too. Who has gone misses it.
	}
}
