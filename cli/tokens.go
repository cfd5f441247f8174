package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func tokensCommand() *cobra.Command {
	return group("tokens", "List and revoke your API tokens",
		"List and revoke your API tokens of the tenant. A token makes no other tokens: those are made in the dashboard.", tokensListCommand(), tokensRevokeCommand())
}

func tokensListCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "list", Short: "List your API tokens, newest first", Args: noArgs}, func(s *session, _ []string) error {
		list, err := s.tokens().ListTokens(s.Context(), &adminv1.ListTokensRequest{})
		if err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			row(w, "ID", "NAME", "BEGINS WITH", "SCOPES", "EXPIRES", "LAST USED")
			for _, t := range list.GetTokens() {
				scopes := make([]string, len(t.GetScopes()))
				for i, p := range t.GetScopes() {
					scopes[i] = permissionName(p)
				}
				row(w, t.GetId(), t.GetName(), t.GetHint(), strings.Join(scopes, " "), t.GetExpireTime(), t.GetLastUsedTime())
			}
		})
	})
}

// permissionName writes PERMISSION_APPS_READ as apps.read.
func permissionName(p adminv1.Permission) string {
	name := strings.ToLower(strings.TrimPrefix(p.String(), "PERMISSION_"))
	return strings.Replace(name, "_", ".", 1)
}

func tokensRevokeCommand() *cobra.Command {
	var yes bool
	cmd := onPlatform(&cobra.Command{Use: "revoke TOKEN", Short: "Revoke an API token of yours", Args: takes(1, 1, "the id of one token")},
		func(s *session, args []string) error {
			if err := s.confirmed(yes, "Revoke the token "+args[0]+"? Whatever uses it stops."); err != nil {
				return err
			}
			if _, err := s.tokens().RevokeToken(s.Context(), &adminv1.RevokeTokenRequest{TokenId: args[0]}); err != nil {
				return err
			}
			s.done("revoked")
			return nil
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
