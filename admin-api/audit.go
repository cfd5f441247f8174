package adminapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
	"github.com/pealhq/peal/tenants"
)

// ListAuditEvents implements AuditService.
func (s *server) ListAuditEvents(ctx context.Context, req *adminv1.ListAuditEventsRequest) (*adminv1.ListAuditEventsResponse, error) {
	before, err := auditPageFromToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	filter, err := auditFilterFromProto(req.GetFilter())
	if err != nil {
		return nil, err
	}
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPageSize
	}
	// One more than asked for tells whether there is another page.
	events, err := s.Audit.Events(ctx, caller(ctx).Tenant.ID, filter, before, size+1)
	if err != nil {
		return nil, err
	}
	resp := &adminv1.ListAuditEventsResponse{}
	if len(events) > size {
		events = events[:size]
		resp.NextPageToken = auditPageToken(events[size-1].ID)
	}
	for i := range events {
		e, err := auditEventToProto(&events[i])
		if err != nil {
			return nil, err
		}
		resp.Events = append(resp.Events, e)
	}
	return resp, nil
}

func auditFilterFromProto(p *adminv1.AuditFilter) (tenants.AuditFilter, error) {
	f := tenants.AuditFilter{Actor: p.GetActor(), Action: p.GetAction(), Target: p.GetTarget(), Text: p.GetText()}
	if p.GetSince() != nil {
		f.Since = p.GetSince().AsTime()
	}
	if p.GetUntil() != nil {
		f.Until = p.GetUntil().AsTime()
	}
	for field, at := range map[string]time.Time{"filter.since": f.Since, "filter.until": f.Until} {
		if !at.IsZero() && (at.Year() < 1970 || at.Year() > 9999) {
			return f, tenants.Invalid(field, "is not a time that an event can have")
		}
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Until.After(f.Since) {
		return f, tenants.Invalid("filter.until", "must come after since")
	}
	return f, nil
}

func auditEventToProto(e *tenants.AuditEvent) (*adminv1.AuditEvent, error) {
	p := &adminv1.AuditEvent{
		Id: strconv.FormatInt(e.ID, 10), Time: timestamppb.New(e.At), ActorEmail: e.ActorEmail, Via: e.Via, Ip: e.IP,
		RequestId: e.RequestID, Action: e.Action, Target: e.Target, AppId: e.App,
	}
	if e.ActorID != uuid.Nil {
		p.ActorId = e.ActorID.String()
	}
	var err error
	if p.Before, err = fieldsToProto(e.Before); err != nil {
		return nil, fmt.Errorf("audit row %d: %w", e.ID, err)
	}
	if p.After, err = fieldsToProto(e.After); err != nil {
		return nil, fmt.Errorf("audit row %d: %w", e.ID, err)
	}
	return p, nil
}

func fieldsToProto(fields map[string]any) (*structpb.Struct, error) {
	if len(fields) == 0 {
		return nil, nil //nolint:nilnil // What has no fields is not set.
	}
	return structpb.NewStruct(fields)
}

// auditPageToken writes the place after a row of the audit log.
func auditPageToken(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("audit/" + strconv.FormatInt(id, 10)))
}

// auditPageFromToken reads what auditPageToken wrote; 0 is the start of the list.
func auditPageFromToken(token string) (int64, error) {
	if token == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	var id int64
	if err == nil {
		_, err = fmt.Sscanf(string(text), "audit/%d", &id)
	}
	if err != nil || id <= 0 {
		return 0, tenants.Invalid("page_token", "is not one that this method returned")
	}
	return id, nil
}
