package cli

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func publishCommand() *cobra.Command {
	cmd := onApp(&cobra.Command{
		Use: "publish APP CHANNEL EVENT [DATA]", Short: "Publish one event",
		Long: "Publish one event by the road of the dashboard. The data is handed to subscribers as it is, by custom JSON; without it,\n" +
			"or as -, it is read from standard input.",
		Example: "  peal publish 123456 news headline '{\"text\":\"hello\"}'\n  date | peal publish chat news tick",
		Args:    takes(3, 4, "an app, a channel, an event's name, and its data"),
	}, func(s *session, id string, args []string) error {
		data, err := s.eventData(args[2:])
		if err != nil {
			return err
		}
		got, err := s.events().PublishEvent(s.Context(), &adminv1.PublishEventRequest{AppId: id, Channel: args[0], Name: args[1], Data: data})
		if err != nil {
			return err
		}
		s.done("published")
		if s.output == asTable {
			return nil
		}
		return s.print(got, nil)
	})
	return cmd
}

// maxEventData is a little more than any platform takes, so that it is the platform which says what is too much.
const maxEventData = 2 << 20

func (s *session) eventData(args []string) (string, error) {
	if len(args) == 1 && args[0] != "-" {
		return args[0], nil
	}
	if f, ok := s.InOrStdin().(*os.File); ok && len(args) == 0 {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return "", usagef("give the data as the last argument, or on standard input")
		}
	}
	text, err := io.ReadAll(io.LimitReader(s.InOrStdin(), maxEventData))
	return string(text), err
}
