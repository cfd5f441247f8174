package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func limitsCommand() *cobra.Command {
	return group("limits", "Show and set what an app may do", "Show and set what an app may do. A limit that is not set follows the plan or the platform's default.",
		limitsShowCommand(), limitsSetCommand())
}

func limitsShowCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "show APP", Short: "Show the limits of an app", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			got, err := s.settings().GetAppSettings(s.Context(), &adminv1.GetAppSettingsRequest{AppId: id})
			if err != nil {
				return err
			}
			return s.printLimits(got.GetSettings())
		})
}

// limitList is the settings of an app without what is not about limits.
func limitList(settings *adminv1.AppSettings) *adminv1.AppSettings {
	return &adminv1.AppSettings{AppId: settings.GetAppId(), Limits: settings.GetLimits()}
}

func (s *session) printLimits(settings *adminv1.AppSettings) error {
	if s.output != asTable {
		return s.printFields(limitList(settings), "app_id", "limits")
	}
	return table(s.OutOrStdout(), func(w io.Writer) {
		row(w, "NAME", "VALUE", "SET", "PLAN", "DEFAULT", "RANGE")
		for _, l := range settings.GetLimits() {
			plan := ""
			if l.PlanValue != nil {
				plan = bounds(l.GetPlanValue(), l.GetMin())
				if l.GetTogether() {
					plan += " for all apps"
				}
			}
			row(w, l.GetName(), bounds(l.GetValue(), l.GetMin()), l.GetSet(), plan, bounds(l.GetDefaultValue(), l.GetMin()),
				strconv.Itoa(int(l.GetMin()))+" to "+strconv.Itoa(int(l.GetMax())))
		}
	})
}

// bounds writes a limit, of which 0 is no bound where it may be that.
func bounds(value, least int32) string {
	if value == 0 && least == 0 {
		return "no bound"
	}
	return strconv.Itoa(int(value))
}

func limitsSetCommand() *cobra.Command {
	return onApp(&cobra.Command{
		Use: "set APP NAME=VALUE...", Short: "Set limits of an app",
		Long:    "Set limits of an app, all that are named or none. The value default takes a limit back. It holds on every edge within\ntwo seconds.",
		Example: "  peal limits set 123456 payload_bytes=20000 connections=default",
		Args:    takes(2, -1, "an app and at least one NAME=VALUE"),
	}, func(s *session, id string, args []string) error {
		changes, err := limitChanges(args)
		if err != nil {
			return err
		}
		got, err := s.settings().UpdateAppSettings(s.Context(), &adminv1.UpdateAppSettingsRequest{AppId: id, Limits: changes})
		if err != nil {
			return err
		}
		s.tell(got.GetNotices())
		return s.printLimits(got.GetSettings())
	})
}

// tell tells what a change does to what is going on.
func (s *session) tell(notices []*adminv1.Notice) {
	for _, n := range notices {
		s.done("note: %s", n.GetText())
	}
}

// limitChanges reads arguments such as payload_bytes=20000 and connections=default.
func limitChanges(args []string) (*adminv1.LimitChanges, error) {
	set, err := pairs(args)
	if err != nil {
		return nil, err
	}
	changes := &adminv1.LimitChanges{}
	m := changes.ProtoReflect()
	for name, value := range set {
		field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return nil, usagef("there is no limit %q; `peal limits show APP` lists them", name)
		}
		change := &adminv1.LimitChange{}
		if value != "default" {
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return nil, usagef("%s=%s: give a whole number, or default", name, value)
			}
			change.Value = proto.Int32(int32(n))
		}
		m.Set(field, protoreflect.ValueOfMessage(change.ProtoReflect()))
	}
	return changes, nil
}
