package adminapi

import (
	"context"

	"github.com/google/uuid"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// parseID reads an id, whose form the schema has checked. What is none names nothing.
func parseID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, tenants.ErrNotFound
	}
	return id, nil
}

// ListMembers implements MemberService.
func (s *server) ListMembers(ctx context.Context, _ *adminv1.ListMembersRequest) (*adminv1.ListMembersResponse, error) {
	members, err := s.People.Members(ctx, caller(ctx).Tenant.ID)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListMembersResponse{}
	for _, m := range members {
		resp.Members = append(resp.Members, memberToProto(m, caller(ctx).User.ID))
	}
	return resp, nil
}

// ChangeMemberRole implements MemberService.
func (s *server) ChangeMemberRole(ctx context.Context, req *adminv1.ChangeMemberRoleRequest) (*adminv1.ChangeMemberRoleResponse, error) {
	id, err := parseID(req.GetUserId())
	if err != nil {
		return nil, err
	}
	m, err := s.People.ChangeMemberRole(ctx, actor(ctx), id, tenants.Role(req.GetRole()))
	if err != nil {
		return nil, err
	}
	return &adminv1.ChangeMemberRoleResponse{Member: memberToProto(m, caller(ctx).User.ID)}, nil
}

// RemoveMember implements MemberService.
func (s *server) RemoveMember(ctx context.Context, req *adminv1.RemoveMemberRequest) (*adminv1.RemoveMemberResponse, error) {
	id, err := parseID(req.GetUserId())
	if err != nil {
		return nil, err
	}
	if err := s.People.RemoveMember(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &adminv1.RemoveMemberResponse{}, nil
}

// LeaveTenant implements MemberService.
func (s *server) LeaveTenant(ctx context.Context, _ *adminv1.LeaveTenantRequest) (*adminv1.LeaveTenantResponse, error) {
	if err := s.People.LeaveTenant(ctx, actor(ctx)); err != nil {
		return nil, err
	}
	return &adminv1.LeaveTenantResponse{}, nil
}

// TransferOwnership implements MemberService.
func (s *server) TransferOwnership(ctx context.Context, req *adminv1.TransferOwnershipRequest) (*adminv1.TransferOwnershipResponse, error) {
	id, err := parseID(req.GetUserId())
	if err != nil {
		return nil, err
	}
	if err := s.People.TransferOwnership(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &adminv1.TransferOwnershipResponse{}, nil
}
