package adminapi

import (
	"context"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgplatform"
)

// ListPlans implements PlanService.
func (s *server) ListPlans(ctx context.Context, _ *adminv1.ListPlansRequest) (*adminv1.ListPlansResponse, error) {
	plans, err := s.Operations.Plans(ctx)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListPlansResponse{Limits: planLimitsToProto(nil)}
	for _, p := range plans {
		resp.Plans = append(resp.Plans, planToProto(p))
	}
	return resp, nil
}

// CreatePlan implements PlanService.
func (s *server) CreatePlan(ctx context.Context, req *adminv1.CreatePlanRequest) (*adminv1.CreatePlanResponse, error) {
	if err := tenants.CheckPlanID("id", req.GetId()); err != nil {
		return nil, err
	}
	name, err := tenants.CheckName("name", req.GetName())
	if err != nil {
		return nil, err
	}
	set := tenants.LimitOverrides{}
	for name, v := range limitsFromProto(req.GetLimits()) {
		if v != nil {
			set[name] = *v
		}
	}
	if err := tenants.CheckPlanLimits("limits", set); err != nil {
		return nil, err
	}
	p, err := s.Operations.CreatePlan(ctx, operator(ctx), tenants.Plan{ID: req.GetId(), Name: name, Default: req.GetIsDefault(), Limits: set})
	if err != nil {
		return nil, err
	}
	return &adminv1.CreatePlanResponse{Plan: planToProto(p)}, nil
}

// UpdatePlan implements PlanService.
func (s *server) UpdatePlan(ctx context.Context, req *adminv1.UpdatePlanRequest) (*adminv1.UpdatePlanResponse, error) {
	want := pgplatform.PlanChange{Default: req.IsDefault, Limits: limitsFromProto(req.GetLimits())} //nolint:protogetter // unset is not false
	if req.Name != nil {
		name, err := tenants.CheckName("name", req.GetName())
		if err != nil {
			return nil, err
		}
		want.Name = &name
	}
	p, err := s.Operations.UpdatePlan(ctx, operator(ctx), req.GetPlanId(), want)
	if err != nil {
		return nil, err
	}
	return &adminv1.UpdatePlanResponse{Plan: planToProto(p)}, nil
}

// DeletePlan implements PlanService.
func (s *server) DeletePlan(ctx context.Context, req *adminv1.DeletePlanRequest) (*adminv1.DeletePlanResponse, error) {
	if err := s.Operations.DeletePlan(ctx, operator(ctx), req.GetPlanId()); err != nil {
		return nil, err
	}
	return &adminv1.DeletePlanResponse{}, nil
}

func planToProto(p tenants.Plan) *adminv1.Plan {
	return &adminv1.Plan{
		Id: p.ID, Name: p.Name, IsDefault: p.Default, Limits: planLimitsToProto(p.Limits),
		Tenants: int32(p.Tenants), //nolint:gosec // a platform has fewer
	}
}

// planLimitsToProto tells all limits that a plan may set, with the values of one.
func planLimitsToProto(set tenants.LimitOverrides) []*adminv1.PlanLimit {
	var list []*adminv1.PlanLimit
	for _, f := range tenants.PlanLimitFields() {
		l := &adminv1.PlanLimit{
			Name: f.Name, DefaultValue: int32(f.Default), Min: int32(f.Min), Max: int32(f.Max), //nolint:gosec // limits are below 2³¹
			Unit: limitUnitToProto(f.Unit()), Together: f.Together,
		}
		if v, there := set[f.Name]; there {
			l.Value = new(int32(v)) //nolint:gosec // the same
		}
		list = append(list, l)
	}
	return list
}
