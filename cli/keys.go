package cli

import (
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func keysCommand() *cobra.Command {
	return group("keys", "List, create, rotate and revoke the keys of an app",
		"List, create, rotate and revoke the keys of an app. Clients name a key, servers sign with its secret.",
		keysListCommand(), keysCreateCommand(), keysRevealCommand(), keysRotateCommand(), keysKeepCommand(), keysRevokeCommand())
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
	row(w, "KEY", "LABEL", "SCOPES", "STATE", "CREATED", "RETIRES", "REVOKED", "LAST USED")
	for _, k := range keys {
		scopes := make([]string, len(k.GetScopes()))
		for i, scope := range k.GetScopes() {
			scopes[i] = strings.ToLower(strings.TrimPrefix(scope.String(), "KEY_SCOPE_"))
		}
		row(w, k.GetKey(), k.GetLabel(), strings.Join(scopes, " "), keyState(k.GetState()), k.GetCreateTime(), k.GetRetireTime(), k.GetRevokeTime(),
			k.GetLastUseTime())
	}
}

// keyState writes KEY_STATE_ACTIVE as active.
func keyState(s adminv1.KeyState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "KEY_STATE_"))
}

func keysCreateCommand() *cobra.Command {
	var label string
	var scopes []string
	cmd := onApp(&cobra.Command{Use: "create APP", Short: "Create a key", Args: takes(1, 1, "one app")},
		func(s *session, id string, _ []string) error {
			req := &adminv1.CreateKeyRequest{AppId: id, Label: label}
			for _, scope := range scopes {
				v, ok := adminv1.KeyScope_value["KEY_SCOPE_"+strings.ToUpper(scope)]
				if !ok || v == 0 {
					return usagef("--scope %q is none of all, publish, subscribe and query", scope)
				}
				req.Scopes = append(req.Scopes, adminv1.KeyScope(v))
			}
			k, err := s.keys().CreateKey(s.Context(), req)
			if err != nil {
				return err
			}
			s.done("created; `peal keys reveal %s %s` shows its secret", id, k.GetKey().GetKey())
			return s.print(k, func(w io.Writer) { keyRows(w, k.GetKey()) })
		})
	cmd.Flags().StringVar(&label, "label", "", "what the key is for, for people")
	cmd.Flags().StringSliceVar(&scopes, "scope", []string{"all"}, "all, or some of publish, subscribe and query")
	return cmd
}

func keysRotateCommand() *cobra.Command {
	var overlap time.Duration
	cmd := onApp(&cobra.Command{
		Use: "rotate APP KEY", Short: "Make a key that takes another one's place, which goes on for a while", Args: takes(2, 2, "an app and one of its keys"),
		Long: "Make a key with the scopes of another one, which goes on for the time of --overlap and is revoked then. Give the new key and\n" +
			"secret to whatever uses the old ones in that time.",
		Example: "  peal keys rotate chat 0a1b2c3d4e5f67890123 --overlap 72h",
	}, func(s *session, id string, args []string) error {
		k, err := s.keys().RotateKey(s.Context(), &adminv1.RotateKeyRequest{AppId: id, Key: args[0], Overlap: durationpb.New(overlap)})
		if err != nil {
			return err
		}
		s.done("created; `peal keys reveal %s %s` shows its secret", id, k.GetKey().GetKey())
		return s.print(k, func(w io.Writer) { keyRows(w, k.GetKey(), k.GetOld()) })
	})
	cmd.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "for how long the old key goes on; at most 720h")
	return cmd
}

func keysKeepCommand() *cobra.Command {
	return onApp(&cobra.Command{Use: "keep APP KEY", Short: "Let a key that is retiring go on for good", Args: takes(2, 2, "an app and one of its keys")},
		func(s *session, id string, args []string) error {
			k, err := s.keys().KeepKey(s.Context(), &adminv1.KeepKeyRequest{AppId: id, Key: args[0]})
			if err != nil {
				return err
			}
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
