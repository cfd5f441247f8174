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
	"github.com/pealhq/peal/usage"
)

// refusal is an answer other than success: a status and a line of plain text, because the libraries show the
// body to people as it is (Pusher protocol, status codes).
type refusal struct {
	status int
	text   string
	cause  error // what it was made of, or nil
}

func (e *refusal) Error() string { return e.text }

func (e *refusal) Unwrap() error { return e.cause }

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
	var quota publish.QuotaError
	switch {
	case errors.As(err, &limit):
		limit.SetHeader(w.Header())
	case errors.As(err, &quota):
		quota.SetHeader(w.Header())
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
	var quota publish.QuotaError
	var used *publish.KeyUsedError
	var scope *tenants.ScopeError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &scope):
		return &refusal{status: http.StatusForbidden, text: scope.Error()}
	case errors.As(err, &auth):
		return &refusal{status: http.StatusUnauthorized, text: auth.Error()}
	case errors.As(err, &syntax):
		return &refusal{status: http.StatusBadRequest, text: syntax.Error()}
	case errors.As(err, &event):
		return eventRefusal(event)
	case errors.As(err, &large):
		return &refusal{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("The request body exceeds the allowed maximum (%d bytes)", large.Limit)}
	case errors.As(err, &limit):
		return &refusal{status: http.StatusTooManyRequests, text: "Rate limit exceeded: " + limit.Error()}
	case errors.As(err, &quota):
		return &refusal{status: http.StatusForbidden, text: "Quota exceeded: " + quota.Error()}
	case errors.As(err, &used):
		return &refusal{status: http.StatusUnprocessableEntity, text: "Idempotency key used: " + used.Error()}
	case errors.Is(err, publish.ErrTooManyKeys):
		return &refusal{status: http.StatusTooManyRequests, text: "Too many idempotency keys: " + publish.ErrTooManyKeys.Error()}
	case errors.Is(err, publish.ErrUnavailable), errors.Is(err, tenants.ErrUnavailable), errors.Is(err, channels.ErrUnavailable),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &refusal{status: http.StatusServiceUnavailable, text: "Temporarily unavailable, try again"}
	case errors.Is(err, tenants.ErrBusy):
		return &refusal{status: http.StatusTooManyRequests, text: "Too many lists of channels are asked for at once, ask for one after another"}
	case errors.Is(err, tenants.ErrNotFound):
		return &refusal{status: http.StatusNotFound, text: "Unknown app"}
	}
	return &refusal{status: http.StatusInternalServerError, text: "Internal error"}
}

func eventRefusal(e *publish.EventError) *refusal {
	if errors.Is(e, publish.ErrTooLarge) {
		return &refusal{status: http.StatusRequestEntityTooLarge, text: e.Reason}
	}
	return &refusal{status: http.StatusBadRequest, text: "Invalid " + e.Field + ": " + e.Reason}
}

// inBatch says which event of a batch an error is about.
func inBatch(event int, err error) error {
	r := toRefusal(err)
	return &refusal{status: r.status, text: fmt.Sprintf("batch[%d]: %s", event, r.text), cause: err}
}

// reject counts a request that was refused, by what an error means. What the publisher has refused it has counted.
func reject(tally *usage.Tally, err error) {
	var event *publish.EventError
	var limit *publish.LimitError
	var quota publish.QuotaError
	var used *publish.KeyUsedError
	var auth *pusher.AuthError
	var scope *tenants.ScopeError
	switch {
	case errors.As(err, &scope):
		tally.Rejected(usage.NotAllowed)
		return
	case errors.As(err, &event), errors.As(err, &limit), errors.As(err, &quota), errors.As(err, &used), errors.Is(err, publish.ErrTooManyKeys),
		errors.Is(err, publish.ErrUnavailable), errors.Is(err, context.Canceled):
		return
	case errors.As(err, &auth):
		tally.Rejected(usage.Unauthorized)
		return
	}
	switch toRefusal(err).status {
	case http.StatusRequestEntityTooLarge:
		tally.Rejected(usage.TooLarge)
	case http.StatusTooManyRequests:
		tally.Rejected(usage.Busy)
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		tally.Rejected(usage.Unavailable)
	default:
		tally.Rejected(usage.Invalid)
	}
}
