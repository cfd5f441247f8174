package adminapi

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// GetPlatform implements PlatformService.
func (s *server) GetPlatform(ctx context.Context, _ *adminv1.GetPlatformRequest) (*adminv1.GetPlatformResponse, error) {
	host, ok := ctx.Value(hostKey{}).(string)
	if !ok {
		return nil, connect.NewError(connect.CodeInternal, errors.New("the host of the call is not known"))
	}
	edge := s.Edge(host)
	return &adminv1.GetPlatformResponse{
		EdgeHost: edge.Host, EdgePort: int32(edge.Port), EdgeTls: edge.TLS, //nolint:gosec // a port fits
		Version: s.Version, SendsMail: s.SendsMail,
	}, nil
}
