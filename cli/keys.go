package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func keysCommand() *cobra.Command {
	return group("keys", "List, create and revoke the keys of an app", "List, create and revoke the keys of an app. Clients name a key, servers sign with its secret.",
		keysListCommand(), keysCreateCommand(), keysRevealCommand(), keysRevokeCommand())
}

func keysListCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "list APP", Short: "List the keys of an app, revoked ones too", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			list, err := s.keys().ListKeys(s.Context(), &adminv1.ListKeysRequest{AppId: id})
			if err != nil {
				return err
			}
			return s.print(list, func(w io.Writer) { keyRows(w, list.GetKeys()...) })
		})
}

func keyRows(w io.Writer, keys ...*adminv1.Key) {
	row(w, "KEY", "STATE", "CREATED", "REVOKED")
	for _, k := range keys {
		row(w, k.GetKey(), keyState(k.GetState()), k.GetCreateTime(), k.GetRevokeTime())
	}
}

// keyState writes KEY_STATE_ACTIVE as active.
func keyState(s adminv1.KeyState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "KEY_STATE_"))
}

func keysCreateCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "create APP", Short: "Create a key", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			k, err := s.keys().CreateKey(s.Context(), &adminv1.CreateKeyRequest{AppId: id})
			if err != nil {
				return err
			}
			s.done("created; `peal keys reveal %s %s` shows its secret", id, k.GetKey().GetKey())
			return s.print(k, func(w io.Writer) { keyRows(w, k.GetKey()) })
		})
}

func keysRevealCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "reveal APP KEY", Short: "Show the secret of a key, which is audited", Args: takes(2, 2, "an app and one of its keys")},
		func(s *session, id string, args []string) error {
			k, err := s.keys().RevealKey(s.Context(), &adminv1.RevealKeyRequest{AppId: id, Key: args[0]})
			if err != nil {
				return err
			}
			return s.print(k, func(w io.Writer) { row(w, k.GetSecret()) })
		})
}

func keysRevokeCommand() *cobra.Command {
	var yes bool
	cmd := onApp(&cobra.Command{
		Use: "revoke APP KEY", Short: "Revoke a key for good, and close the sockets that were opened with it", Args: takes(2, 2, "an app and one of its keys"),
	}, func(s *session, id string, args []string) error {
		if err := s.confirmed(yes, "Revoke the key "+args[0]+" for good? Whatever uses it stops."); err != nil {
			return err
		}
		k, err := s.keys().RevokeKey(s.Context(), &adminv1.RevokeKeyRequest{AppId: id, Key: args[0]})
		if err != nil {
			return err
		}
		return s.print(k, func(w io.Writer) { keyRows(w, k.GetKey()) })
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
