package adminapi_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

// operatorWrites are the cases of [writes] that only operators can call.
func operatorWrites() map[string]write {
	return map[string]write{
		"PlanService.CreatePlan": onPlan(func(ctx context.Context, p *person, plan string) error {
			_, err := p.plans.CreatePlan(ctx, &adminv1.CreatePlanRequest{Id: plan + "-new", Name: "New"})
			return err
		}),
		"PlanService.UpdatePlan": onPlan(func(ctx context.Context, p *person, plan string) error {
			n := int32(100)
			_, err := p.plans.UpdatePlan(ctx, &adminv1.UpdatePlanRequest{
				PlanId: plan, Limits: &adminv1.LimitChanges{Connections: &adminv1.LimitChange{Value: &n}},
			})
			return err
		}),
		"PlanService.DeletePlan": onPlan(func(ctx context.Context, p *person, plan string) error {
			_, err := p.plans.DeletePlan(ctx, &adminv1.DeletePlanRequest{PlanId: plan})
			return err
		}),
		"OperatorService.SetTenantPlan": onPlan(func(ctx context.Context, p *person, plan string) error {
			who, err := p.auth.WhoAmI(ctx, &adminv1.WhoAmIRequest{})
			if err != nil {
				return err
			}
			_, err = p.operate.SetTenantPlan(ctx, &adminv1.SetTenantPlanRequest{TenantId: who.GetAccount().GetTenantId(), PlanId: plan})
			return err
		}),
		"OperatorService.Impersonate":       impersonates(false),
		"OperatorService.StopImpersonating": impersonates(true),

		"OperatorService.SuspendTenant": suspends(false),
		"OperatorService.ResumeTenant":  suspends(true),
	}
}

// onPlan is a write that needs a plan, which is made for it.
func onPlan(f func(ctx context.Context, p *person, plan string) error) write {
	return func(t *testing.T, p *person) func(context.Context) error {
		t.Helper()
		id := "p" + strconv.FormatInt(time.Now().UnixNano(), 36)
		if _, err := p.plans.CreatePlan(t.Context(), &adminv1.CreatePlanRequest{Id: id, Name: "Plan"}); err != nil {
			t.Fatal(err)
		}
		return func(ctx context.Context) error { return f(ctx, p, id) }
	}
}

// suspends is a write that suspends the caller's own tenant, or resumes it. Afterwards it is not suspended.
func suspends(resume bool) write {
	return func(t *testing.T, p *person) func(context.Context) error {
		t.Helper()
		tenant := p.account(t).GetTenantId()
		suspend := func(ctx context.Context) error {
			_, err := p.operate.SuspendTenant(ctx, &adminv1.SuspendTenantRequest{TenantId: tenant, Reason: "a test"})
			return err
		}
		again := func(ctx context.Context) error {
			_, err := p.operate.ResumeTenant(ctx, &adminv1.ResumeTenantRequest{TenantId: tenant})
			return err
		}
		if !resume {
			t.Cleanup(func() { _ = again(context.WithoutCancel(t.Context())) })
			return suspend
		}
		if err := suspend(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = again(context.WithoutCancel(t.Context())) })
		return again
	}
}

// impersonates is a write that has the caller look at their own tenant, or stops that. Afterwards they do not.
func impersonates(stop bool) write {
	return func(t *testing.T, p *person) func(context.Context) error {
		t.Helper()
		tenant := p.account(t).GetTenantId()
		begin := func(ctx context.Context) error {
			_, err := p.operate.Impersonate(ctx, &adminv1.ImpersonateRequest{TenantId: tenant, Reason: "a test"})
			return err
		}
		end := func(ctx context.Context) error {
			_, err := p.operate.StopImpersonating(ctx, &adminv1.StopImpersonatingRequest{})
			return err
		}
		t.Cleanup(func() { _ = end(context.WithoutCancel(t.Context())) })
		if !stop {
			return begin
		}
		if err := begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		return end
	}
}
