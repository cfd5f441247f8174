package adminapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgtokens"
)

// CreateToken implements TokenService.
func (s *server) CreateToken(ctx context.Context, req *adminv1.CreateTokenRequest) (*adminv1.CreateTokenResponse, error) {
	who := caller(ctx)
	if err := s.needsVerified(who.User); err != nil {
		return nil, err
	}
	name, err := tenants.CheckName("name", req.GetName())
	if err != nil {
		return nil, err
	}
	scopes, err := scopesFromProto(req.GetScopes(), who)
	if err != nil {
		return nil, err
	}
	life := tenants.TokenLife
	if days := req.GetExpireDays(); days > 0 {
		life = time.Duration(days) * 24 * time.Hour
	}
	text := tenants.NewAPIToken()
	token, err := s.Tokens.Create(ctx, actor(ctx), pgtokens.NewToken{
		Name: name, Scopes: scopes, Life: life, Hint: tenants.TokenHint(text), Hash: tenants.HashToken(text.Reveal()),
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.CreateTokenResponse{Token: tokenToProto(token, who.User.ID), Text: text.Reveal()}, nil
}

// scopesFromProto returns what a token is to be given, if it may be given all of it.
func scopesFromProto(list []adminv1.Permission, who tenants.Membership) ([]tenants.Permission, error) {
	grantable := who.Grantable()
	scopes := make([]tenants.Permission, 0, len(list))
	for _, p := range list {
		scope := permissionFromProto(p)
		if !slices.Contains(grantable, scope) {
			name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(p.String(), "PERMISSION_"), "_", "."))
			return nil, tenants.Invalid("scopes", "cannot have "+name+": no API token may do that, or your role, "+string(who.Role)+", may not")
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

// everybody is whose tokens the caller may see and revoke: their own, or uuid.Nil for those of all, which no token may.
func everybody(ctx context.Context) uuid.UUID {
	if who := identityOf(ctx); slices.Contains(who.permissions(), tenants.TokensManage) {
		return uuid.Nil
	}
	return caller(ctx).User.ID
}

// ListTokens implements TokenService.
func (s *server) ListTokens(ctx context.Context, _ *adminv1.ListTokensRequest) (*adminv1.ListTokensResponse, error) {
	list, err := s.Tokens.List(ctx, caller(ctx).Tenant.ID, everybody(ctx))
	if err != nil {
		return nil, err
	}
	who := caller(ctx)
	resp := &adminv1.ListTokensResponse{Grantable: permissionsToProto(who.Grantable())}
	for _, t := range list {
		resp.Tokens = append(resp.Tokens, tokenToProto(t, caller(ctx).User.ID))
	}
	return resp, nil
}

// RevokeToken implements TokenService.
func (s *server) RevokeToken(ctx context.Context, req *adminv1.RevokeTokenRequest) (*adminv1.RevokeTokenResponse, error) {
	id, err := parseID(req.GetTokenId())
	if err != nil {
		return nil, err
	}
	if err := s.Tokens.Revoke(ctx, actor(ctx), everybody(ctx), id); err != nil {
		return nil, err
	}
	return &adminv1.RevokeTokenResponse{}, nil
}
