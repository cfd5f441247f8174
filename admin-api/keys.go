package adminapi

import (
	"context"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// CreateKey implements KeyService.
func (s *server) CreateKey(ctx context.Context, req *adminv1.CreateKeyRequest) (*adminv1.CreateKeyResponse, error) {
	want, err := keyWishFromProto(req)
	if err != nil {
		return nil, err
	}
	key, err := s.Store.CreateKey(ctx, actor(ctx), req.GetAppId(), want)
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

// RenameKey implements KeyService.
func (s *server) RenameKey(ctx context.Context, req *adminv1.RenameKeyRequest) (*adminv1.RenameKeyResponse, error) {
	label, err := tenants.CheckLabel("label", req.GetLabel())
	if err != nil {
		return nil, err
	}
	key, err := s.Store.RenameKey(ctx, actor(ctx), req.GetAppId(), req.GetKey(), label)
	if err != nil {
		return nil, err
	}
	return &adminv1.RenameKeyResponse{Key: keyToProto(key)}, nil
}

// RotateKey implements KeyService.
func (s *server) RotateKey(ctx context.Context, req *adminv1.RotateKeyRequest) (*adminv1.RotateKeyResponse, error) {
	overlap := tenants.DefaultOverlap
	if req.GetOverlap() != nil {
		overlap = req.GetOverlap().AsDuration()
	}
	r, err := s.Store.RotateKey(ctx, actor(ctx), req.GetAppId(), req.GetKey(), overlap)
	if err != nil {
		return nil, err
	}
	return &adminv1.RotateKeyResponse{Key: keyToProto(r.Fresh), Old: keyToProto(r.Old)}, nil
}

// KeepKey implements KeyService.
func (s *server) KeepKey(ctx context.Context, req *adminv1.KeepKeyRequest) (*adminv1.KeepKeyResponse, error) {
	key, err := s.Store.KeepKey(ctx, actor(ctx), req.GetAppId(), req.GetKey())
	if err != nil {
		return nil, err
	}
	return &adminv1.KeepKeyResponse{Key: keyToProto(key)}, nil
}

// RevokeKey implements KeyService.
func (s *server) RevokeKey(ctx context.Context, req *adminv1.RevokeKeyRequest) (*adminv1.RevokeKeyResponse, error) {
	key, err := s.Store.RevokeKey(ctx, actor(ctx), req.GetAppId(), req.GetKey())
	if err != nil {
		return nil, err
	}
	return &adminv1.RevokeKeyResponse{Key: keyToProto(key)}, nil
}
