package cli

import (
	"encoding/json"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func auditCommand() *cobra.Command {
	filter := &adminv1.AuditFilter{}
	var since, until string
	var limit int
	cmd := onPlatform(&cobra.Command{
		Use: "audit", Short: "Show who changed what, newest first", Args: noArgs,
		Example: "  peal audit --since 168h --action app\n  peal audit --actor ann@example.com -o json | jq '.events[].action'",
	}, func(s *session, _ []string) error {
		if limit < 1 {
			return usagef("--limit %d: give a number from 1", limit)
		}
		now := time.Now()
		if since != "" {
			t, err := moment("--since", since, now)
			if err != nil {
				return err
			}
			filter.Since = timestamppb.New(t)
		}
		if until != "" {
			t, err := moment("--until", until, now)
			if err != nil {
				return err
			}
			filter.Until = timestamppb.New(t)
		}
		events, err := s.auditEvents(filter, limit)
		if err != nil {
			return err
		}
		return s.print(events, func(w io.Writer) {
			row(w, "TIME", "WHO", "FROM", "VIA", "ACTION", "TARGET", "BEFORE", "AFTER")
			for _, e := range events.GetEvents() {
				row(w, e.GetTime(), e.GetActorEmail(), e.GetIp(), e.GetVia(), e.GetAction(), e.GetTarget(), fields(e.GetBefore()), fields(e.GetAfter()))
			}
		})
	})
	cmd.Flags().StringVar(&since, "since", "", "a time such as 2026-11-01 or 2026-11-01T12:00:00Z, or how long ago, such as 90m")
	cmd.Flags().StringVar(&until, "until", "", "the same")
	cmd.Flags().StringVar(&filter.Actor, "actor", "", "the address of a user, or the id")
	cmd.Flags().StringVar(&filter.Action, "action", "", "an action such as app.created, or all of a noun such as app")
	cmd.Flags().StringVar(&filter.Target, "target", "", "the id of what was changed, or of its app")
	cmd.Flags().StringVar(&filter.Text, "search", "", "text that stands anywhere in the event")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many events at most")
	return cmd
}

// auditEvents returns as many events as were asked for, of as many pages as that needs.
func (s *session) auditEvents(filter *adminv1.AuditFilter, limit int) (*adminv1.ListAuditEventsResponse, error) {
	all := &adminv1.ListAuditEventsResponse{}
	req := &adminv1.ListAuditEventsRequest{Filter: filter}
	for {
		req.PageSize = int32(min(200, limit-len(all.GetEvents()))) //nolint:gosec // at most 200
		page, err := s.audit().ListAuditEvents(s.Context(), req)
		if err != nil {
			return nil, err
		}
		all.Events = append(all.Events, page.GetEvents()...)
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" || len(all.GetEvents()) >= limit {
			return all, nil
		}
	}
}

// fields writes what was or is in one line, always in the same order.
func fields(s *structpb.Struct) string {
	if s == nil {
		return ""
	}
	text, err := json.Marshal(s.AsMap())
	if err != nil {
		return "?"
	}
	return string(text)
}
