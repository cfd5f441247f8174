package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	adminv1 "github.com/pealhq/peal/admin-api/gen/peal/admin/v1"
)

func membersCommand() *cobra.Command {
	return group("members", "See and change who works in the tenant", "See and change who works in the tenant. Where a command takes a MEMBER, give an address or an id.",
		membersListCommand(), membersInviteCommand(), membersInvitationsCommand(), membersUninviteCommand(), membersRoleCommand(), membersRemoveCommand())
}

func membersListCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "list", Short: "List the members", Args: noArgs}, func(s *session, _ []string) error {
		list, err := s.members().ListMembers(s.Context(), &adminv1.ListMembersRequest{})
		if err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) { memberRows(w, list.GetMembers()...) })
	})
}

func memberRows(w io.Writer, list ...*adminv1.Member) {
	row(w, "ID", "EMAIL", "ROLE", "SECOND FACTOR", "JOINED")
	for _, m := range list {
		row(w, m.GetUserId(), m.GetEmail(), m.GetRole(), m.GetSecondFactor(), m.GetJoinTime())
	}
}

// member returns the id of a member who is named by an address or an id.
func (s *session) member(named string) (string, error) {
	if !strings.Contains(named, "@") {
		return named, nil
	}
	list, err := s.members().ListMembers(s.Context(), &adminv1.ListMembersRequest{})
	if err != nil {
		return "", err
	}
	for _, m := range list.GetMembers() {
		if strings.EqualFold(m.GetEmail(), named) {
			return m.GetUserId(), nil
		}
	}
	return "", notFound("there is no member %s; `peal members list` shows those that are", named)
}

func membersInviteCommand() *cobra.Command {
	var role string
	cmd := onPlatform(&cobra.Command{
		Use: "invite EMAIL", Short: "Invite somebody by mail", Args: takes(1, 1, "one address"),
		Example: "  peal members invite ann@example.com --role viewer",
	}, func(s *session, args []string) error {
		in, err := s.invitations().CreateInvitation(s.Context(), &adminv1.CreateInvitationRequest{Email: args[0], Role: role})
		if err != nil {
			return err
		}
		if in.GetLink() != "" {
			s.done("this platform sends no mail: hand over the link yourself, it is shown only now")
		}
		return s.print(in, func(w io.Writer) {
			row(w, "ID", "EMAIL", "ROLE", "EXPIRES", "LINK")
			row(w, in.GetInvitation().GetId(), in.GetInvitation().GetEmail(), in.GetInvitation().GetRole(), in.GetInvitation().GetExpireTime(), in.GetLink())
		})
	})
	cmd.Flags().StringVar(&role, "role", "developer", "owner, admin, developer or viewer")
	return cmd
}

func membersInvitationsCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "invitations", Short: "List who is invited and has not come yet", Args: noArgs}, func(s *session, _ []string) error {
		list, err := s.invitations().ListInvitations(s.Context(), &adminv1.ListInvitationsRequest{})
		if err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			row(w, "ID", "EMAIL", "ROLE", "INVITED BY", "EXPIRES")
			for _, i := range list.GetInvitations() {
				row(w, i.GetId(), i.GetEmail(), i.GetRole(), i.GetInvitedBy(), i.GetExpireTime())
			}
		})
	})
}

func membersUninviteCommand() *cobra.Command {
	return onPlatform(&cobra.Command{Use: "uninvite INVITATION", Short: "Take an invitation back", Args: takes(1, 1, "the id of one invitation")},
		func(s *session, args []string) error {
			if _, err := s.invitations().RevokeInvitation(s.Context(), &adminv1.RevokeInvitationRequest{InvitationId: args[0]}); err != nil {
				return err
			}
			s.done("taken back")
			return nil
		})
}

func membersRoleCommand() *cobra.Command {
	return onPlatform(&cobra.Command{
		Use: "set-role MEMBER ROLE", Short: "Give a member another role", Args: takes(2, 2, "a member, and owner, admin, developer or viewer"),
	}, func(s *session, args []string) error {
		id, err := s.member(args[0])
		if err != nil {
			return err
		}
		m, err := s.members().ChangeMemberRole(s.Context(), &adminv1.ChangeMemberRoleRequest{UserId: id, Role: args[1]})
		if err != nil {
			return err
		}
		return s.print(m, func(w io.Writer) { memberRows(w, m.GetMember()) })
	})
}

func membersRemoveCommand() *cobra.Command {
	var yes bool
	cmd := onPlatform(&cobra.Command{Use: "remove MEMBER", Short: "Take a member out of the tenant", Args: takes(1, 1, "one member")},
		func(s *session, args []string) error {
			id, err := s.member(args[0])
			if err != nil {
				return err
			}
			if err := s.confirmed(yes, "Remove "+args[0]+"? Their sessions and API tokens of this tenant end."); err != nil {
				return err
			}
			if _, err := s.members().RemoveMember(s.Context(), &adminv1.RemoveMemberRequest{UserId: id}); err != nil {
				return err
			}
			s.done("removed")
			return nil
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
