package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// Commands returns all commands of the package, for the root command to add.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		loginCommand(), logoutCommand(), contextCommand(), whoamiCommand(),
		appsCommand(), keysCommand(), limitsCommand(), originsCommand(), tenantsCommand(), plansCommand(),
		membersCommand(), tokensCommand(), usageCommand(), auditCommand(),
		publishCommand(), subscribeCommand(),
	}
}

// UsageError is an error that the caller of a command can mend by calling it otherwise.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// group returns a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
				hint = "; did you mean " + like[0]
			}
			return usagef("there is no command %q%s; see `%s --help`", args[0], hint, cmd.CommandPath())
		},
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// takes demands arguments, of which what tells for people.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s takes %s; see `%s --help`", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}

var noArgs = takes(0, 0, "no arguments") //nolint:gochecknoglobals // a rule
