import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { AuthService } from "../gen/peal/admin/v1/auth_pb";
import { type MyTenant, ProfileService, type Session } from "../gen/peal/admin/v1/profile_pb";
import { useForgetAccount } from "./auth";

export type { MyTenant, Session };

const { listMyTenants, switchTenant, sendVerification, changePassword, changeEmail } = ProfileService.method;
const { listSessions, revokeSession, revokeOtherSessions } = ProfileService.method;
const { requestPasswordReset, resetPassword, verifyEmail } = AuthService.method;

export function useMyTenants() {
  const query = useQuery(listMyTenants, {});
  return { ...query, tenants: query.data?.tenants };
}

/** Everything that was read is of the tenant before: what is on the page is read anew, and the rest forgotten. */
export function useSwitchTenant() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(switchTenant, {
    onSuccess: ({ account }) => {
      if (!account) return;
      const { queryKey } = createQueryOptions(AuthService.method.whoAmI, {}, { transport });
      queryClient.setQueryData(queryKey, { $typeName: "peal.admin.v1.WhoAmIResponse", account });
      const own = queryClient.getQueryCache().find({ queryKey });
      return queryClient.resetQueries({ predicate: (query) => query !== own });
    },
  });
}

export const useSendVerification = () => useMutation(sendVerification);
export const useRequestPasswordReset = () => useMutation(requestPasswordReset);
export const useResetPassword = () => useMutation(resetPassword, { gcTime: 0 });

export function useVerifyEmail() {
  const forget = useForgetAccount();
  return useMutation(verifyEmail, { onSuccess: forget });
}

export function useChangeEmail() {
  const forget = useForgetAccount();
  return useMutation(changeEmail, { onSuccess: forget, gcTime: 0 });
}

export function useChangePassword() {
  const refresh = useRefreshSessions();
  return useMutation(changePassword, { onSuccess: refresh, gcTime: 0 });
}

export function useSessions() {
  const query = useQuery(listSessions, {});
  return { ...query, sessions: query.data?.sessions };
}

function useRefreshSessions() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return () => queryClient.invalidateQueries(createQueryOptions(listSessions, {}, { transport }));
}

export const useRevokeSession = () => useMutation(revokeSession, { onSettled: useRefreshSessions() });
export const useRevokeOtherSessions = () =>
  useMutation(revokeOtherSessions, { onSettled: useRefreshSessions() });
