package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/pealhq/peal/edge/rpc/gen/peal/publish/v1/publishv1connect"
	"github.com/pealhq/peal/tenants"
)

// scopeOf returns what a key must be for to call a procedure. One that is not here is for keys that are for everything.
func scopeOf(procedure string) tenants.KeyScopes {
	switch procedure {
	case publishv1connect.PublishServicePublishProcedure,
		publishv1connect.PublishServicePublishBatchProcedure,
		publishv1connect.PublishServiceTerminateUserProcedure:
		return tenants.ScopePublish
	case publishv1connect.PublishServiceListChannelsProcedure,
		publishv1connect.PublishServiceGetChannelProcedure,
		publishv1connect.PublishServiceListMembersProcedure:
		return tenants.ScopeQuery
	default:
		return tenants.ScopeAll
	}
}

// authorize refuses a call that the caller's key is not for.
func authorize() connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			c, _ := ctx.Value(callerKey{}).(caller)
			if err := c.key.Need(scopeOf(req.Spec().Procedure)); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}
	})
}
