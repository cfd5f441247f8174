package adminapi

import (
	"context"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// CreateKey implements KeyService.
func (s *server) CreateKey(ctx context.Context, req *adminv1.CreateKeyRequest) (*adminv1.CreateKeyResponse, error) {
	key, err := s.Store.CreateKey(ctx, actor(ctx), req.GetAppId())
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateKeyResponse{Key: keyToProto(key)}, nil
}

// ListKeys implements KeyService.
func (s *server) ListKeys(ctx context.Context, req *adminv1.ListKeysRequest) (*adminv1.ListKeysResponse, error) {
	keys, err := s.Store.Keys(ctx, caller(ctx).Tenant.ID, req.GetAppId())
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListKeysResponse{}
	for _, k := range keys {
		resp.Keys = append(resp.Keys, keyToProto(k))
	}
	return resp, nil
}

// RevealKey implements KeyService.
func (s *server) RevealKey(ctx context.Context, req *adminv1.RevealKeyRequest) (*adminv1.RevealKeyResponse, error) {
	key, err := s.Store.RevealKey(ctx, actor(ctx), req.GetAppId(), req.GetKey())
	if err != nil {
		return nil, err
	}
	return &adminv1.RevealKeyResponse{Secret: key.Secret.Reveal()}, nil
}

// RevokeKey implements KeyService.
func (s *server) RevokeKey(ctx context.Context, req *adminv1.RevokeKeyRequest) (*adminv1.RevokeKeyResponse, error) {
	key, err := s.Store.RevokeKey(ctx, actor(ctx), req.GetAppId(), req.GetKey())
	if err != nil {
		return nil, err
	}
	return &adminv1.RevokeKeyResponse{Key: keyToProto(key)}, nil
}
