package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/channels"
	"github.com/pealhq/peal/edge/publish"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

var (
	errInternal = errors.New("internal error; quote the request id when you report it")
	errTooLarge = fmt.Errorf("the request is larger than the %d bytes that one may have", maxRequestBytes)
)

// mapErrors turns errors of the inside into Connect's.
func (s *Server) mapErrors() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			resp, err := next(ctx, req)
			if err != nil {
				s.reject(ctx, err)
				return nil, s.toConnect(ctx, err)
			}
			return resp, nil
		}
	})
}

// toConnect is the one mapping of errors to codes. What has no place in it is internal outside and whole in the log.
func (s *Server) toConnect(ctx context.Context, err error) *connect.Error {
	var ready *connect.Error
	var event *publish.EventError
	var limited *publish.LimitError
	var quota publish.QuotaError
	var scope *tenants.ScopeError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &scope):
		return connect.NewError(connect.CodePermissionDenied, scope)
	case errors.As(err, &event):
		return invalid(event.Field, event.Reason)
	case errors.As(err, &limited):
		return tooMany(limited)
	case errors.As(err, &quota):
		e := connect.NewError(connect.CodePermissionDenied, quota)
		quota.SetHeader(e.Meta())
		return e
	case errors.Is(err, tenants.ErrBusy), errors.Is(err, publish.ErrTooManyKeys):
		e := connect.NewError(connect.CodeResourceExhausted, err)
		e.Meta().Set("Retry-After", "1")
		if errors.Is(err, publish.ErrTooManyKeys) {
			e.Meta().Set("Retry-After", publish.KeysRetryAfter)
		}
		return e
	case errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeCanceled, errors.New("the call was given up"))
	case errors.Is(err, publish.ErrUnavailable), errors.Is(err, channels.ErrUnavailable), errors.Is(err, tenants.ErrUnavailable),
		errors.Is(err, context.DeadlineExceeded):
		s.log(ctx, err)
		e := connect.NewError(connect.CodeUnavailable, errors.New("temporarily unavailable, try again"))
		e.Meta().Set("Retry-After", "1")
		return e
	}
	s.log(ctx, err)
	return connect.NewError(connect.CodeInternal, errInternal)
}

// mistake is what is wrong with a call itself, found out here and not by the publisher, who counts what it refuses.
type mistake struct{ err *connect.Error }

func (m mistake) Error() string { return m.err.Error() }

func (m mistake) Unwrap() error { return m.err }

func wrongCall(field, reason string) error { return mistake{invalid(field, reason)} }

// reject counts a call that was refused here.
func (s *Server) reject(ctx context.Context, err error) {
	var wrong mistake
	var scope *tenants.ScopeError
	switch {
	case errors.As(err, &scope):
		s.tally(app(ctx)).Rejected(usage.NotAllowed)
	case errors.As(err, &wrong):
		s.tally(app(ctx)).Rejected(usage.Invalid)
	case errors.Is(err, tenants.ErrBusy):
		s.tally(app(ctx)).Rejected(usage.Busy)
	case errors.Is(err, publish.ErrUnavailable):
	case errors.Is(err, channels.ErrUnavailable):
		s.tally(app(ctx)).Rejected(usage.Unavailable)
	}
}

func (s *Server) log(ctx context.Context, err error) {
	s.cfg.Logger.ErrorContext(ctx, "publish call failed", slog.String("request_id", requestid.From(ctx)), slog.Any("error", err))
}

func invalid(field, reason string) *connect.Error {
	return connect.NewError(connect.CodeInvalidArgument, errors.New(field+": "+reason))
}

func tooMany(e *publish.LimitError) *connect.Error {
	err := connect.NewError(connect.CodeResourceExhausted, e)
	e.SetHeader(err.Meta())
	return err
}

// inBatch names the event of a batch that an error is about.
func inBatch(err error) error {
	var wrong *publish.EventError
	if errors.As(err, &wrong) && wrong.Field != "batch" {
		return invalid(fmt.Sprintf("events[%d].%s", wrong.Event, wrong.Field), wrong.Reason)
	}
	if errors.As(err, &wrong) {
		return invalid("events", wrong.Reason)
	}
	var used *publish.KeyUsedError
	if errors.As(err, &used) {
		return keyUsed(fmt.Sprintf("events[%d].id", used.Event), used)
	}
	return err
}
