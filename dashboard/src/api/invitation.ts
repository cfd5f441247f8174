import { useMutation, useQuery } from "@connectrpc/connect-query";
import { InvitationService } from "../gen/peal/admin/v1/invitations_pb";
import { useAccountSwitch } from "./auth";

const { getInvitation, acceptInvitation } = InvitationService.method;

/** What the token of a link invites to. */
export function useInvitation(token: string) {
  const query = useQuery(getInvitation, { token }, { enabled: token !== "", gcTime: 0 });
  return { ...query, invitation: query.data };
}

export function useAcceptInvitation() {
  const enter = useAccountSwitch();
  return useMutation(acceptInvitation, { onSuccess: ({ account }) => enter(account) });
}
