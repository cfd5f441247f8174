package httpapi

import (
	"context"
	"strconv"
)

// connections answers GET /apps/{id}/connections, which is not Pusher's own: how many clients are connected.
func (s *Server) connections(_ context.Context, q query) (response, error) {
	return response{body: `{"connections":` + strconv.Itoa(s.cfg.Connections.Connections(q.app.ID)) + `}`}, nil
}

// terminate answers POST /apps/{id}/users/{user}/terminate_connections, and the same path without the app: it ends all
// connections that are signed in as this user. That there are none is a success. The body says nothing.
func (s *Server) terminate(ctx context.Context, q query) (response, error) {
	return response{body: "{}"}, s.cfg.Publisher.Terminate(ctx, q.app, q.route.arg)
}
