package adminapi

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/internal/requestid"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
	"github.com/pealhq/peal/usage/pgusage"
)

const (
	defaultTopApps = 10
	// usageComesLate is how long after the end of a step its numbers may come. A step that is younger is no gap.
	usageComesLate = 30 * time.Second
)

// GetUsage implements UsageService.
func (s *server) GetUsage(ctx context.Context, req *adminv1.GetUsageRequest) (*adminv1.GetUsageResponse, error) {
	now := time.Now()
	r, err := usageRangeFromProto(req.GetStep(), req.GetSince(), req.GetUntil(), now)
	if err != nil {
		return nil, err
	}
	points, err := s.Usage.Points(ctx, caller(ctx).Tenant.ID, req.GetAppId(), r)
	if err != nil {
		return nil, err
	}
	total := usage.Total(points)
	resp := &adminv1.GetUsageResponse{
		Total: usageCountsToProto(&total), Since: timestamppb.New(r.Since), Until: timestamppb.New(r.Until),
	}
	for i := range points {
		p := &points[i]
		resp.Points = append(resp.Points, &adminv1.UsagePoint{
			Start: timestamppb.New(p.Start), CoveredSeconds: int32(p.Covered / time.Second), //nolint:gosec // a day at most
			Counts: usageCountsToProto(p),
		})
	}
	until := r.Until
	if told := r.Step.Start(now.Add(-usageComesLate)); told.Before(until) {
		until = told
	}
	for _, g := range usage.Gaps(points, r.Step, r.Since, until) {
		resp.Gaps = append(resp.Gaps, &adminv1.UsageGap{Start: timestamppb.New(g.Start), End: timestamppb.New(g.End)})
	}
	return resp, nil
}

// ListAppsUsage implements UsageService.
func (s *server) ListAppsUsage(ctx context.Context, req *adminv1.ListAppsUsageRequest) (*adminv1.ListAppsUsageResponse, error) {
	r, err := usageRangeFromProto(req.GetStep(), req.GetSince(), req.GetUntil(), time.Now())
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultTopApps
	}
	apps, err := s.Usage.Top(ctx, caller(ctx).Tenant.ID, r, usageOrderFromProto(req.GetOrder()), size)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListAppsUsageResponse{}
	for i := range apps {
		a := &apps[i]
		resp.Apps = append(resp.Apps, &adminv1.AppUsage{AppId: a.App, Name: a.Name, Counts: usageCountsToProto(&a.Point)})
	}
	return resp, nil
}

// GetLimitUse implements UsageService.
func (s *server) GetLimitUse(ctx context.Context, req *adminv1.GetLimitUseRequest) (*adminv1.GetLimitUseResponse, error) {
	tenant := caller(ctx).Tenant.ID
	resp := &adminv1.GetLimitUseResponse{}
	if id := req.GetAppId(); id != "" {
		app, err := s.Store.App(ctx, tenant, id)
		if err != nil {
			return nil, err
		}
		own, err := s.limitUse(ctx, tenant, id, id, app.Limits.Connections, app.Limits.MessagesPerDay)
		if err != nil {
			return nil, err
		}
		resp.Limits = own
	}
	plan, err := s.Store.TenantLimits(ctx, tenant)
	if err != nil {
		return nil, err
	}
	together, err := s.limitUse(ctx, tenant, "", tenant.String(), plan.Connections, plan.MessagesPerDay)
	if err != nil {
		return nil, err
	}
	for _, l := range together {
		l.Together = true
		// Nobody counts what has no bound.
		if l.GetValue() > 0 {
			resp.Limits = append(resp.Limits, l)
		}
	}
	return resp, nil
}

// limitUse returns how full the limits of an app are, or with an empty one those of all apps together. owner is how edges know whose
// they are.
func (s *server) limitUse(ctx context.Context, tenant uuid.UUID, app, owner string, connections, messages int) ([]*adminv1.LimitUse, error) {
	today := usage.Day.Start(time.Now())
	points, err := s.Usage.Points(ctx, tenant, app, pgusage.Range{Step: usage.Day, Since: today, Until: today.Add(usage.Day.Length())})
	if err != nil {
		return nil, err
	}
	used := usage.Total(points)
	published := &used.MessagesIn
	if messages > 0 {
		// What is bounded is counted as it is admitted, and so without delay.
		published = s.known(ctx, "messages", owner, s.Live.MessagesToday)
	}
	return []*adminv1.LimitUse{
		{Name: "connections", Value: int64(connections), Used: s.known(ctx, "connections", owner, s.Live.Connections), PeakToday: &used.PeakConnections},
		{Name: "messages_per_day", Value: int64(messages), Used: published},
	}, nil
}

// GetAlertSettings implements UsageService.
func (s *server) GetAlertSettings(ctx context.Context, _ *adminv1.GetAlertSettingsRequest) (*adminv1.GetAlertSettingsResponse, error) {
	got, err := s.Usage.AlertSettings(ctx, caller(ctx).Tenant.ID)
	if err != nil {
		return nil, err
	}
	return &adminv1.GetAlertSettingsResponse{Settings: &adminv1.AlertSettings{ByMail: got.ByMail}}, nil
}

// UpdateAlertSettings implements UsageService.
func (s *server) UpdateAlertSettings(ctx context.Context, req *adminv1.UpdateAlertSettingsRequest) (*adminv1.UpdateAlertSettingsResponse, error) {
	want := pgusage.AlertSettings{ByMail: req.GetSettings().GetByMail()}
	if err := s.Usage.SetAlertSettings(ctx, actor(ctx), want); err != nil {
		return nil, err
	}
	return &adminv1.UpdateAlertSettingsResponse{Settings: req.GetSettings()}, nil
}

// known returns what edges know of an owner at this moment, or nil while nobody can tell.
func (s *server) known(ctx context.Context, what, owner string, ask func(context.Context, string) (int, error)) *int64 {
	n, err := ask(ctx, owner)
	if err != nil {
		s.Logger.WarnContext(ctx, "what is used of a limit is not known now", slog.String("limit", what), slog.String("owner", owner),
			slog.String("request_id", requestid.From(ctx)), slog.Any("err", err))
		return nil
	}
	used := int64(n)
	return &used
}

// usageRangeFromProto returns a range in whole steps, as far as a step is kept.
func usageRangeFromProto(p adminv1.UsageStep, since, until *timestamppb.Timestamp, now time.Time) (pgusage.Range, error) {
	step := usageStepFromProto(p)
	end := now
	if until != nil {
		end = until.AsTime()
	}
	if end.After(now) {
		end = now
	}
	r := pgusage.Range{Step: step, Since: step.Start(since.AsTime()), Until: step.Start(end.Add(step.Length() - 1))}
	if !r.Since.Before(r.Until) {
		return r, tenants.Invalid("until", "must come after since, and since must not be in the future")
	}
	// A step is kept until all of it is too old.
	if oldest := step.Start(now.Add(-step.Kept())); r.Since.Before(oldest) {
		return r, tenants.Invalid("since", fmt.Sprintf("is too long ago; what was used by %s is kept for %s", step, keptInWords(step)))
	}
	return r, nil
}

func keptInWords(s usage.Step) string {
	switch s {
	case usage.Minute:
		return "48 hours"
	case usage.Hour:
		return "90 days"
	default:
		return "2 years"
	}
}

func usageStepFromProto(p adminv1.UsageStep) usage.Step {
	switch p {
	case adminv1.UsageStep_USAGE_STEP_MINUTE:
		return usage.Minute
	case adminv1.UsageStep_USAGE_STEP_HOUR:
		return usage.Hour
	case adminv1.UsageStep_USAGE_STEP_DAY, adminv1.UsageStep_USAGE_STEP_UNSPECIFIED:
		return usage.Day
	default:
		return usage.Day
	}
}

func usageOrderFromProto(p adminv1.UsageOrder) pgusage.Order {
	switch p {
	case adminv1.UsageOrder_USAGE_ORDER_CONNECTIONS:
		return pgusage.ByConnections
	case adminv1.UsageOrder_USAGE_ORDER_BYTES:
		return pgusage.ByBytes
	case adminv1.UsageOrder_USAGE_ORDER_REJECTIONS:
		return pgusage.ByRejections
	case adminv1.UsageOrder_USAGE_ORDER_UNSPECIFIED:
		return pgusage.ByMessages
	default:
		return pgusage.ByMessages
	}
}

func usageCountsToProto(p *usage.Point) *adminv1.UsageCounts {
	c := &adminv1.UsageCounts{
		PeakConnections: p.PeakConnections, AverageConnections: p.AverageConnections(), MessagesIn: p.MessagesIn, MessagesOut: p.MessagesOut,
		BytesIn: p.BytesIn, BytesOut: p.BytesOut, ApiCalls: p.APICalls, Webhooks: p.Webhooks,
	}
	for _, why := range usage.Reasons() {
		if n := p.Rejections[why]; n > 0 {
			c.Rejections = append(c.Rejections, &adminv1.Rejections{Reason: why.String(), Count: n})
		}
	}
	return c
}
