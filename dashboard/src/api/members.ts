import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type Invitation, InvitationService } from "../gen/peal/admin/v1/invitations_pb";
import { type Member, MemberService } from "../gen/peal/admin/v1/members_pb";
import { useForgetAccount } from "./auth";

export type { Invitation, Member };

const { listMembers, changeMemberRole, removeMember, leaveTenant, transferOwnership } = MemberService.method;
const { listInvitations, createInvitation, resendInvitation, revokeInvitation } = InvitationService.method;

/** What a user can be in a tenant, from most to least allowed. */
export const roles = [
  { value: "owner", label: "Owner", does: "everything, also giving the tenant to somebody else" },
  { value: "admin", label: "Admin", does: "everything but making and removing owners" },
  { value: "developer", label: "Developer", does: "apps, keys and their secrets, but no people" },
  { value: "viewer", label: "Viewer", does: "looking, without secrets" },
] as const;

export type RoleName = (typeof roles)[number]["value"];

export function useMembers() {
  const query = useQuery(listMembers, {});
  return { ...query, members: query.data?.members };
}

export function useInvitations() {
  const query = useQuery(listInvitations, {});
  return { ...query, invitations: query.data?.invitations };
}

export function prefetchMembers(queryClient: QueryClient, transport: Transport) {
  return Promise.all([
    queryClient.prefetchQuery(createQueryOptions(listMembers, {}, { transport })),
    queryClient.prefetchQuery(createQueryOptions(listInvitations, {}, { transport })),
  ]);
}

/** Reads members and invitations anew, also after a failure: somebody else may have been quicker. */
function useRefresh() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return {
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries(createQueryOptions(listMembers, {}, { transport })),
        queryClient.invalidateQueries(createQueryOptions(listInvitations, {}, { transport })),
      ]),
  };
}

export const useChangeRole = () => useMutation(changeMemberRole, useRefresh());
export const useRemoveMember = () => useMutation(removeMember, useRefresh());
export const useInvite = () => useMutation(createInvitation, { ...useRefresh(), gcTime: 0 });
export const useResend = () => useMutation(resendInvitation, { ...useRefresh(), gcTime: 0 });
export const useRevokeInvitation = () => useMutation(revokeInvitation, useRefresh());

/** The caller is an admin afterwards, so what the account may do is read anew as well. */
export function useTransferOwnership() {
  const refresh = useRefresh();
  const forget = useForgetAccount();
  return useMutation(transferOwnership, {
    onSettled: () => Promise.all([refresh.onSettled(), forget()]),
  });
}

export const useLeaveTenant = () => useMutation(leaveTenant);
