package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/pusher"
	"github.com/pealhq/peal/tenants"
)

// refusal is an answer other than success: a status and a line of plain text, because the libraries show the
// body to people as it is (Pusher protocol, status codes).
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, text: fmt.Sprintf(format, args...)}
}

func badRequest(text string) error { return &refusal{status: http.StatusBadRequest, text: text} }

// log tells of trouble of ours. When something is away every request finds it so, and one line a second says it.
func (s *Server) log(ctx context.Context, status int, err error) {
	facts := []any{slog.Int("status", status), slog.String("request_id", requestid.From(ctx)), slog.Any("error", err)}
	if status != http.StatusServiceUnavailable {
		s.cfg.Logger.ErrorContext(ctx, "request refused", facts...)
		return
	}
	s.away.Do(func() { s.cfg.Logger.WarnContext(ctx, "requests are refused", facts...) })
}

// fail answers with what an error means to the customer. What means nothing to one is an internal error
// outside and whole in the log.
func (s *Server) fail(ctx context.Context, w http.ResponseWriter, err error) int {
	r := toRefusal(err)
	if r.status >= http.StatusInternalServerError && ctx.Err() == nil { // who has gone away is no trouble of ours
		s.log(ctx, r.status, err)
	}
	var limit *publish.LimitError
	switch {
	case errors.As(err, &limit):
		limit.SetHeader(w.Header())
	case errors.Is(err, publish.ErrTooManyKeys):
		w.Header().Set("Retry-After", publish.KeysRetryAfter)
	case r.status == http.StatusServiceUnavailable, r.status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, r.text, r.status)
	return r.status
}

// toRefusal is the one mapping of errors to statuses.
func toRefusal(err error) *refusal {
	var ready *refusal
	var auth *pusher.AuthError
	var syntax *pusher.JSONError
	var event *publish.EventError
	var large *http.MaxBytesError
	var limit *publish.LimitError
	var used *publish.KeyUsedError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &auth):
		return &refusal{http.StatusUnauthorized, auth.Error()}
	case errors.As(err, &syntax):
		return &refusal{http.StatusBadRequest, syntax.Error()}
	case errors.As(err, &event):
		return eventRefusal(event)
	case errors.As(err, &large):
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("The request body exceeds the allowed maximum (%d bytes)", large.Limit)}
	case errors.As(err, &limit):
		return &refusal{http.StatusTooManyRequests, "Rate limit exceeded: " + limit.Error()}
	case errors.As(err, &used):
		return &refusal{http.StatusUnprocessableEntity, "Idempotency key used: " + used.Error()}
	case errors.Is(err, publish.ErrTooManyKeys):
		return &refusal{http.StatusTooManyRequests, "Too many idempotency keys: " + publish.ErrTooManyKeys.Error()}
	case errors.Is(err, publish.ErrUnavailable), errors.Is(err, tenants.ErrUnavailable), errors.Is(err, channels.ErrUnavailable),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &refusal{http.StatusServiceUnavailable, "Temporarily unavailable, try again"}
	case errors.Is(err, tenants.ErrBusy):
		return &refusal{http.StatusTooManyRequests, "Too many lists of channels are asked for at once, ask for one after another"}
	case errors.Is(err, tenants.ErrNotFound):
		return &refusal{http.StatusNotFound, "Unknown app"}
	}
	return &refusal{http.StatusInternalServerError, "Internal error"}
}

func eventRefusal(e *publish.EventError) *refusal {
	if errors.Is(e, publish.ErrTooLarge) {
		return &refusal{http.StatusRequestEntityTooLarge, e.Reason}
	}
	return &refusal{http.StatusBadRequest, "Invalid " + e.Field + ": " + e.Reason}
}

// inBatch says which event of a batch an error is about.
func inBatch(event int, err error) error {
	r := toRefusal(err)
	return refuse(r.status, "batch[%d]: %s", event, r.text)
}
