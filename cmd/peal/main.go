// Command peal is the one binary: the private stack for developers (dev), the platform (serve), its schema
// (migrate), its apps from a file (apply), what their secrets are sealed with (keys), what operators ask (nodes, ready, doctor) and a load generator (bench). It is the
// only place that wires things together: start with [run], then platform.go, which reads from top to bottom as the platform
// starts and stops.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pealhq/peal/cli"
	"github.com/pealhq/peal/tenants/pgdb"
)

// version is set at build time.
var version = "devel"

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		// The first signal asks to stop. Before anybody hears that, a second one ends the process at once, as it does by default.
		signal.Stop(signals)
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// usageError is an error that the caller of the command can mend by calling it otherwise.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run runs one command and returns its exit code. Data goes to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, pgdb.ErrURL) {
		err = fmt.Errorf("%s%s is %w", envPrefix, strings.ToUpper(setDatabaseURL), pgdb.ErrURL)
	}
	fmt.Fprintln(stderr, "peal:", err)
	return exitCode(err)
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "peal",
		Short: "Multi-tenant real-time platform that speaks the Pusher protocol",
		Long: "Peal carries events from your servers to your users within milliseconds, and speaks the Pusher\n" +
			"protocol: any Pusher client or server library works with it. `peal dev` starts everything on this\n" +
			"machine with nothing to configure.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion(),
		Args:          knownCommand,
		// How many letters may differ for a command to be suggested.
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	addGroup(root, "On the host of the platform:", devCommand(), serveCommand(), migrateCommand(), applyCommand(), operatorsCommand(),
		nodesCommand(), readyCommand(), doctorCommand())
	addGroup(root, "From anywhere, with an API token:", cli.Commands()...)
	root.AddCommand(benchCommand())
	for _, c := range root.Commands() {
		if c.Name() == "keys" {
			c.AddCommand(resealCommand()) // It works on the host alone, and stands with those that work from anywhere.
		}
	}
	return root
}

// addGroup adds commands that the help lists together.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
		root.AddCommand(c)
	}
}

// buildVersion is the version given at build time, or the commit that Go noted.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if version != "devel" || !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return version + "-" + s.Value[:12]
		}
	}
	return version
}

// knownCommand refuses what is no command, and names one that reads like it.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		hint = fmt.Sprintf("; did you mean %s", like[0])
	}
	return usagef("there is no command %q%s; see `%s --help`", args[0], hint, cmd.CommandPath())
}

// noArgs refuses arguments as a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, but was given %q; see `%s --help`", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}
