package cli

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func originsCommand() *cobra.Command {
	return group("origins", "Say whose pages may connect to an app",
		"Say whose pages may connect to an app. Without any, those of every site may. A star stands for one label of a name, as\nin https://*.example.com.",
		originsListCommand(), originsChangeCommand("add", "Let the pages of these origins connect"),
		originsChangeCommand("remove", "Take origins off the list"), originsCheckCommand())
}

func originsListCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "list APP", Short: "List the origins of an app", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			got, err := s.settings().GetAppSettings(s.Context(), &adminv1.GetAppSettingsRequest{AppId: id})
			if err != nil {
				return err
			}
			return s.printOrigins(got.GetSettings())
		})
}

func (s *session) printOrigins(settings *adminv1.AppSettings) error {
	if s.output != asTable {
		return s.printFields(&adminv1.AppSettings{AppId: settings.GetAppId(), Origins: settings.GetOrigins()}, "app_id", "origins")
	}
	return table(s.OutOrStdout(), func(w io.Writer) {
		row(w, "ORIGIN")
		for _, o := range settings.GetOrigins() {
			row(w, o)
		}
		if len(settings.GetOrigins()) == 0 {
			s.done("none: the pages of every site may connect")
		}
	})
}

// originsChangeCommand is `peal origins add` or remove.
func originsChangeCommand(verb, short string) *cobra.Command {
	return onApp(&cobra.Command{Use: verb + " APP ORIGIN...", Short: short, Args: takes(2, -1, "an app and at least one origin")},
		func(s *session, id string, args []string) error {
			got, err := s.settings().GetAppSettings(s.Context(), &adminv1.GetAppSettingsRequest{AppId: id})
			if err != nil {
				return err
			}
			list := slices.Clone(got.GetSettings().GetOrigins())
			if verb == "add" {
				list = append(list, args...)
			} else {
				for _, o := range args {
					i := slices.Index(list, o)
					if i < 0 {
						return usagef("%s is not on the list; `peal origins list %s` shows it", o, id)
					}
					list = slices.Delete(list, i, i+1)
				}
			}
			changed, err := s.settings().UpdateAppSettings(s.Context(), &adminv1.UpdateAppSettingsRequest{AppId: id, Origins: &adminv1.OriginList{List: list}})
			if err != nil {
				return err
			}
			return s.printOrigins(changed.GetSettings())
		})
}

func originsCheckCommand() *cobra.Command {
	return onApp(&cobra.Command{
		Use: "check APP ORIGIN", Short: "Tell whether the pages of an origin may connect", Args: takes(2, 2, "an app and one origin"),
	}, func(s *session, id string, args []string) error {
		got, err := s.settings().GetAppSettings(s.Context(), &adminv1.GetAppSettingsRequest{AppId: id})
		if err != nil {
			return err
		}
		answer, err := s.settings().CheckOrigin(s.Context(), &adminv1.CheckOriginRequest{Origin: args[0], Origins: got.GetSettings().GetOrigins()})
		if err != nil {
			return err
		}
		return s.print(answer, func(w io.Writer) {
			row(w, "ORIGIN", "ALLOWED", "BY")
			row(w, answer.GetOrigin(), answer.GetAllowed(), answer.GetEntry())
		})
	})
}
