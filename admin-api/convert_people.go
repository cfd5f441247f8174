package adminapi

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

func memberToProto(m tenants.Member, caller uuid.UUID) *adminv1.Member {
	return &adminv1.Member{
		UserId: m.User.ID.String(), Email: m.User.Email, Role: string(m.Role), JoinTime: timestamppb.New(m.JoinedAt),
		SecondFactor: m.User.SecondFactor, Self: m.User.ID == caller,
	}
}

func invitationToProto(i tenants.Invitation) *adminv1.Invitation {
	return &adminv1.Invitation{
		Id: i.ID.String(), Email: i.Email, Role: string(i.Role), InvitedBy: i.InvitedBy,
		CreateTime: timestamppb.New(i.CreatedAt), ExpireTime: timestamppb.New(i.ExpiresAt),
	}
}

// invitedToProto is an invitation as the one who is invited sees it.
func invitedToProto(i tenants.Invitation) *adminv1.GetInvitationResponse {
	return &adminv1.GetInvitationResponse{
		TenantName: i.Tenant.Name, Email: i.Email, Role: string(i.Role), InvitedBy: i.InvitedBy, ExpireTime: timestamppb.New(i.ExpiresAt),
	}
}

func sessionToProto(s tenants.SessionInfo) *adminv1.Session {
	return &adminv1.Session{
		Id: s.ID.String(), UserAgent: s.UserAgent, Ip: s.IP, TenantName: s.TenantName, Current: s.Current,
		CreateTime: timestamppb.New(s.CreatedAt), LastSeenTime: timestamppb.New(s.LastSeenAt),
	}
}

func tokenToProto(t tenants.APIToken, caller uuid.UUID) *adminv1.Token {
	p := &adminv1.Token{
		Id: t.ID.String(), Name: t.Name, Email: t.Owner.Email, Own: t.Owner.ID == caller, Hint: t.Hint, Scopes: permissionsToProto(t.Scopes),
		CreateTime: timestamppb.New(t.CreatedAt), ExpireTime: timestamppb.New(t.ExpiresAt), LastUsedIp: t.LastUsedIP,
	}
	if !t.LastUsedAt.IsZero() {
		p.LastUsedTime = timestamppb.New(t.LastUsedAt)
	}
	return p
}
