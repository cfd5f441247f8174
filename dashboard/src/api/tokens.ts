import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Permission } from "../gen/peal/admin/v1/permission_pb";
import { type Token, TokenService } from "../gen/peal/admin/v1/tokens_pb";

export type { Token };

const { listTokens, createToken, revokeToken } = TokenService.method;

export function useTokens() {
  const query = useQuery(listTokens, {});
  return { ...query, tokens: query.data?.tokens, grantable: query.data?.grantable ?? [] };
}

function useRefresh() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return () => queryClient.invalidateQueries(createQueryOptions(listTokens, {}, { transport }));
}

// The text of a token comes with the answer, and is not to stay in a cache.
export const useCreateToken = () => useMutation(createToken, { onSuccess: useRefresh(), gcTime: 0 });
export const useRevokeToken = () => useMutation(revokeToken, { onSettled: useRefresh() });

/** A permission as the API and the command line write it: apps.read. */
export function permissionName(permission: Permission): string {
  return (Permission[permission] ?? "").toLowerCase().replaceAll("_", ".");
}

/** What only looks. A token with nothing else can change nothing. */
export const onlyReads = (permission: Permission): boolean => permissionName(permission).endsWith(".read");
