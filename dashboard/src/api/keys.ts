import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type Key, KeyService, KeyState } from "../gen/peal/admin/v1/keys_pb";

export type { Key };

const { listKeys, createKey, revealKey, revokeKey } = KeyService.method;

const listOptions = (transport: Transport, appId: string) =>
  createQueryOptions(listKeys, { appId }, { transport });

export const isActive = (key: Key): boolean => key.state === KeyState.ACTIVE;

/** The keys that work before those that do not, each in the order they came. */
export const activeFirst = (keys: Key[]): Key[] => [
  ...keys.filter(isActive),
  ...keys.filter((key) => !isActive(key)),
];

/** The keys of an app, oldest first, revoked ones too. */
export function useKeys(appId: string) {
  const query = useQuery(listKeys, { appId });
  return { ...query, keys: query.data?.keys };
}

export function prefetchKeys(queryClient: QueryClient, transport: Transport, appId: string) {
  return queryClient.prefetchQuery(listOptions(transport, appId));
}

/** Fills the cache with keys that came along with another answer. */
export function rememberKeys(
  queryClient: QueryClient,
  transport: Transport,
  appId: string,
  keys: Key[],
): void {
  queryClient.setQueryData(listOptions(transport, appId).queryKey, {
    $typeName: "peal.admin.v1.ListKeysResponse",
    keys,
  });
}

export function useCreateKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(createKey, {
    onSuccess: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

export function useRevokeKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  // Also after a failure: somebody else may have revoked it first.
  return useMutation(revokeKey, {
    onSettled: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

/** A mutation, because each call is audited and because the answer must not lie in the query cache. */
export function useRevealKey() {
  return useMutation(revealKey, { gcTime: 0 });
}
