package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func loginCommand() *cobra.Command {
	var fromStdin bool
	var name string
	cmd := &cobra.Command{
		Use: "login URL", Short: "Keep an API token for working on a platform",
		Long: "Keep an API token for working on a platform. Make one in the dashboard, under API tokens; it is asked for, or read\n" +
			"from standard input. It is kept in a file that only you can read, as a context, which becomes the current one.\n\n" +
			"Where nothing shall be kept, set $PEAL_URL and $PEAL_TOKEN instead.",
		Example: "  peal login https://peal.example.com\n  pass show peal | peal login https://peal.example.com --token-stdin --name prod",
		Args:    takes(1, 1, "the address of the dashboard"),
	}
	cmd.Flags().BoolVar(&fromStdin, "token-stdin", false, "read the token from standard input")
	cmd.Flags().StringVar(&name, "name", "", "name of the context; by default the host of the address")
	addOutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := checkPlatformURL(args[0])
		if err != nil {
			return usagef("%q %w", args[0], err)
		}
		if u, err := url.Parse(at); err == nil {
			name = cmp.Or(name, u.Hostname())
		}
		if !contextName.MatchString(name) {
			return usagef("--name %q: use up to 63 letters, digits, dots, hyphens and underscores", name)
		}
		out, err := outputOf(cmd)
		if err != nil {
			return err
		}
		token, err := readToken(cmd, fromStdin)
		if err != nil {
			return err
		}
		s := &session{Command: cmd, context: context{URL: at, Token: token}, http: newHTTPClient(token), output: out}
		return explain(s.login(name))
	}
	return cmd
}

// login keeps a token that is good.
func (s *session) login(name string) error {
	who, err := s.auth().WhoAmI(s.Context(), &adminv1.WhoAmIRequest{})
	if err != nil {
		return err
	}
	s.Who = who.GetAccount().GetEmail() + " in " + who.GetAccount().GetTenantName()
	f, err := loadContexts()
	if err != nil {
		return err
	}
	f.Contexts[name], f.Current = s.context, name
	if err := f.save(); err != nil {
		return err
	}
	s.done("signed in as %s; the context %s is the current one", s.Who, name)
	return s.printAccount(who)
}

// readToken reads a token that is seen nowhere: never from an argument, which others on the machine could read.
func readToken(cmd *cobra.Command, fromStdin bool) (string, error) {
	in := cmd.InOrStdin()
	f, ok := in.(*os.File)
	var token string
	switch {
	case fromStdin:
		line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the token: %w", err)
		}
		token = line
	case !ok || !term.IsTerminal(int(f.Fd())):
		return "", usagef("there is no terminal to ask for the token; give it with --token-stdin")
	default:
		cmd.PrintErr("API token: ")
		text, err := term.ReadPassword(int(f.Fd()))
		cmd.PrintErrln()
		if err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
		token = string(text)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", usagef("the token is empty")
	}
	return token, nil
}

func logoutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "logout [NAME]", Short: "Forget the token of a context",
		Long: "Forget the token of a context, by default of the current one. The token itself stays good: revoke it in the\n" +
			"dashboard when somebody else may have seen it.",
		Args: takes(0, 1, "the name of one context"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := loadContexts()
		if err != nil {
			return err
		}
		name := f.Current
		if len(args) > 0 {
			name = args[0]
		}
		if _, ok := f.Contexts[name]; !ok {
			return usagef("there is no context %q; `peal context list` shows those that are", name)
		}
		delete(f.Contexts, name)
		if f.Current == name {
			f.Current = ""
		}
		if err := f.save(); err != nil {
			return err
		}
		cmd.PrintErrf("the context %s is forgotten\n", name)
		return nil
	}
	return cmd
}

func whoamiCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "whoami", Short: "Say who you are on the platform", Args: noArgs}, func(s *session, _ []string) error {
		who, err := s.auth().WhoAmI(s.Context(), &adminv1.WhoAmIRequest{})
		if err != nil {
			return err
		}
		return s.printAccount(who)
	})
}

func (s *session) printAccount(who *adminv1.WhoAmIResponse) error {
	a := who.GetAccount()
	return s.print(who, func(w io.Writer) {
		row(w, "EMAIL", "TENANT", "TENANT ID", "ROLE", "OPERATOR", "AT")
		row(w, a.GetEmail(), a.GetTenantName(), a.GetTenantId(), a.GetRole(), a.GetOperator(), s.URL)
	})
}

func contextCommand() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the contexts", Args: noArgs}
	addOutputFlag(list)
	list.RunE = func(cmd *cobra.Command, _ []string) error { return listContexts(cmd) }
	use := &cobra.Command{
		Use: "use NAME", Short: "Make a context the current one", Args: takes(1, 1, "the name of one context"),
		ValidArgsFunction: completeContexts,
	}
	use.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := loadContexts()
		if err != nil {
			return err
		}
		if _, ok := f.Contexts[args[0]]; !ok {
			return usagef("there is no context %q; `peal context list` shows those that are", args[0])
		}
		f.Current = args[0]
		if err := f.save(); err != nil {
			return err
		}
		cmd.PrintErrf("the context %s is the current one\n", args[0])
		return nil
	}
	return group("context", "Say on which platform the commands work",
		"Say on which platform the commands work. `peal login` adds a context, `peal logout` takes one away.", list, use)
}

func completeContexts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	f, err := loadContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(f.Contexts)), cobra.ShellCompDirectiveNoFileComp
}

func listContexts(cmd *cobra.Command) error {
	out, err := outputOf(cmd)
	if err != nil {
		return err
	}
	f, err := loadContexts()
	if err != nil {
		return err
	}
	type entry struct {
		Name    string `json:"name"`
		URL     string `json:"url"`
		Who     string `json:"who"`
		Current bool   `json:"current"`
	}
	entries := []entry{}
	for _, name := range slices.Sorted(maps.Keys(f.Contexts)) {
		c := f.Contexts[name]
		entries = append(entries, entry{name, c.URL, c.Who, name == f.Current})
	}
	s := &session{Command: cmd, output: out}
	if out != asTable {
		return s.printValue(map[string]any{"contexts": entries})
	}
	return table(cmd.OutOrStdout(), func(w io.Writer) {
		row(w, "NAME", "URL", "WHO", "CURRENT")
		for _, e := range entries {
			row(w, e.Name, e.URL, e.Who, e.Current)
		}
	})
}
