package httpapi

import (
	"context"
	"strconv"

	"github.com/pealhq/peal/channels"
)

// connections answers GET /apps/{id}/connections, which is not Pusher's own: how many clients are connected,
// over all edges.
func (s *Server) connections(ctx context.Context, q query) (response, error) {
	all, err := s.cfg.Presence.Channel(ctx, channels.SocketsTopic(q.app.ID))
	if err != nil {
		return response{}, err
	}
	return response{body: `{"connections":` + strconv.Itoa(all.Subscribers) + `}`}, nil
}

// terminate answers POST /apps/{id}/users/{user}/terminate_connections, and the same path without the app: it ends all
// connections that are signed in as this user. That there are none is a success. The body says nothing.
func (s *Server) terminate(ctx context.Context, q query) (response, error) {
	return response{body: "{}"}, s.cfg.Publisher.Terminate(ctx, q.app, q.route.arg)
}
