package adminapi

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/usage"
)

func (s *server) exportUsage(ctx context.Context, e *export, m tenants.Membership, values url.Values) error {
	q := &fromQuery{Values: values}
	q.only("app_id", "step", "since", "until", "format")
	req := &adminv1.GetUsageRequest{
		AppId: q.Get("app_id"), Step: adminv1.UsageStep(adminv1.UsageStep_value["USAGE_STEP_"+strings.ToUpper(q.Get("step"))]),
		Since: q.time("since"), Until: q.time("until"),
	}
	if format := q.Get("format"); format != "" && format != "csv" {
		return tenants.Invalid("format", "is csv")
	}
	if err := q.check(req); err != nil {
		return err
	}
	r, err := usageRangeFromProto(req.GetStep(), req.GetSince(), req.GetUntil(), time.Now())
	if err != nil {
		return err
	}
	apps, err := s.Usage.UsedBy(ctx, m.Tenant.ID, req.GetAppId(), r)
	if err != nil {
		return err
	}
	e.name, e.kind = "usage.csv", "text/csv; charset=utf-8"
	e.begin()
	out := newCSVFile(e.w)
	if err := out.write(usageColumns()...); err != nil {
		return err
	}
	more := false
	for n, app := range apps {
		points, err := s.Usage.Points(ctx, m.Tenant.ID, app, r)
		if err != nil {
			return err
		}
		room := maxExportRows - e.rows
		more = len(points) > room || len(points) == room && n+1 < len(apps)
		for i := range points[:min(len(points), room)] {
			if err := out.write(usageCells(app, r.Step, &points[i])...); err != nil {
				return err
			}
			e.rows++
		}
		if more {
			break
		}
	}
	return errors.Join(out.write(e.endInWords(more)), out.flush())
}

func usageColumns() []string {
	columns := []string{
		"start", "step", "app_id", "covered_seconds", "peak_connections", "average_connections", "messages_in", "messages_out",
		"bytes_in", "bytes_out", "api_calls", "webhooks",
	}
	for _, why := range usage.Reasons() {
		columns = append(columns, "rejected_"+why.String())
	}
	return columns
}

func usageCells(app string, step usage.Step, p *usage.Point) []string {
	cells := []string{p.Start.UTC().Format(time.RFC3339), string(step), app}
	number := func(n int64) { cells = append(cells, strconv.FormatInt(n, 10)) }
	number(int64(p.Covered / time.Second))
	number(p.PeakConnections)
	cells = append(cells, strconv.FormatFloat(p.AverageConnections(), 'f', 3, 64))
	for _, n := range []int64{p.MessagesIn, p.MessagesOut, p.BytesIn, p.BytesOut, p.APICalls, p.Webhooks} {
		number(n)
	}
	for _, why := range usage.Reasons() {
		number(p.Rejections[why])
	}
	return cells
}
