package cli

import (
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func usageCommand() *cobra.Command {
	var app, step, since, until string
	cmd := onPlatform(&cobra.Command{
		Use: "usage", Short: "Show what apps have used",
		Long: "Show what an app has used, or all apps of the tenant together: by minute for 48 hours, by hour for 90 days, by day\n" +
			"for two years. Times are UTC.",
		Example: "  peal usage --step hour --since 24h\n  peal usage --app chat --step day --since 2026-11-01 --until 2026-12-01 -o json",
		Args:    noArgs,
	}, func(s *session, _ []string) error {
		now := time.Now()
		req := &adminv1.GetUsageRequest{Step: adminv1.UsageStep(adminv1.UsageStep_value["USAGE_STEP_"+strings.ToUpper(step)])}
		if req.GetStep() == adminv1.UsageStep_USAGE_STEP_UNSPECIFIED {
			return usagef("--step %q is none of minute, hour and day", step)
		}
		from, err := moment("--since", since, now)
		if err != nil {
			return err
		}
		req.Since = timestamppb.New(from)
		if until != "" {
			to, err := moment("--until", until, now)
			if err != nil {
				return err
			}
			req.Until = timestamppb.New(to)
		}
		if app != "" {
			if req.AppId, err = s.app(app); err != nil {
				return err
			}
		}
		used, err := s.usage().GetUsage(s.Context(), req)
		if err != nil {
			return err
		}
		return s.print(used, func(w io.Writer) { usageRows(w, used) })
	})
	cmd.Flags().StringVar(&app, "app", "", "one app, by id or name; by default all together")
	cmd.Flags().StringVar(&step, "step", "hour", "minute, hour or day")
	cmd.Flags().StringVar(&since, "since", "24h", "a time such as 2026-11-01 or 2026-11-01T12:00:00Z, or how long ago, such as 90m")
	cmd.Flags().StringVar(&until, "until", "", "the same; by default now")
	return cmd
}

// moment reads a day, a time, or how long ago something was.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s %q is no time; it reads like 2026-11-01, 2026-11-01T12:00:00Z or 90m", flag, text)
}

func usageRows(w io.Writer, used *adminv1.GetUsageResponse) {
	row(w, "START", "PEAK", "AVERAGE", "MESSAGES IN", "MESSAGES OUT", "BYTES IN", "BYTES OUT", "API CALLS", "REJECTED")
	counts := func(start any, c *adminv1.UsageCounts) {
		rejected := int64(0)
		for _, r := range c.GetRejections() {
			rejected += r.GetCount()
		}
		row(w, start, c.GetPeakConnections(), c.GetAverageConnections(), c.GetMessagesIn(), c.GetMessagesOut(), c.GetBytesIn(), c.GetBytesOut(),
			c.GetApiCalls(), rejected)
	}
	for _, p := range used.GetPoints() {
		counts(p.GetStart(), p.GetCounts())
	}
	counts("total", used.GetTotal())
}
