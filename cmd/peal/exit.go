package main

import (
	"context"
	"errors"

	rpc "connectrpc.com/connect"

	"github.com/pealhq/peal/cli"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
)

// Exit codes, the same for every command.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitAuth        = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitTooFast     = 6
	exitUnavailable = 7
	exitTimeout     = 124
	exitInterrupted = 130
)

func exitCode(err error) int {
	var usage usageError
	var usageAway cli.UsageError
	var auth cli.AuthError
	var api *rpc.Error
	switch {
	case errors.As(err, &usage), errors.As(err, &usageAway), errors.Is(err, pgdb.ErrURL):
		return exitUsage
	case errors.As(err, &auth):
		return exitAuth
	case errors.Is(err, cli.ErrTimeout):
		return exitTimeout
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &api):
		return apiExitCode(api.Code())
	case errors.Is(err, tenants.ErrNotFound):
		return exitNotFound
	case isUnavailable(err):
		return exitUnavailable
	default:
		return exitError
	}
}

// apiExitCode is the exit code of what the admin API answered.
func apiExitCode(code rpc.Code) int {
	switch code {
	case rpc.CodeUnauthenticated, rpc.CodePermissionDenied:
		return exitAuth
	case rpc.CodeNotFound:
		return exitNotFound
	case rpc.CodeAlreadyExists, rpc.CodeFailedPrecondition, rpc.CodeAborted:
		return exitConflict
	case rpc.CodeInvalidArgument:
		return exitUsage
	case rpc.CodeResourceExhausted:
		return exitTooFast
	case rpc.CodeUnavailable:
		return exitUnavailable
	case rpc.CodeDeadlineExceeded:
		return exitTimeout
	default:
		return exitError
	}
}
