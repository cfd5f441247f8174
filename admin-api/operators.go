package adminapi

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgplatform"
)

// operator is the caller as one who acts on the platform and on no tenant: whose log it is in must not depend on where the
// operator looks at the moment.
func operator(ctx context.Context) tenants.Actor {
	who := actor(ctx)
	who.TenantID = uuid.Nil
	return who
}

// operatorOn is the caller as one who acts on a tenant from above.
func operatorOn(ctx context.Context, tenant string) (tenants.Actor, error) {
	id, err := uuid.Parse(tenant)
	if err != nil || id == uuid.Nil {
		return tenants.Actor{}, tenants.ErrNotFound
	}
	who := actor(ctx)
	who.TenantID = id
	return who, nil
}

// ListTenants implements OperatorService.
func (s *server) ListTenants(ctx context.Context, req *adminv1.ListTenantsRequest) (*adminv1.ListTenantsResponse, error) {
	after, err := tenantFromToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = 50
	}
	list, err := s.Operations.Tenants(ctx, pgplatform.TenantsQuery{
		Text: req.GetText(), PlanID: req.GetPlanId(), Suspended: req.GetSuspendedOnly(), After: after, Limit: size + 1,
	})
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListTenantsResponse{}
	if len(list) > size {
		list = list[:size]
		resp.NextPageToken = base64.RawURLEncoding.EncodeToString(list[size-1].ID[:])
	}
	for _, t := range list {
		resp.Tenants = append(resp.Tenants, tenantToProto(t))
	}
	return resp, nil
}

func tenantFromToken(token string) (uuid.UUID, error) {
	if token == "" {
		return uuid.Nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		var id uuid.UUID
		if id, err = uuid.FromBytes(b); err == nil {
			return id, nil
		}
	}
	return uuid.Nil, tenants.Invalid("page_token", "is not one that this method gave out")
}

// GetTenant implements OperatorService.
func (s *server) GetTenant(ctx context.Context, req *adminv1.GetTenantRequest) (*adminv1.GetTenantResponse, error) {
	who, err := operatorOn(ctx, req.GetTenantId())
	if err != nil {
		return nil, err
	}
	t, err := s.Operations.Tenant(ctx, who.TenantID)
	if err != nil {
		return nil, err
	}
	return &adminv1.GetTenantResponse{Tenant: tenantToProto(t)}, nil
}

// SetTenantPlan implements OperatorService.
func (s *server) SetTenantPlan(ctx context.Context, req *adminv1.SetTenantPlanRequest) (*adminv1.SetTenantPlanResponse, error) {
	who, err := operatorOn(ctx, req.GetTenantId())
	if err != nil {
		return nil, err
	}
	t, err := s.Operations.SetPlan(ctx, who, req.GetPlanId())
	if err != nil {
		return nil, err
	}
	notices, err := s.planNotices(ctx, t)
	if err != nil {
		return nil, err
	}
	return &adminv1.SetTenantPlanResponse{Tenant: tenantToProto(t), Notices: notices}, nil
}

// planNotices tells what a plan does to what its new tenant is doing.
func (s *server) planNotices(ctx context.Context, t pgplatform.TenantSummary) ([]*adminv1.Notice, error) {
	plans, err := s.Operations.Plans(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if p.ID == t.PlanID {
			together := p.Limits.Together()
			return s.notices(ctx, t.ID.String(), "all apps of the account together", together.Connections, together.MessagesPerDay), nil
		}
	}
	return nil, nil
}

// SuspendTenant implements OperatorService.
func (s *server) SuspendTenant(ctx context.Context, req *adminv1.SuspendTenantRequest) (*adminv1.SuspendTenantResponse, error) {
	who, err := operatorOn(ctx, req.GetTenantId())
	if err != nil {
		return nil, err
	}
	t, err := s.Operations.Suspend(ctx, who, req.GetReason())
	if err != nil {
		return nil, err
	}
	return &adminv1.SuspendTenantResponse{Tenant: tenantToProto(t)}, nil
}

// ResumeTenant implements OperatorService.
func (s *server) ResumeTenant(ctx context.Context, req *adminv1.ResumeTenantRequest) (*adminv1.ResumeTenantResponse, error) {
	who, err := operatorOn(ctx, req.GetTenantId())
	if err != nil {
		return nil, err
	}
	t, err := s.Operations.Resume(ctx, who)
	if err != nil {
		return nil, err
	}
	return &adminv1.ResumeTenantResponse{Tenant: tenantToProto(t)}, nil
}

// Impersonate implements OperatorService.
func (s *server) Impersonate(ctx context.Context, req *adminv1.ImpersonateRequest) (*adminv1.ImpersonateResponse, error) {
	to, err := operatorOn(ctx, req.GetTenantId())
	if err != nil {
		return nil, err
	}
	who := identityOf(ctx)
	if who.session == nil {
		return nil, tenants.Refuse(tenants.ErrState, "an API token looks at one tenant only; log in to the dashboard for this")
	}
	if err := s.People.Impersonate(ctx, to, who.session, req.GetReason()); err != nil {
		return nil, err
	}
	account, err := s.accountOf(ctx, who)
	return &adminv1.ImpersonateResponse{Account: account}, err
}

// StopImpersonating implements OperatorService.
func (s *server) StopImpersonating(ctx context.Context, _ *adminv1.StopImpersonatingRequest) (*adminv1.StopImpersonatingResponse, error) {
	who := identityOf(ctx)
	if !who.Impersonating {
		return nil, tenants.Refuse(tenants.ErrState, "you are in your own account already; load the page again")
	}
	if err := s.People.StopImpersonating(ctx, actor(ctx), who.session); err != nil {
		return nil, err
	}
	account, err := s.accountOf(ctx, who)
	return &adminv1.StopImpersonatingResponse{Account: account}, err
}

// accountOf is the account of a session as it is now.
func (s *server) accountOf(ctx context.Context, who identity) (*adminv1.Account, error) {
	m, err := s.People.Session(ctx, who.session)
	if err != nil {
		return nil, err
	}
	who.Membership = m
	return accountToProto(who), nil
}

func tenantToProto(t pgplatform.TenantSummary) *adminv1.Tenant {
	p := &adminv1.Tenant{
		Id: t.ID.String(), Name: t.Name, CreateTime: timestamppb.New(t.CreatedAt), PlanId: t.PlanID, SuspendReason: t.SuspendedFor,
		Apps: int32(t.Apps), Members: int32(t.Members), Owners: t.Owners, //nolint:gosec // a tenant has fewer
	}
	if t.Suspended() {
		p.SuspendTime = timestamppb.New(t.SuspendedAt)
	}
	return p
}

// notices tells what limits do that are below what is going on: of connections, and of the messages of a day. 0 is no bound.
// What cannot be found out now is not told.
func (s *server) notices(ctx context.Context, owner, whose string, connections, messages int) []*adminv1.Notice {
	var list []*adminv1.Notice
	if connections > 0 {
		if now, err := s.Live.Connections(ctx, owner); err == nil && now > connections {
			list = append(list, &adminv1.Notice{Field: "limits.connections", Text: fmt.Sprintf(
				"%d clients are connected, of %s. They stay; nobody new is let in before there are fewer than %d.", now, whose, connections)})
		}
	}
	if messages > 0 {
		if today, err := s.Live.MessagesToday(ctx, owner); err == nil && today >= messages {
			list = append(list, &adminv1.Notice{Field: "limits.messages_per_day", Text: fmt.Sprintf(
				"%d messages were published today, by %s. Nothing more is published before midnight UTC.", today, whose)})
		}
	}
	return list
}
