//go:build !linux

package socket

import (
	"context"
	"net/http"
)

// wiring is for Linux; elsewhere every socket is portable.
type wiring struct{}

func newWiring(*Server) *wiring { return nil }

func (*wiring) run(context.Context) error { return nil }

func (*wiring) serve(http.ResponseWriter, *http.Request, *socket, *session.Ending) {}
