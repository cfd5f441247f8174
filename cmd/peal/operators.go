package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgpeople"
)

// operatorsCommand makes operators, which nothing but a command on the host can.
func operatorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operators",
		Short: "Say who operates the platform: sees all tenants, sets plans, suspends",
		Long: "Say who operates the platform. Operators sign in to the dashboard like everybody else, and find there all\n" +
			"tenants and the plans. The commands work on the database, so they run on the host of the platform only.",
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(operatorsCreateCommand(), operatorsListCommand(), operatorsRemoveCommand())
	return cmd
}

func operatorsCreateCommand() *cobra.Command {
	var fromStdin, unverified bool
	var team string
	cmd := &cobra.Command{
		Use: "create EMAIL", Short: "Make somebody an operator",
		Long: "Make somebody an operator: the user who has this address, or else a new one, for whom a password is asked\n" +
			"or read from standard input. Anybody could have signed up with an address that nobody has verified, so such a\n" +
			"user is refused without --unverified.",
		Example: "  peal operators create ops@example.com\n  pass show peal | peal operators create ops@example.com --password-stdin",
		Args:    oneArg("the address of one person"),
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password of a new user from standard input")
	cmd.Flags().BoolVar(&unverified, "unverified", false, "also a user whose address was never verified")
	cmd.Flags().StringVar(&team, "team", "Operations", "name of the tenant that a new user gets")
	addSettingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		email, err := tenants.CheckEmail("EMAIL", args[0])
		if err != nil {
			return usageError{err}
		}
		store, err := storeOnHost(cmd)
		if err != nil {
			return err
		}
		defer store.Close()
		ctx, actor := cmd.Context(), tenants.Actor{Via: "operators"}
		account, err := store.people.AccountOf(ctx, email)
		switch {
		case errors.Is(err, tenants.ErrNotFound):
			err = newOperator(cmd, store, email, team, fromStdin)
		case err == nil && !account.EmailVerified && !unverified:
			return usagef("%s signed up on %s and has never verified the address: anybody could have; make sure who it is, then add --unverified",
				email, account.CreatedAt.UTC().Format(time.DateOnly))
		case err == nil:
			cmd.PrintErrf("%s has been a user since %s, and keeps the password\n", email, account.CreatedAt.UTC().Format(time.DateOnly))
		}
		if err != nil {
			return err
		}
		switch err := store.people.SetOperator(ctx, actor, email, true); {
		case errors.Is(err, tenants.ErrState):
			fmt.Fprintln(cmd.OutOrStdout(), email, "is an operator already")
			return nil
		case err != nil:
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), email, "is an operator now")
		return nil
	}
	return cmd
}

// newOperator signs somebody up who is to be an operator.
func newOperator(cmd *cobra.Command, store *stores, email, team string, fromStdin bool) error {
	name, err := tenants.CheckName("--team", team)
	if err != nil {
		return usageError{err}
	}
	password, err := readPassword(cmd, fromStdin)
	if err != nil {
		return err
	}
	if err := tenants.CheckPassword("the password", password, email, name); err != nil {
		return usageError{err}
	}
	hash, err := tenants.NewPasswords(1).Hash(cmd.Context(), password)
	if err != nil {
		return err
	}
	_, err = store.people.SignUp(cmd.Context(), tenants.Actor{Via: "operators"}, pgpeople.SignUp{
		Email: email, PasswordHash: hash, TenantName: name,
		EmailVerified: true, // by whoever has the host
	})
	return err
}

// readPassword reads a password that is seen nowhere: never from an argument, which others on the machine could read.
func readPassword(cmd *cobra.Command, fromStdin bool) (string, error) {
	in := cmd.InOrStdin()
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usagef("there is no terminal to ask for a password; give it with --password-stdin")
	}
	fmt.Fprint(cmd.ErrOrStderr(), "Password: ")
	password, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(password), nil
}

func operatorsListCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{Use: "list", Short: "List the operators", Args: noArgs}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	addSettingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if output != "table" && output != "json" {
			return usagef("--output %q is neither table nor json", output)
		}
		store, err := storeOnHost(cmd)
		if err != nil {
			return err
		}
		defer store.Close()
		list, err := store.people.Operators(cmd.Context())
		if err != nil {
			return err
		}
		return printOperators(cmd.OutOrStdout(), list, output)
	}
	return cmd
}

func printOperators(out io.Writer, list []pgpeople.Operator, output string) error {
	type row struct {
		Email     string    `json:"email"`
		CreatedAt time.Time `json:"created_at"`
	}
	rows := make([]row, 0, len(list))
	for _, o := range list {
		rows = append(rows, row{o.Email, o.CreatedAt.UTC()})
	}
	if output == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"operators": rows})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EMAIL\tUSER SINCE")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\n", r.Email, r.CreatedAt.Format(time.RFC3339))
	}
	return w.Flush()
}

func operatorsRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove EMAIL", Short: "Make an operator a user like others",
		Args: oneArg("the address of one operator"),
	}
	addSettingFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		store, err := storeOnHost(cmd)
		if err != nil {
			return err
		}
		defer store.Close()
		switch err := store.people.SetOperator(cmd.Context(), tenants.Actor{Via: "operators"}, args[0], false); {
		case errors.Is(err, tenants.ErrNotFound), errors.Is(err, tenants.ErrState):
			return notFoundError{fmt.Errorf("%s is no operator; `peal operators list` shows who is", args[0])}
		case err != nil:
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), args[0], "is no operator any more")
		return nil
	}
	return cmd
}

// notFoundError is an error about something that is not there.
type notFoundError struct{ error }

func (notFoundError) Is(target error) bool { return target == tenants.ErrNotFound }

// oneArg demands one argument, which is named as what.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s takes %s", cmd.CommandPath(), what)
		}
		return nil
	}
}
