package adminapi

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
)

var (
	errImpersonating = errors.New("you are looking at this account as an operator, which changes nothing; stop that first")

	errInternal  = errors.New("internal error; quote the request id when you report it")
	errNoSession = connect.NewError(connect.CodeUnauthenticated, errors.New("sign in first"))
	errNoToken   = connect.NewError(connect.CodeUnauthenticated, errors.New("the API token is unknown, revoked or over; make another in the dashboard"))
)

// mapErrors is the one place where errors of the inside become Connect's. What has no place in the mapping is
// "internal error" outside and the whole chain in the log.
func mapErrors(logger *slog.Logger) connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			resp, err := next(ctx, req)
			if err == nil {
				return resp, nil
			}
			mapped := toConnect(err)
			if code := mapped.Code(); code == connect.CodeInternal || code == connect.CodeUnavailable {
				logger.ErrorContext(ctx, "admin call failed", "procedure", req.Spec().Procedure, "request_id", requestid.From(ctx), "err", err)
			}
			return nil, mapped
		}
	})
}

func toConnect(err error) *connect.Error {
	var already *connect.Error
	var field *tenants.FieldError
	var refusal *tenants.RefusalError
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &field):
		return fieldError(field)
	case errors.As(err, &refusal):
		return connect.NewError(codeOf(refusal), errors.New(refusal.Reason))
	case errors.Is(err, tenants.ErrForbidden):
		return connect.NewError(connect.CodePermissionDenied, errors.New("your role does not allow this"))
	case errors.Is(err, tenants.ErrNotFound):
		return connect.NewError(connect.CodeNotFound, errors.New("there is no such thing, or it is not yours"))
	case errors.Is(err, tenants.ErrState):
		return connect.NewError(connect.CodeFailedPrecondition, errors.New("this is not possible in its present state; load the page again"))
	case errors.Is(err, tenants.ErrLimit):
		return connect.NewError(connect.CodeResourceExhausted, errors.New("the limit is reached; remove one first"))
	case errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeCanceled, errors.New("the call was given up"))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, tenants.ErrUnavailable):
		return connect.NewError(connect.CodeUnavailable, errors.New("this cannot be answered at the moment; try again in a few seconds"))
	default:
		return connect.NewError(connect.CodeInternal, errInternal)
	}
}

// codeOf is the code of a refusal by its kind.
func codeOf(r *tenants.RefusalError) connect.Code {
	switch {
	case errors.Is(r, tenants.ErrForbidden):
		return connect.CodePermissionDenied
	case errors.Is(r, tenants.ErrLimit):
		return connect.CodeResourceExhausted
	case errors.Is(r, tenants.ErrNotFound):
		return connect.CodeNotFound
	default:
		return connect.CodeFailedPrecondition
	}
}

// fieldError tells of a field in the same shape as the schema's own constraints do, so that a form needs to
// understand one.
func fieldError(f *tenants.FieldError) *connect.Error {
	code := connect.CodeInvalidArgument
	if errors.Is(f, tenants.ErrConflict) {
		code = connect.CodeAlreadyExists
	}
	err := connect.NewError(code, errors.New(f.Field+": "+f.Reason))
	violations := &validate.Violations{Violations: []*validate.Violation{{Field: fieldPath(f.Field), Message: proto.String(f.Reason)}}}
	if detail, detailErr := connect.NewErrorDetail(violations); detailErr == nil {
		err.AddDetail(detail)
	}
	return err
}

// fieldPath reads a path such as "origins.list[2]".
func fieldPath(text string) *validate.FieldPath {
	path := &validate.FieldPath{}
	for name := range strings.SplitSeq(text, ".") {
		name, index, _ := strings.Cut(name, "[")
		e := &validate.FieldPathElement{FieldName: proto.String(name)}
		if i, err := strconv.ParseUint(strings.TrimSuffix(index, "]"), 10, 32); err == nil {
			e.Subscript = &validate.FieldPathElement_Index{Index: i}
		}
		path.Elements = append(path.Elements, e)
	}
	return path
}
